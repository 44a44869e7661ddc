//! Whether a recording is that of its scene: the order of the calls and what
//! they returned, and not when.

use std::collections::BTreeMap;

use crate::model::{Part, Step, Timeline};
use crate::scene::Scene;

/// What the server did for each client: its calls and their outcomes.
type Calls = BTreeMap<String, Vec<String>>;

/// What is wrong with `timeline` as a recording of `scene`.
#[must_use]
pub fn against_scene(timeline: &Timeline, scene: &Scene) -> Vec<String> {
    let mut problems = Vec::new();
    let servers = timeline.parts.iter().map(|part| &part.server);
    if !servers.eq(&scene.servers) {
        problems.push("it was recorded with other servers".into());
    }
    for must in &scene.musts {
        for (index, part) in timeline.parts.iter().enumerate() {
            if must.part.is_some_and(|number| number != index + 1) {
                continue;
            }
            let first = calls_of(part, &must.first).next();
            let mut later = calls_of(part, &must.second);
            let second = if must.last { later.last() } else { later.next() };
            if first.is_none() || second.is_none() || first > second {
                let (first, second) = (&must.first, &must.second);
                problems.push(format!(
                    "{}: {} {} does not come before {} {}",
                    part.server, first.0, first.1, second.0, second.1
                ));
            }
        }
    }
    problems
}

/// The places of the server's calls with this name and client; `-` is none,
/// `A+B` what it reported, and `=EAGAIN` what it returned.
fn calls_of<'a>(
    part: &'a Part,
    (call, about): &'a (String, String),
) -> impl Iterator<Item = usize> + 'a {
    let is_meant = move |step: &Step| {
        let reported = step.events.join("+").replace(' ', "-");
        !part.is_clients(step)
            && step.function() == call
            && (step.client.as_deref().unwrap_or("-") == about
                || reported == *about
                || about.strip_prefix('=') == Some(step.outcome()))
    };
    let steps = part.steps.iter().enumerate();
    steps.filter(move |(_, step)| is_meant(step)).map(|(place, _)| place)
}

/// What differs between two recordings of a scene.
#[must_use]
pub fn differences(kept: &Timeline, new: &Timeline) -> Vec<String> {
    let mut problems = Vec::new();
    for (kept, new) in kept.parts.iter().zip(&new.parts) {
        let (then, now) = (calls(kept), calls(new));
        for client in then.keys().chain(now.keys()) {
            let (then, now) = (then.get(client), now.get(client));
            let text = |calls: Option<&Vec<String>>| {
                calls.map_or(String::new(), |calls| calls.join(", "))
            };
            if then != now {
                problems.push(format!(
                    "{}, client {client}: the figure shows\n  {}\nand now\n  {}",
                    kept.server,
                    text(then),
                    text(now)
                ));
            }
        }
    }
    problems.dedup();
    problems
}

fn calls(part: &Part) -> Calls {
    let mut calls = Calls::new();
    for step in part.steps.iter().filter(|step| !part.is_clients(step)) {
        let mut add = |client: &str, call: String| {
            calls.entry(client.into()).or_default().push(call);
        };
        match (&step.client, step.function()) {
            (Some(client), _) => add(client, describe(step)),
            (None, "io_uring_enter") => {
                let events = step.events.iter();
                events
                    .filter_map(|event| event.split_once(' '))
                    .for_each(|(call, client)| add(client, call.into()));
            }
            (None, "bind") => add("listener", describe(step)),
            _ => {}
        }
    }
    for list in calls.values_mut() {
        if list.iter().any(|call| call.ends_with(" many")) {
            first_of_each(list);
        }
    }
    calls
}

/// How often a buffer is filled depends on the machine, and not on the server:
/// what counts then is which calls came, in the order of the first of each.
fn first_of_each(list: &mut Vec<String>) {
    let all = std::mem::take(list);
    for call in all {
        if !list.contains(&call) {
            list.push(call);
        }
    }
}

fn is_bulk(step: &Step) -> bool {
    step.count().is_some_and(|count| count > 256)
}

/// `recv 5`; large amounts vary, and so do descriptors.
fn describe(step: &Step) -> String {
    let function = step.function();
    match function {
        "accept" if !step.result.starts_with('-') => function.into(),
        "epoll_ctl" => crate::svg::label(step),
        _ if is_bulk(step) => format!("{function} many"),
        _ => format!("{function} {}", step.outcome()),
    }
}
