//! What `io_uring` has done. It stands in rings that `strace` does not read, so
//! it is derived: from what the clients had sent when a call returned, and from
//! the number of entries that each call submitted, which has to agree.

use std::collections::VecDeque;

use crate::model::{Kernel, Step};

/// Operations and completions, as they follow from the calls.
#[derive(Debug, Default)]
pub(crate) struct Rings {
    /// What each call submits: this one and those after it.
    entries: VecDeque<usize>,
    started: bool,
    /// Accepted since the last call: to be received from.
    accepted: Vec<String>,
    /// What came since the last call: to be answered.
    received: Vec<(String, u64)>,
    /// A receive is in flight for each.
    receiving: Vec<String>,
}

impl Rings {
    /// For a trace with these calls of `io_uring_enter`.
    pub(crate) fn new<'a>(calls: impl Iterator<Item = &'a Step>) -> Self {
        let entries = |call: &Step| {
            call.args.split(", ").nth(1).and_then(|n| n.parse().ok())
        };
        let entries = calls.map(|call| entries(call).unwrap_or(0)).collect();
        Self { entries, ..Self::default() }
    }

    /// Says in `step`, a call of `io_uring_enter`, what it has completed, and
    /// in `now` what is in flight after it.
    pub(crate) fn enter(&mut self, step: &mut Step, now: &mut Kernel) {
        let mut done = self.submit(step, now);
        // What a call brings is answered by the next. It may have been
        // interrupted, or has not returned.
        let is_answered = self.entries.front().is_none_or(|next| *next > 0)
            || now.queue.is_empty() && now.unread.is_empty();
        if step.count().is_some() && is_answered {
            done = self.complete(done, now);
        }
        let mut names: Vec<_> =
            done.iter().map(|(_, name)| name.clone()).collect();
        names.dedup();
        step.events =
            done.iter().map(|(call, name)| format!("{call} {name}")).collect();
        now.more.insert("completed".into(), names);
        now.more.insert("in flight".into(), self.receiving.clone());
    }

    /// What a program as ours submits now. A reply is sent at once.
    fn submit(
        &mut self,
        step: &Step,
        now: &mut Kernel,
    ) -> Vec<(&'static str, String)> {
        let first = !std::mem::replace(&mut self.started, true);
        // Accept, and wait for a signal.
        let own = if first { 2 } else { 0 };
        let entries = own + self.accepted.len() + self.received.len();
        if self.entries.pop_front() != Some(entries) {
            // Another program, or a scene that this cannot follow.
            return vec![("unknown:", step.args.clone())];
        }
        self.receiving.append(&mut self.accepted);
        let sent = self.received.drain(..).map(|(name, count)| {
            *now.sent.entry(name.clone()).or_default() += count;
            ("send", name)
        });
        sent.collect()
    }

    /// What comes to the operations in flight.
    fn complete(
        &mut self,
        mut done: Vec<(&'static str, String)>,
        now: &mut Kernel,
    ) -> Vec<(&'static str, String)> {
        for name in self.receiving.clone() {
            if let Some(count) = now.unread.remove(&name) {
                self.received.push((name.clone(), count));
                done.push(("recv", name.clone()));
            }
            if now.fin.contains(&name) {
                now.fin.retain(|n| *n != name);
                self.receiving.retain(|n| *n != name);
                done.push(("FIN", name));
            }
        }
        for name in now.queue.drain(..) {
            self.accepted.push(name.clone());
            done.push(("accept", name));
        }
        done
    }
}
