//! What a time line is made of: steps, in the order in which they happened.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One figure: a scene, played before one server or before several.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timeline {
    /// What its files are called.
    pub name: String,
    /// One line.
    pub title: String,
    /// What to look at.
    pub caption: String,
    /// The same story in words, for a reader that does not see the figure.
    pub story: String,
    /// Whether it is drawn on one clock, to scale, and not call by call.
    pub clock: bool,
    /// One for each server.
    pub parts: Vec<Part>,
}

/// One server and its clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The server's command.
    pub server: String,
    /// The clients' names.
    pub clients: Vec<String>,
    /// The threads' names.
    pub threads: Vec<String>,
    /// Milliseconds from the first step to the last.
    pub duration: f64,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// The lines of source that made the calls.
    pub code: Vec<Code>,
}

/// A call, by a thread of the server or by a client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The thread's name or the client's.
    pub by: String,
    /// The call's name, as `strace` shows it.
    pub call: String,
    /// Its arguments.
    pub args: String,
    /// What it returned; empty if it had not by the end.
    pub result: String,
    /// How often it was made, one right after the other, with the same result.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u64,
    /// The client that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// When it began, in milliseconds.
    pub begin: f64,
    /// When it returned, in milliseconds.
    pub end: f64,
    /// Whether it had to wait: the thread slept.
    #[serde(default, skip_serializing_if = "is_false")]
    pub waits: bool,
    /// What `epoll_wait` reported, or what the call is about, if it is no client:
    /// clients, `listener`, `signals`. Of `io_uring_enter` what was completed,
    /// which is derived: `recv A`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Which of the lines of source, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<usize>,
    /// What the kernel holds after it: derived from the calls so far.
    pub derived: Kernel,
}

/// What the kernel holds, as it follows from the calls. Names of clients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// Connected, and not accepted yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queue: Vec<String>,
    /// Bytes that the client has sent and the server not received.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, u64>,
    /// Clients whose FIN has come and was not received.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fin: Vec<String>,
    /// Clients whose reset has come and was not received.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reset: Vec<String>,
    /// Bytes that the server has sent and the client not received.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sent: BTreeMap<String, u64>,
    /// What epoll waits for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub interest: BTreeMap<String, String>,
    /// epoll's ready list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ready: Vec<String>,
    /// What is derived for some scenes alone: what it is called, and the
    /// clients in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub more: BTreeMap<String, Vec<String>>,
}

/// A line of source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Its file, from the root of the workspace.
    pub file: String,
    /// Its number when the scene was recorded.
    pub line: usize,
    /// The line itself.
    pub text: String,
}

fn once() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_once(times: &u64) -> bool {
    *times == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Part {
    /// Whether `step` was made by a client.
    #[must_use]
    pub fn is_clients(&self, step: &Step) -> bool {
        self.clients.contains(&step.by)
    }
}

impl Step {
    /// The moment at which it changed something: a call that may wait does so
    /// when it returns, another when it is made.
    #[must_use]
    pub fn moment(&self) -> f64 {
        if self.waits || takes(&self.call) { self.end } else { self.begin }
    }

    /// The number that it returned.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        self.result.split_whitespace().next()?.parse().ok()
    }

    /// Its result in one word: a number, or the name of an error.
    #[must_use]
    pub fn outcome(&self) -> &str {
        let mut words = self.result.split_whitespace();
        match words.next() {
            Some("-1") => words.next().unwrap_or("-1"),
            Some(word) => word,
            None => "",
        }
    }

    /// The call by the name of the C function that makes it.
    #[must_use]
    pub fn function(&self) -> &str {
        match self.call.as_str() {
            "recvfrom" => "recv",
            "sendto" => "send",
            "accept4" => "accept",
            "clone3" => "clone",
            "exit_group" => "exit",
            "epoll_pwait" => "epoll_wait",
            name => name,
        }
    }
}

/// Whether a call takes something from the kernel, and so may wait for it.
pub(crate) fn takes(call: &str) -> bool {
    const TAKE: [&str; 8] = [
        "accept",
        "recv",
        "read",
        "epoll_wait",
        "epoll_pwait",
        "poll",
        "select",
        "pselect",
    ];
    TAKE.iter().any(|name| call.starts_with(name)) || call == "ppoll"
}
