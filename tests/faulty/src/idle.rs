//! Faulty servers: which client is idle, and when.

use std::io;
use std::os::fd::RawFd;
use std::time::Instant;

use super::server::{EventLoop, Result, Server};
use super::{FaultyServer, Right};

/// The clock first, then the sockets: after a stop of the whole process every
/// client has been silent for too long.
struct ClockFirst;

impl Server for ClockFirst {
    fn close_idle(&self, event_loop: &mut EventLoop, fd: RawFd) -> Result {
        event_loop.drain(fd)
    }
}

pub(super) const CLOCK_FIRST: FaultyServer = FaultyServer {
    name: "idle-though-a-line-is-waiting",
    chapter: "04-fairness",
    fault: "looks at the clock before the sockets",
    server: &ClockFirst,
    fails: &["keeps_a_client_that_sent_while_it_was_stopped"],
    may_fail: &[],
};

/// A wait that was interrupted is taken for one in which something came, as by
/// the timeout of `recv`.
struct StopIsActivity;

impl Server for StopIsActivity {
    fn after_failed_wait(&self, el: &mut EventLoop, e: io::Error) -> Result {
        for connection in el.connections.values_mut() {
            connection.last_active = Instant::now();
        }
        Right.after_failed_wait(el, e)
    }
}

pub(super) const STOP_IS_ACTIVITY: FaultyServer = FaultyServer {
    name: "idle-timeout-begun-anew",
    chapter: "04-fairness",
    fault: "begins the idle timeout anew at each EINTR",
    server: &StopIsActivity,
    fails: &["closes_a_silent_client_however_often_it_is_stopped"],
    may_fail: &[],
};
