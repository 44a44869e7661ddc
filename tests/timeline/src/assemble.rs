//! From traced calls and the clients' own to steps: which client each call
//! concerns, which thread made it, and what the kernel holds after it.

use std::collections::{BTreeMap, HashMap};

use crate::client::{Move, Played};
use crate::derive::Derived;
use crate::model::{Kernel, Part, Step, takes};
use crate::names::Names;
use crate::source::Sources;
use crate::strace::Raw;

/// A call that took longer than so many seconds has waited. What `strace` adds
/// to each is less.
const WAITED: f64 = 0.001;
/// `send` may take that long without having waited.
const WAITED_TO_SEND: f64 = 0.005;

/// What was recorded of a server and its clients.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    pub(crate) server: String,
    pub(crate) raw: Vec<Raw>,
    /// What the clients did, where we know it.
    pub(crate) played: Option<Played>,
    /// What came later is left out. Seconds since 1970.
    pub(crate) end: f64,
    /// Whether the calls before the first `accept` are shown.
    pub(crate) from_socket: bool,
    /// Whether the end of the process is shown: another follows.
    pub(crate) shows_exit: bool,
    /// Calls and columns that are not shown; `clients`: what the clients did.
    pub(crate) hides: Vec<String>,
    /// What is derived beside the usual.
    pub(crate) derives: Vec<String>,
}

/// A step, and what is needed until all are known.
struct Draft {
    step: Step,
    /// The thread; `None`: a client.
    tid: Option<u32>,
    shown: bool,
    /// Where it was called: a program and an address, innermost first.
    frames: Vec<(String, String)>,
}

/// Puts together what was recorded.
pub(crate) fn assemble(recording: &Recording) -> Part {
    let (moves, ports) = recording.played.clone().unwrap_or_default();
    let mut drafts = traced(recording, Names::new(ports));
    drafts.extend(moves.into_iter().map(of_client));
    drafts.sort_by(|a, b| a.step.moment().total_cmp(&b.step.moment()));

    let clients = clients(&drafts);
    derive(recording, &mut drafts);
    let hides = |name: &str| recording.hides.iter().any(|hide| hide == name);
    drafts.retain(|draft| {
        let by_client = draft.tid.is_none() && hides("clients");
        draft.shown && !by_client && !hides(&draft.step.by)
    });
    drafts = merged(drafts);
    let names = thread_names(&drafts);
    let mut sources = Sources::of(drafts.iter().map(|d| &d.frames));
    let origin = drafts.iter().map(|d| d.step.begin);
    let origin = origin.fold(f64::INFINITY, f64::min);
    let mut part = Part {
        server: recording.server.clone(),
        clients,
        threads: threads(&drafts, &names),
        ..Part::default()
    };
    for mut draft in drafts {
        let step = &mut draft.step;
        if let Some(tid) = draft.tid {
            step.by = names.get(&tid).cloned().unwrap_or_default();
        }
        step.begin = milliseconds(step.begin - origin);
        step.end = milliseconds(step.end - origin);
        step.code = sources.line(&draft.frames);
        part.duration = part.duration.max(step.end);
        part.steps.push(draft.step);
    }
    part.code = sources.lines;
    part
}

/// Says of each step what the kernel holds after it.
fn derive(recording: &Recording, drafts: &mut [Draft]) {
    let known = recording.played.is_some();
    let steps = drafts.iter().map(|draft| &draft.step);
    let mut derived = Derived::new(known, &recording.derives, steps);
    for draft in drafts {
        let by_client = draft.tid.is_none();
        let mut state = derived.after(&mut draft.step, by_client);
        hide(&mut state, &recording.hides);
        draft.step.derived = state;
    }
}

/// Empties the columns that are not shown.
fn hide(state: &mut Kernel, hides: &[String]) {
    let hidden = |name: &str| hides.iter().any(|hide| hide == name);
    if hidden("accept-queue") {
        state.queue.clear();
    }
    if hidden("unread") {
        state.unread.clear();
        state.fin.clear();
    }
    if hidden("sent") {
        state.sent.clear();
    }
}

/// Calls that were made in a row, with the same result, become one step.
fn merged(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut merged: Vec<Draft> = Vec::new();
    for draft in drafts {
        let step = &draft.step;
        let same = merged.last_mut().filter(|last| {
            let before = &last.step;
            last.tid.is_some()
                && last.tid == draft.tid
                && before.call == step.call
                && before.result == step.result
                && before.client == step.client
                && step.count().is_some_and(|count| count > 0)
                && step.call.starts_with("recv")
                && !step.waits
        });
        match same {
            Some(last) => {
                last.step.times += 1;
                last.step.end = draft.step.end;
                last.step.derived = draft.step.derived;
            }
            None => merged.push(draft),
        }
    }
    merged
}

/// Milliseconds with two decimals: `strace` costs more than a microsecond.
fn milliseconds(seconds: f64) -> f64 {
    (seconds * 100_000.0).round() / 100.0
}

fn of_client(made: Move) -> Draft {
    let waits = takes(made.call) && made.end - made.begin > WAITED;
    let client = (made.call != "kill").then(|| made.by.clone());
    let Move { by, call, args, result, begin, end } = made;
    let call = call.to_owned();
    let step = Step {
        by,
        call,
        args,
        result,
        client,
        begin,
        end,
        waits,
        times: 1,
        ..Step::default()
    };
    Draft { step, tid: None, shown: true, frames: Vec::new() }
}

/// The server's calls. Each is attributed at the time when its descriptor has
/// its meaning: an `accept` when it returns.
fn traced(recording: &Recording, mut names: Names) -> Vec<Draft> {
    let mut raw: Vec<_> = recording.raw.iter().collect();
    let known = |call: &Raw| match call.end {
        Some(end) if call.name.starts_with("accept") => end,
        _ => call.begin,
    };
    raw.sort_by(|a, b| known(a).total_cmp(&known(b)));
    let ready = raw.iter().filter(|call| {
        call.name.starts_with("accept")
            || call.name.ends_with("wait")
            || call.name == "io_uring_enter"
    });
    let ready = ready.map(|call| call.begin).fold(f64::INFINITY, f64::min);
    let mut drafts = Vec::new();
    for call in raw.into_iter().filter(|c| c.begin < recording.end) {
        let mut step = step(call, recording.end);
        names.attribute(call, &mut step);
        if step.result.is_empty() {
            // What it reported later does not belong to the scene.
            step.events.clear();
        }
        let after_setup = call.begin >= ready
            || recording.from_socket && names.is_socket(call);
        let shown = after_setup
            && !recording.hides.contains(&step.function().to_owned())
            && is_shown(call, &step, &names, recording.shows_exit);
        let frames = call.frames.clone();
        drafts.push(Draft { step, tid: Some(call.tid), shown, frames });
    }
    drafts
}

fn step(call: &Raw, cut: f64) -> Step {
    let returned = call.end.filter(|&end| end <= cut);
    let end = match returned {
        Some(end) => end,
        // It ends the thread.
        None if call.name.starts_with("exit") => call.begin,
        None => cut,
    };
    let least = match call.name.as_str() {
        "sendto" | "sendmsg" | "write" | "writev" => WAITED_TO_SEND,
        _ => WAITED,
    };
    let may_wait = takes(&call.name)
        || ["futex", "clock_nanosleep", "io_uring_enter"]
            .contains(&call.name.as_str())
        || least > WAITED;
    let result = returned.map(|_| call.result.clone()).unwrap_or_default();
    Step {
        call: call.name.clone(),
        args: call.args.clone(),
        result,
        begin: call.begin,
        end,
        waits: may_wait && end - call.begin > least,
        times: 1,
        ..Step::default()
    }
}

/// Whether a call belongs to the story: it concerns a client, or the waiting
/// for clients, or the life of a thread.
fn is_shown(call: &Raw, step: &Step, names: &Names, shows_exit: bool) -> bool {
    let name = call.name.as_str();
    step.client.is_some()
        || name.starts_with("accept")
        || name.starts_with("epoll_")
        || ["clone", "clone3", "exit", "io_uring_enter"].contains(&name)
        || name == "exit_group" && shows_exit
        || names.is_socket(call)
        || step.waits && (takes(name) || name == "clock_nanosleep")
}

/// In the order of their first step.
fn clients(drafts: &[Draft]) -> Vec<String> {
    let mut clients: Vec<String> = Vec::new();
    let own = drafts.iter().filter(|d| d.tid.is_none()).map(|d| &d.step.by);
    let theirs = drafts.iter().filter_map(|d| d.step.client.as_ref());
    for name in own.chain(theirs) {
        if !clients.contains(name) {
            clients.push(name.clone());
        }
    }
    clients.sort();
    clients
}

/// A thread that serves one client alone is that client's.
fn thread_names(drafts: &[Draft]) -> HashMap<u32, String> {
    let mut served: BTreeMap<u32, Vec<&String>> = BTreeMap::new();
    for draft in drafts {
        let Some(tid) = draft.tid else { continue };
        let clients = served.entry(tid).or_default();
        clients.extend(draft.step.client.as_ref());
    }
    let many = served.len() > 1;
    let first = served.keys().next().copied();
    let mut names = HashMap::new();
    for (index, (tid, mut clients)) in served.into_iter().enumerate() {
        clients.dedup();
        let name = match clients.as_slice() {
            _ if Some(tid) == first && many => "main".to_owned(),
            _ if Some(tid) == first => "the thread".to_owned(),
            [one] => format!("{one}'s thread"),
            _ => format!("thread {}", index + 1),
        };
        names.insert(tid, name);
    }
    names
}

/// The threads that made a call that is shown, in the order of their first.
fn threads(drafts: &[Draft], names: &HashMap<u32, String>) -> Vec<String> {
    let mut threads: Vec<String> = Vec::new();
    let tids = drafts.iter().filter_map(|d| d.tid);
    for name in tids.filter_map(|tid| names.get(&tid)) {
        if !threads.contains(name) {
            threads.push(name.clone());
        }
    }
    threads
}
