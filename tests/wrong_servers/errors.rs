//! Wrong servers: what a system call says when it fails.

use std::io;
use std::os::fd::IntoRawFd;

use crate::base::{Connection, EventLoop, Server};
use crate::wrong::Wrong;

pub(crate) const SERVERS: &[Wrong] =
    &[LEAK, FATAL_RESET, FATAL_STOP, SPIN, FATAL_LIMIT, LEVEL_SPIN];

/// The article's: a descriptor that is only a number, and an error after which
/// nobody calls `close`.
struct Leak;

impl Server for Leak {
    fn after_failure(
        &self,
        connection: Connection,
        _: io::Error,
    ) -> io::Result<()> {
        let _number = connection.socket.into_raw_fd();
        Ok(())
    }
}

const LEAK: Wrong = Wrong::new(
    "descriptor_leaked_on_reset",
    &Leak,
    &["gives_back_the_descriptors_of_all_who_reset"],
);

/// `?` on what is one connection's error, or SIGPIPE in C: one peer that
/// resets ends the server for all.
struct FatalReset;

impl Server for FatalReset {
    fn after_failure(&self, _: Connection, e: io::Error) -> io::Result<()> {
        Err(e)
    }
}

const FATAL_RESET: Wrong = Wrong::new(
    "one_reset_ends_all",
    &FatalReset,
    &[
        "gives_back_the_descriptors_of_all_who_reset",
        "keeps_replies_to_a_reset_client_from_the_next",
        "survives_resets_before_anything_is_sent",
        "survives_resets_in_the_middle_of_a_line",
        "survives_resets_right_after_a_line",
        "survives_resets_with_replies_pending",
    ],
)
.may_fail(&[
    "survives_clients_that_do_not_wait_for_replies",
    "lets_a_fire_hose_starve_nobody",
    "lets_a_client_that_never_reads_hold_up_nobody",
]);

/// `perror("epoll_wait"); exit(1)`: Ctrl-Z and `fg` are enough, since a stop
/// interrupts `epoll_wait` even where no handler runs.
struct FatalStop;

impl Server for FatalStop {
    fn after_failed_wait(&self, error: io::Error) -> io::Result<()> {
        Err(error)
    }
}

const FATAL_STOP: Wrong = Wrong::new(
    "interrupted_wait_ends_all",
    &FatalStop,
    &[
        "answers_what_had_come_when_the_signal_came",
        "goes_on_after_a_stop",
        "goes_on_after_a_stop_with_many_clients",
        "keeps_replies_to_a_reset_client_from_the_next",
        "lets_in_who_waits_when_it_fills_as_one_leaves",
        "serves_all_who_came_while_it_was_stopped",
    ],
);

/// `Err(e) => eprintln!("{e}")` in the loop that accepts: out of descriptors,
/// it does nothing else any more, 700,000 times in two seconds.
struct Spin;

impl Server for Spin {
    fn try_at_once(
        &self,
        _: &mut EventLoop,
        error: &io::Error,
    ) -> io::Result<bool> {
        eprintln!("[!] accept failed: {error}");
        Ok(true)
    }
}

const SPIN: Wrong = Wrong::new(
    "accept_spins_out_of_descriptors",
    &Spin,
    &[
        "bears_to_run_out_of_descriptors",
        "serves_whom_it_can_at_the_descriptor_limit",
    ],
);

/// `listener.accept()?`: one client too many ends the server for all.
struct FatalLimit;

impl Server for FatalLimit {
    fn try_at_once(
        &self,
        _: &mut EventLoop,
        error: &io::Error,
    ) -> io::Result<bool> {
        Err(io::Error::from(error.kind()))
    }
}

const FATAL_LIMIT: Wrong = Wrong::new(
    "out_of_descriptors_ends_all",
    &FatalLimit,
    &[
        "bears_to_run_out_of_descriptors",
        "serves_whom_it_can_at_the_descriptor_limit",
    ],
);

/// Out of descriptors, back to `epoll_wait`, but with the listener still in the
/// set: level-triggered, it reports the queue again and again.
struct LevelSpin;

impl Server for LevelSpin {
    fn edge_triggered(&self) -> bool {
        false
    }

    fn try_at_once(
        &self,
        _: &mut EventLoop,
        _: &io::Error,
    ) -> io::Result<bool> {
        Ok(false)
    }
}

const LEVEL_SPIN: Wrong = Wrong::new(
    "listener_left_on_out_of_descriptors",
    &LevelSpin,
    &[
        "bears_to_run_out_of_descriptors",
        "serves_whom_it_can_at_the_descriptor_limit",
    ],
);
