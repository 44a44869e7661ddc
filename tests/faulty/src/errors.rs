//! Faulty servers: what a system call says when it fails.

use std::io;
use std::os::fd::IntoRawFd;

use nix::sys::epoll::EpollFlags;

use super::FaultyServer;
use super::server::{Connection, EventLoop, Result, Server};

/// The article's: a descriptor that is only a number, and an error after which
/// `close` is not called.
struct Leak;

impl Server for Leak {
    fn close(&self, connection: Connection, result: Result) -> Result {
        if result.is_err() {
            let _number = connection.socket.into_raw_fd();
        }
        Ok(())
    }
}

pub(super) const LEAK: FaultyServer = FaultyServer {
    name: "descriptor-leaked-on-reset",
    chapter: "04-state-machine",
    fault: "never closes what has failed",
    server: &Leak,
    fails: &["gives_back_the_descriptors_of_clients_that_reset"],
    may_fail: &[],
};

/// `?` on what is one connection's error, or SIGPIPE in C: one peer that
/// resets ends the server for all.
struct FatalReset;

impl Server for FatalReset {
    fn close(&self, _: Connection, result: Result) -> Result {
        result
    }
}

pub(super) const FATAL_RESET: FaultyServer = FaultyServer {
    name: "one-reset-ends-all",
    chapter: "01-close",
    fault: "takes one client's error for its own",
    server: &FatalReset,
    fails: &[
        "gives_back_the_descriptors_of_clients_that_reset",
        "keeps_replies_to_a_reset_client_from_the_next",
        "serves_when_the_reader_of_its_stdout_has_left",
        "survives_resets_before_anything_is_sent",
        "survives_resets_in_the_middle_of_a_line",
        "survives_resets_right_after_a_line",
        "survives_resets_with_replies_pending",
    ],
    may_fail: &[
        "survives_clients_that_do_not_wait_for_replies",
        "serves_others_beside_an_endless_sender",
        "serves_others_beside_a_client_that_never_reads",
    ],
};

/// `perror("epoll_wait"); exit(1)`: Ctrl-Z and `fg` are enough, since a stop
/// interrupts `epoll_wait` even where no handler runs.
struct FatalStop;

impl Server for FatalStop {
    fn after_failed_wait(&self, _: &mut EventLoop, e: io::Error) -> Result {
        Err(e)
    }
}

pub(super) const FATAL_STOP: FaultyServer = FaultyServer {
    name: "interrupted-wait-ends-all",
    chapter: "04-epoll",
    fault: "takes EINTR from epoll_wait for fatal",
    server: &FatalStop,
    fails: &[
        "answers_what_had_come_when_the_signal_came",
        "goes_on_after_a_stop",
        "goes_on_after_a_stop_with_many_clients",
        "keeps_replies_to_a_reset_client_from_the_next",
        "accepts_the_next_client_when_it_fills_as_one_leaves",
        "serves_all_clients_that_came_while_it_was_stopped",
        "closes_a_silent_client_however_often_it_is_stopped",
        "keeps_a_client_that_sent_while_it_was_stopped",
    ],
    may_fail: &[],
};

/// `Err(e) => eprintln!("{e}")` in the loop that accepts: out of descriptors,
/// it does nothing else any more, 700,000 times in two seconds.
struct Spin;

impl Server for Spin {
    fn after_failed_accept(&self, _: &mut EventLoop, e: io::Error) -> Result {
        eprintln!("[!] accept failed: {e}");
        Ok(())
    }
}

pub(super) const SPIN: FaultyServer = FaultyServer {
    name: "accept-spins-out-of-descriptors",
    chapter: "01-close",
    fault: "tries accept again at once after EMFILE",
    server: &Spin,
    fails: &[
        "bears_to_run_out_of_descriptors",
        "serves_on_at_the_descriptor_limit",
    ],
    may_fail: &[],
};

/// `listener.accept()?`: one client too many ends the server for all.
struct FatalLimit;

impl Server for FatalLimit {
    fn after_failed_accept(&self, _: &mut EventLoop, e: io::Error) -> Result {
        Err(e)
    }
}

pub(super) const FATAL_LIMIT: FaultyServer = FaultyServer {
    name: "out-of-descriptors-ends-all",
    chapter: "02-threads",
    fault: "takes EMFILE from accept for fatal",
    server: &FatalLimit,
    fails: &[
        "bears_to_run_out_of_descriptors",
        "serves_on_at_the_descriptor_limit",
    ],
    may_fail: &[],
};

/// Out of descriptors, back to `epoll_wait`, but with the listener still in the
/// set: level-triggered, it reports the queue again and again.
struct LevelSpin;

impl Server for LevelSpin {
    fn listener_interest(&self, _: bool) -> EpollFlags {
        EpollFlags::EPOLLIN
    }
}

pub(super) const LEVEL_SPIN: FaultyServer = FaultyServer {
    name: "listener-left-on-out-of-descriptors",
    chapter: "04-edge-level",
    fault: "waits for clients it has no descriptor for",
    server: &LevelSpin,
    fails: &[
        "bears_to_run_out_of_descriptors",
        "serves_on_at_the_descriptor_limit",
    ],
    may_fail: &[],
};
