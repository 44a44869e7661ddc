//! What the kernel holds, as it follows from the calls.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Kernel, Step};
use crate::rings::Rings;
use crate::time_wait::TimeWait;

const LISTENER: &str = "listener";
const SIGNALS: &str = "signals";

/// The kernel's state at a time. A model: it knows what was sent and received,
/// and not what is on the way.
#[derive(Debug, Default)]
pub(crate) struct Derived {
    now: Kernel,
    /// Clients whose last `send` found no room.
    full: BTreeSet<String>,
    /// Whether we know what the clients did. If not, nothing can be said of
    /// queues and buffers.
    clients_known: bool,
    /// What is derived beside the usual.
    more: Vec<String>,
    rings: Rings,
    time_wait: TimeWait,
}

impl Derived {
    /// For the steps of a trace, in order, with `more` than the usual.
    pub(crate) fn new<'a>(
        clients_known: bool,
        more: &[String],
        steps: impl Iterator<Item = &'a Step>,
    ) -> Self {
        let rings = steps.filter(|step| step.call == "io_uring_enter");
        let (more, rings) = (more.to_vec(), Rings::new(rings));
        Self { clients_known, more, rings, ..Self::default() }
    }

    /// The state after `step`.
    pub(crate) fn after(&mut self, step: &mut Step, by_client: bool) -> Kernel {
        if step.call == "io_uring_enter" && self.clients_known {
            self.rings.enter(step, &mut self.now);
        } else if by_client {
            self.client_acts(step);
        } else {
            self.server_acts(step);
        }
        if self.more.iter().any(|more| more == "TIME_WAIT") {
            self.fins(step, by_client);
        }
        if self.more.iter().any(|more| more == "woken tasks") && !by_client {
            self.wake(step);
        }
        let mut state = self.now.clone();
        if !self.clients_known {
            state = Kernel { interest: state.interest, ..Kernel::default() };
        }
        state
    }

    fn fins(&mut self, step: &Step, by_client: bool) {
        let Some(name) = &step.client else { return };
        if ["shutdown", "close"].contains(&step.call.as_str()) {
            self.time_wait.fin(name, by_client, &mut self.now);
        }
    }

    /// An event wakes the task that waits for it, and the first call for a
    /// client says that its task is polled.
    fn wake(&mut self, step: &Step) {
        let woken = self.now.more.entry("woken tasks".into()).or_default();
        match step.function() {
            "epoll_wait" => woken.extend(step.events.iter().cloned()),
            "accept" => woken.retain(|name| name != LISTENER),
            _ => woken.retain(|name| Some(name) != step.client.as_ref()),
        }
    }

    fn client_acts(&mut self, step: &Step) {
        let name = &step.by;
        let count = step.count().unwrap_or(0);
        match step.call.as_str() {
            "connect" => {
                self.now.queue.push(name.clone());
                self.happened(LISTENER, "IN");
            }
            "send" => {
                *self.now.unread.entry(name.clone()).or_default() += count;
                self.happened(name, "IN");
            }
            // To leave what has come unread is to reset the connection.
            "close" if self.now.sent.remove(name).is_some() => {
                self.now.reset.push(name.clone());
                self.happened(name, "IN");
            }
            "shutdown" | "close" if step.outcome() == "0" => {
                self.now.fin.push(name.clone());
                self.happened(name, "IN");
            }
            "recv" => {
                take(&mut self.now.sent, name, count);
                if count > 0 && self.full.remove(name) {
                    self.happened(name, "OUT");
                }
            }
            _ => {}
        }
    }

    fn server_acts(&mut self, step: &Step) {
        let Some(name) = &step.client else {
            match step.function() {
                "epoll_wait" => self.report(&step.events),
                "epoll_ctl" => self.control(step),
                "close" if step.events == [LISTENER] => self.close_listener(),
                _ => {}
            }
            return;
        };
        match (step.function(), step.count()) {
            ("accept", Some(_)) => self.now.queue.retain(|n| n != name),
            ("recv" | "read", Some(0)) => self.now.fin.retain(|n| n != name),
            ("recv" | "read", Some(count)) => {
                take(&mut self.now.unread, name, count);
            }
            (_, None) if step.result.contains("ECONNRESET") => {
                self.now.reset.retain(|n| n != name);
            }
            ("send" | "write", Some(count)) => {
                *self.now.sent.entry(name.clone()).or_default() += count;
            }
            ("send" | "write", None) if step.result.contains("EAGAIN") => {
                self.full.insert(name.clone());
            }
            ("epoll_ctl", _) => self.control(step),
            ("close", _) => self.close(name),
            _ => {}
        }
        self.drop_unready();
    }

    fn close_listener(&mut self) {
        self.now.interest.remove(LISTENER);
        self.now.ready.retain(|n| n != LISTENER);
        self.now.queue.clear();
    }

    fn close(&mut self, name: &String) {
        self.now.interest.remove(name);
        self.now.ready.retain(|n| n != name);
        self.now.unread.remove(name);
        self.now.fin.retain(|n| n != name);
        self.now.reset.retain(|n| n != name);
    }

    fn control(&mut self, step: &Step) {
        let Some(name) = step.events.first() else { return };
        if step.args.contains("EPOLL_CTL_DEL") {
            self.now.interest.remove(name);
            self.now.ready.retain(|n| n != name);
            return;
        }
        let flags = step.args.split("events=").nth(1).unwrap_or_default();
        let flags = flags.split(',').next().unwrap_or_default();
        let flags = flags.replace("EPOLL", "").replace('|', " ");
        self.now.interest.insert(name.clone(), flags);
        self.now.ready.retain(|n| n != name);
        if self.is_ready(name) {
            self.now.ready.push(name.clone());
        }
    }

    /// Something has happened to a descriptor: its callback is called.
    fn happened(&mut self, name: &str, what: &str) {
        let interest = self.now.interest.get(name);
        let asked = interest.is_some_and(|i| i.split(' ').any(|f| f == what));
        if asked && !self.now.ready.iter().any(|n| n == name) {
            self.now.ready.push(name.into());
        }
    }

    /// `epoll_wait` takes what it reports off the list, and puts what is
    /// level-triggered back. It drops what is not ready any more.
    fn report(&mut self, names: &[String]) {
        for name in names {
            self.now.ready.retain(|n| n != name);
            if !self.is_edge(name) && self.is_ready(name) {
                self.now.ready.push(name.clone());
            }
        }
        let ready = std::mem::take(&mut self.now.ready);
        self.now.ready =
            ready.into_iter().filter(|name| self.is_ready(name)).collect();
    }

    /// An entry that is level-triggered and no longer ready will be dropped by
    /// the next wait without a word.
    fn drop_unready(&mut self) {
        let ready = std::mem::take(&mut self.now.ready);
        let keep = |n: &String| self.is_edge(n) || self.is_ready(n);
        self.now.ready = ready.into_iter().filter(keep).collect();
    }

    fn is_edge(&self, name: &str) -> bool {
        self.now.interest.get(name).is_some_and(|i| i.contains("ET"))
    }

    fn is_ready(&self, name: &str) -> bool {
        let Some(interest) = self.now.interest.get(name) else { return false };
        let asked = |what| interest.split(' ').any(|flag| flag == what);
        let input = if name == LISTENER {
            !self.now.queue.is_empty()
        } else {
            self.now.unread.contains_key(name)
                || self.now.fin.iter().any(|n| n == name)
                || self.now.reset.iter().any(|n| n == name)
        };
        let is_client = name != LISTENER && name != SIGNALS;
        let room = is_client && !self.full.contains(name);
        asked("IN") && input || asked("OUT") && room
    }
}

fn take(bytes: &mut BTreeMap<String, u64>, name: &String, count: u64) {
    let Some(left) = bytes.get_mut(name) else { return };
    *left = left.saturating_sub(count);
    if *left == 0 {
        bytes.remove(name);
    }
}
