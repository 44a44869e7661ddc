//! Faulty servers: replies that the kernel does not take at once, and the last.

use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{setsockopt, sockopt};

use super::server::{Connection, EventLoop, Result, Server};
use super::{FaultyServer, Right};

/// `send`'s result ignored, or taken for "all": what did not fit into the
/// kernel's buffer is gone.
struct Partial;

impl Server for Partial {
    fn flush(&self, connection: &mut Connection) -> Result {
        let sent = (&connection.socket).write(&connection.outbox);
        connection.outbox.clear();
        match sent {
            Err(e) if e.kind() != ErrorKind::WouldBlock => Err(e),
            _ => Ok(()),
        }
    }
}

pub(super) const PARTIAL: FaultyServer = FaultyServer {
    name: "partial-write-dropped",
    chapter: "04-backpressure",
    fault: "takes every send for a whole one",
    server: &Partial,
    fails: &[
        "ends_with_a_client_that_never_reads",
        "serves_others_beside_a_client_that_never_reads",
        "serves_others_beside_a_slow_reader",
        "stops_reading_from_a_client_that_never_reads",
        "tears_no_stuck_reply_when_it_ends",
        "keeps_a_client_that_reads_slowly",
    ],
    may_fail: &[
        "gives_all_replies_after_a_half_close",
        "answers_200000_pipelined_pings",
        "answers_long_lines_as_fast_as_they_come",
        "tears_no_reply_when_it_ends_under_load",
        "ends_in_time_though_clients_go_on_sending",
    ],
};

/// A socket left blocking, or a `write_all` that waits for room: one client
/// that does not read stops all.
struct Blocking;

impl Server for Blocking {
    fn flush(&self, connection: &mut Connection) -> Result {
        while !connection.outbox.is_empty() {
            let fd = connection.socket.as_fd();
            let mut room = [PollFd::new(fd, PollFlags::POLLOUT)];
            poll(&mut room, PollTimeout::NONE)?;
            Right.flush(connection)?;
        }
        Ok(())
    }
}

pub(super) const BLOCKING: FaultyServer = FaultyServer {
    name: "write-that-waits",
    chapter: "04-backpressure",
    fault: "waits in the loop until a client reads",
    server: &Blocking,
    fails: &[
        "ends_with_a_client_that_never_reads",
        "serves_others_beside_a_client_that_never_reads",
        "serves_others_beside_a_slow_reader",
    ],
    may_fail: &[
        "keeps_a_client_that_reads_slowly",
        "tears_no_reply_when_it_ends_under_load",
        "ends_in_time_though_clients_go_on_sending",
    ],
};

/// `if n == 0 { close }`: the peer has sent its last, but it still reads. The
/// unfinished last line, and what was not sent yet, are lost.
struct LostAtTheEnd;

impl Server for LostAtTheEnd {
    fn finish(&self, connection: &mut Connection) -> Result {
        connection.outbox.clear();
        connection.ended = true;
        Ok(())
    }
}

pub(super) const LOST_AT_THE_END: FaultyServer = FaultyServer {
    name: "replies-lost-at-the-end-of-input",
    chapter: "01-close",
    fault: "closes as soon as recv returns 0",
    server: &LostAtTheEnd,
    fails: &[
        "answers_a_last_line_that_ends_in_half_a_line_end",
        "answers_an_unfinished_last_line",
    ],
    may_fail: &["gives_all_replies_after_a_half_close"],
};

/// `SO_LINGER` of 0 seconds, recommended against TIME_WAIT: `close` sends a
/// reset, which overtakes the replies.
struct Reset;

impl Server for Reset {
    fn close(&self, connection: Connection, _: Result) -> Result {
        let at_once = nix::libc::linger { l_onoff: 1, l_linger: 0 };
        let _ = setsockopt(&connection.socket, sockopt::Linger, &at_once);
        Ok(())
    }
}

pub(super) const RESET: FaultyServer = FaultyServer {
    name: "reset-instead-of-close",
    chapter: "04-draining",
    fault: "resets where it should close (SO_LINGER 0)",
    server: &Reset,
    fails: &[
        "answers_a_last_line_that_ends_in_half_a_line_end",
        "answers_an_unfinished_last_line",
        "closes_an_empty_connection_without_a_word",
        "gives_all_replies_after_a_half_close",
        "gives_the_last_reply_when_the_end_comes_with_it",
        "keeps_replies_to_a_reset_client_from_the_next",
        "says_so_if_a_line_too_long_never_ends",
        "sends_nothing_more_after_a_clean_end",
        "serves_all_of_500_connects_at_once",
        "serves_all_clients_that_came_while_it_was_stopped",
    ],
    may_fail: &[],
};

/// A signal handler with `exit` in it, as in the article: what had come is not
/// answered, and `close` with unread input is a reset.
struct Exit;

impl Server for Exit {
    fn shut_down(&self, event_loop: &mut EventLoop) -> Result {
        event_loop.connections.clear();
        Ok(())
    }
}

pub(super) const EXIT: FaultyServer = FaultyServer {
    name: "exit-at-a-signal",
    chapter: "01-signals",
    fault: "exits at once when a signal comes",
    server: &Exit,
    fails: &["tears_no_stuck_reply_when_it_ends"],
    may_fail: &[
        "answers_what_had_come_when_the_signal_came",
        "tears_no_reply_when_it_ends_under_load",
    ],
};

/// Answers all that comes before it ends, until there is a pause: a client that
/// sends on decides when that is.
struct EndlessDrain;

impl Server for EndlessDrain {
    fn shut_down(&self, event_loop: &mut EventLoop) -> Result {
        for fd in event_loop.fds() {
            let mut pause_ms = 0;
            while has_input(event_loop.connections.get(&fd), pause_ms) {
                event_loop.serve(fd)?;
                pause_ms = 200;
            }
        }
        Right.shut_down(event_loop)
    }
}

fn has_input(connection: Option<&Connection>, timeout_ms: u8) -> bool {
    connection.is_some_and(|Connection { socket, .. }| {
        let mut fds = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, timeout_ms).is_ok_and(|ready| ready > 0)
            && socket.peek(&mut [0]).is_ok_and(|count| count > 0)
    })
}

pub(super) const ENDLESS_DRAIN: FaultyServer = FaultyServer {
    name: "drain-as-long-as-bytes-come",
    chapter: "04-draining",
    fault: "answers all that comes before it ends",
    server: &EndlessDrain,
    fails: &[
        "ends_in_time_though_clients_go_on_sending",
        "ends_with_a_client_that_never_reads",
    ],
    may_fail: &["tears_no_reply_when_it_ends_under_load"],
};
