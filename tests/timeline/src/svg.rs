//! The few shapes that a figure is made of, as SVG text.

use crate::model::{Part, Step};

/// How much a figure is enlarged where there is room.
const LARGEST: f64 = 1.35;

/// An SVG image that grows.
#[derive(Debug, Default)]
pub(crate) struct Svg {
    body: String,
}

impl Svg {
    /// The image, `width` wide, with a text alternative.
    pub(crate) fn finish(self, width: f64, height: f64, text: &str) -> String {
        format!(
            "<svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
             style=\"max-width:{:.0}px\" aria-label=\"{}\">\n{}</svg>\n",
            width * LARGEST,
            escape(text),
            self.body
        )
    }

    pub(crate) fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        let text = escape(text);
        self.add(&format!(
            "<text class=\"{class}\" x=\"{}\" y=\"{}\">{text}</text>",
            short(x),
            short(y)
        ));
    }

    pub(crate) fn rect(&mut self, class: &str, x: f64, y: f64, w: f64, h: f64) {
        self.add(&format!(
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" \
             height=\"{}\" rx=\"2\"/>",
            short(x),
            short(y),
            short(w),
            short(h)
        ));
    }

    pub(crate) fn line(
        &mut self,
        class: &str,
        from: (f64, f64),
        to: (f64, f64),
    ) {
        self.add(&format!(
            "<path class=\"{class}\" d=\"M{} {}L{} {}\"/>",
            short(from.0),
            short(from.1),
            short(to.0),
            short(to.1)
        ));
    }

    /// Opens the group of a step: what the script finds it by.
    pub(crate) fn open(&mut self, step: usize) {
        self.add(&format!("<g class=\"step\" data-step=\"{step}\">"));
    }

    pub(crate) fn close(&mut self) {
        self.add("</g>");
    }

    fn add(&mut self, text: &str) {
        self.body.push_str(text);
        self.body.push('\n');
    }
}

/// A number with at most one decimal.
fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// Text for HTML, in an element or in an attribute.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// The class that gives a client its colour; without a client that of none.
pub(crate) fn colour(part: &Part, client: Option<&String>) -> String {
    let at = |name| part.clients.iter().position(|client| client == name);
    match client.and_then(at) {
        Some(index) if part.clients[index] != "signal" => {
            format!("tl-{}", index % 4)
        }
        _ => "tl-none".into(),
    }
}

/// The colour of a wait: that of the client, unless any would do.
pub(crate) fn waits_for(part: &Part, step: &Step) -> String {
    let any = matches!(step.function(), "accept" | "epoll_wait");
    colour(part, step.client.as_ref().filter(|_| !any))
}

/// A step in a few letters: `recv 5`.
pub(crate) fn label(step: &Step) -> String {
    let outcome = step.outcome();
    match step.function() {
        "shutdown"
            if step.client.as_ref() == Some(&step.by) && outcome == "0" =>
        {
            "FIN".into()
        }
        "kill" => step.args.clone(),
        "epoll_wait" if step.events.is_empty() => {
            format!("epoll_wait {outcome}")
        }
        // It is restarted once the handler has returned.
        name if step.result.starts_with("? ERESTART") => {
            format!("{name} (signal)")
        }
        "epoll_wait" => format!("epoll_wait {}", in_short(&step.events)),
        "io_uring_enter" if !step.events.is_empty() => {
            format!("io_uring_enter → {}", completed(&step.events))
        }
        "epoll_ctl" => control(step),
        "accept" if !outcome.starts_with('E') => {
            let client = step.client.as_deref().unwrap_or("");
            format!("accept {client}")
        }
        name @ ("clone" | "exit" | "socket" | "bind" | "listen" | "close"
        | "setsockopt" | "connect")
            if !outcome.starts_with('E') =>
        {
            name.into()
        }
        name if step.times > 1 => {
            format!("{name} {} ×{}", thousands(outcome), step.times)
        }
        name => format!("{name} {}", thousands(outcome)),
    }
}

/// `recv A B`: each operation once.
fn completed(events: &[String]) -> String {
    let mut text = String::new();
    let mut before = "";
    for event in events {
        let (call, name) = event.split_once(' ').unwrap_or((event, ""));
        if call != before {
            text.push_str(if before.is_empty() { call } else { ", " });
            text.push_str(if before.is_empty() { "" } else { call });
            before = call;
        }
        text.push(' ');
        text.push_str(name);
    }
    text
}

/// `+A IN`: what `epoll_ctl` does to the set.
fn control(step: &Step) -> String {
    let who = in_short(&step.events);
    let sign = if step.args.contains("_ADD") {
        "add"
    } else if step.args.contains("_DEL") {
        "del"
    } else {
        "mod"
    };
    let flags = step.args.split("events=").nth(1).unwrap_or_default();
    let flags = flags.split(',').next().unwrap_or_default();
    let has = |flag: &str| flags.split('|').any(|f| f == flag);
    let input = if has("EPOLLIN") { " IN" } else { "" };
    let output = if has("EPOLLOUT") { " OUT" } else { "" };
    format!("{sign} {who}{input}{output}")
}

fn in_short(events: &[String]) -> String {
    let names = events.iter().map(|name| match name.as_str() {
        "listener" => "L",
        "signals" => "S",
        name => name,
    });
    names.collect::<Vec<_>>().join(" ")
}

/// `65,536`
pub(crate) fn thousands(number: &str) -> String {
    if number.len() < 5 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return number.into();
    }
    let (head, tail) = number.split_at(number.len() - 3);
    format!("{},{tail}", thousands_of(head))
}

fn thousands_of(number: &str) -> String {
    if number.len() <= 3 {
        return number.into();
    }
    let (head, tail) = number.split_at(number.len() - 3);
    format!("{},{tail}", thousands_of(head))
}
