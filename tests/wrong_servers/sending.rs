//! Wrong servers: replies that the kernel does not take at once, and the last.

use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{setsockopt, sockopt};

use crate::base::{Connection, Server, Shared, Turn};
use crate::servers::Right;
use crate::wrong::Wrong;

pub(crate) const SERVERS: &[Wrong] =
    &[PARTIAL, BLOCKING, LOST_AT_THE_END, RESET, EXIT];

/// `send`'s result ignored, or taken for "all": what did not fit into the
/// kernel's buffer is gone.
struct Partial;

impl Server for Partial {
    fn send(&self, connection: &mut Connection) -> io::Result<()> {
        let sent = (&connection.socket).write(&connection.unsent);
        connection.unsent.clear();
        match sent {
            Err(e) if e.kind() != ErrorKind::WouldBlock => Err(e),
            _ => Ok(()),
        }
    }
}

const PARTIAL: Wrong = Wrong::new(
    "partial_write_dropped",
    &Partial,
    &[
        "ends_with_a_client_that_never_reads",
        "lets_a_client_that_never_reads_hold_up_nobody",
        "lets_a_slow_reader_hold_up_nobody",
        "stops_reading_from_a_client_that_never_reads",
        "tears_no_stuck_reply_when_it_ends",
    ],
)
.may_fail(&["tears_no_reply_when_it_ends_under_load"]);

/// A socket left blocking, or a `write_all` that waits for room: one client
/// that does not read stops all.
struct Blocking;

impl Server for Blocking {
    fn send(&self, connection: &mut Connection) -> io::Result<()> {
        while !connection.unsent.is_empty() {
            let fd = connection.socket.as_fd();
            let mut room = [PollFd::new(fd, PollFlags::POLLOUT)];
            poll(&mut room, PollTimeout::NONE)?;
            Right.send(connection)?;
        }
        Ok(())
    }
}

const BLOCKING: Wrong = Wrong::new(
    "write_that_waits",
    &Blocking,
    &[
        "ends_with_a_client_that_never_reads",
        "lets_a_client_that_never_reads_hold_up_nobody",
        "lets_a_slow_reader_hold_up_nobody",
    ],
);

/// `if n == 0 { close }`: the peer has sent its last, but it still reads. The
/// unfinished last line, and what was not sent yet, are lost.
struct LostAtTheEnd;

impl Server for LostAtTheEnd {
    fn end_input(
        &self,
        _: &mut Connection,
        _: &mut Shared,
    ) -> io::Result<Turn> {
        Ok(Turn::Over)
    }
}

const LOST_AT_THE_END: Wrong = Wrong::new(
    "replies_lost_at_the_end_of_input",
    &LostAtTheEnd,
    &[
        "answers_a_last_line_that_ends_in_half_a_line_end",
        "answers_an_unfinished_last_line",
    ],
)
.may_fail(&["gives_all_replies_after_a_half_close"]);

/// `SO_LINGER` of 0 seconds, recommended against TIME_WAIT: `close` sends a
/// reset, which overtakes the replies.
struct Reset;

impl Server for Reset {
    fn close(&self, connection: Connection) {
        let at_once = nix::libc::linger { l_onoff: 1, l_linger: 0 };
        let _ = setsockopt(&connection.socket, sockopt::Linger, &at_once);
    }
}

const RESET: Wrong = Wrong::new(
    "reset_instead_of_close",
    &Reset,
    &[
        "answers_a_last_line_that_ends_in_half_a_line_end",
        "answers_an_unfinished_last_line",
        "closes_an_empty_connection_without_a_word",
        "gives_all_replies_after_a_half_close",
        "gives_the_last_reply_when_the_end_comes_with_it",
        "keeps_replies_to_a_reset_client_from_the_next",
        "says_so_if_a_line_too_long_never_ends",
        "sends_nothing_more_after_a_clean_end",
        "serves_all_of_500_connects_at_once",
        "serves_all_who_came_while_it_was_stopped",
    ],
);

/// A signal handler with `exit` in it, as in the article: what had come is not
/// answered, and `close` with unread input is a reset.
struct Exit;

impl Server for Exit {
    fn sees_clients_off(&self) -> bool {
        false
    }
}

const EXIT: Wrong = Wrong::new(
    "exit_at_a_signal",
    &Exit,
    &["tears_no_stuck_reply_when_it_ends"],
)
.may_fail(&[
    "answers_what_had_come_when_the_signal_came",
    "tears_no_reply_when_it_ends_under_load",
]);
