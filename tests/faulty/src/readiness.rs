//! Faulty servers: edge-triggered reports once, level-triggered again
//! and again.

use nix::sys::epoll::EpollFlags;

use super::server::{Connection, EventLoop, Result, Server};
use super::{FaultyServer, Right};

/// The article's, and every `epoll` tutorial's that adds EPOLLET to a
/// level-triggered loop, with one `recv` for each event: what it did not fetch
/// raises no event again.
struct ReadOnce;

impl Server for ReadOnce {
    fn interest(&self, connection: &Connection) -> EpollFlags {
        Right.interest(connection) | EpollFlags::EPOLLET
    }
}

pub(super) const READ_ONCE: FaultyServer = FaultyServer {
    name: "one-recv-per-edge",
    chapter: "04-edge-level",
    fault: "reads once for each event, edge-triggered",
    server: &ReadOnce,
    fails: &[
        "answers_200000_pipelined_pings",
        "answers_long_lines_as_fast_as_they_come",
        "gives_all_replies_after_a_half_close",
        "gives_the_last_reply_when_the_end_comes_with_it",
        "goes_on_after_a_line_longer_than_its_buffer",
        "goes_on_after_a_line_of_four_megabytes",
        "keeps_nothing_of_a_line_of_48_megabytes",
        "serves_others_beside_a_slow_reader",
        "says_so_if_a_line_too_long_never_ends",
        "serves_all_of_500_connects_at_once",
        "serves_all_clients_that_came_while_it_was_stopped",
        "stops_reading_from_a_client_that_never_reads",
        "keeps_a_client_that_reads_slowly",
    ],
    may_fail: &[
        "serves_others_beside_an_endless_sender",
        "ends_in_time_though_clients_go_on_sending",
        "gives_back_the_descriptors_of_clients_that_leave",
        "answers_an_unfinished_last_line",
        "answers_a_last_line_that_ends_in_half_a_line_end",
        "tears_no_reply_when_it_ends_under_load",
    ],
};

/// The same with the listener: of three clients that come at once, one is
/// accepted, and the others wait until another comes.
struct AcceptOnce;

impl Server for AcceptOnce {
    fn listener_interest(&self, accepting: bool) -> EpollFlags {
        Right.listener_interest(accepting) | EpollFlags::EPOLLET
    }

    fn accept(&self, event_loop: &mut EventLoop) -> Result {
        event_loop.accept().or(Ok(()))
    }
}

pub(super) const ACCEPT_ONCE: FaultyServer = FaultyServer {
    name: "one-accept-per-edge",
    chapter: "04-edge-level",
    fault: "accepts once for each event, edge-triggered",
    server: &AcceptOnce,
    fails: &[
        "accepts_the_next_client_when_it_fills_as_one_leaves",
        "serves_3000_connections_at_once",
        "serves_all_of_500_connects_at_once",
        "serves_all_clients_that_came_while_it_was_stopped",
    ],
    may_fail: &[
        "survives_resets_before_anything_is_sent",
        "survives_clients_that_leave_without_a_word",
        "survives_resets_right_after_a_line",
        "survives_resets_in_the_middle_of_a_line",
        "survives_resets_with_replies_pending",
        "survives_clients_that_do_not_wait_for_replies",
        "serves_others_beside_a_silent_client",
        "serves_others_beside_an_endless_sender",
        "gives_each_of_100_clients_its_own_replies",
        "serves_on_at_the_descriptor_limit",
        "bears_to_run_out_of_descriptors",
        "lets_clients_past_max_connections_wait",
        "keeps_nothing_of_a_line_of_48_megabytes",
        "gives_back_the_descriptors_of_clients_that_leave",
        "gives_back_the_descriptors_of_clients_that_reset",
        "gives_back_what_300_connections_took",
        "stays_calm_with_idle_clients",
        "goes_on_after_a_stop_with_many_clients",
        "serves_without_a_stdout",
        "closes_silent_clients_after_the_idle_timeout",
        "ends_in_time_though_clients_go_on_sending",
        "keeps_a_client_that_sent_while_it_was_stopped",
        "keeps_a_client_that_reads_slowly",
        "closes_a_silent_client_however_often_it_is_stopped",
        "stays_calm_while_a_byte_before_urgent_data_is_missing",
    ],
};

/// EPOLLET for the listener of a loop that accepts all, but for a limit. A full
/// server leaves clients in the queue, and registers for them when its interest
/// changes. Where one leaves in the same turn it does not change: full and not
/// full again are the same as never full.
struct QueueForgotten;

impl Server for QueueForgotten {
    fn listener_interest(&self, accepting: bool) -> EpollFlags {
        Right.listener_interest(accepting) | EpollFlags::EPOLLET
    }
}

pub(super) const QUEUE_FORGOTTEN: FaultyServer = FaultyServer {
    name: "full-queue-never-asked-for-again",
    chapter: "04-fairness",
    fault: "forgets the clients in the accept queue",
    server: &QueueForgotten,
    fails: &["accepts_the_next_client_when_it_fills_as_one_leaves"],
    may_fail: &[],
};

/// `EPOLLIN | EPOLLOUT` from the start, level-triggered: a socket is writable
/// nearly always, and so `epoll_wait` never waits.
struct AlwaysWritable;

impl Server for AlwaysWritable {
    fn interest(&self, connection: &Connection) -> EpollFlags {
        Right.interest(connection) | EpollFlags::EPOLLOUT
    }
}

pub(super) const ALWAYS_WRITABLE: FaultyServer = FaultyServer {
    name: "epollout-always-on",
    chapter: "04-state-machine",
    fault: "asks to write with nothing to send",
    server: &AlwaysWritable,
    fails: &[
        "bears_to_run_out_of_descriptors",
        "serves_on_at_the_descriptor_limit",
        "stays_calm_with_idle_clients",
        "stays_calm_while_a_byte_before_urgent_data_is_missing",
    ],
    may_fail: &[],
};

/// The limit on unsent replies looked at where bytes are read, and not where the
/// interest is told: level-triggered reports what is not read again and again.
struct LeftUnread;

impl Server for LeftUnread {
    fn interest(&self, connection: &Connection) -> EpollFlags {
        let mut interest = Right.interest(connection);
        interest.set(EpollFlags::EPOLLIN, !connection.ended);
        interest
    }

    fn receive(
        &self,
        connection: &mut Connection,
        buffer: &mut [u8],
    ) -> Result {
        if Right.interest(connection).contains(EpollFlags::EPOLLIN) {
            return Right.receive(connection, buffer);
        }
        Ok(())
    }
}

pub(super) const LEFT_UNREAD: FaultyServer = FaultyServer {
    name: "epollin-on-with-a-full-outbox",
    chapter: "04-backpressure",
    fault: "waits for bytes that it does not read",
    server: &LeftUnread,
    fails: &["stops_reading_from_a_client_that_never_reads"],
    may_fail: &[],
};

/// "Until it would block", which a client that sends without end never lets
/// happen.
struct Greedy;

impl Server for Greedy {
    fn receive(
        &self,
        connection: &mut Connection,
        buffer: &mut [u8],
    ) -> Result {
        while !connection.ended && connection.socket.peek(buffer).is_ok() {
            Right.receive(connection, buffer)?;
            self.flush(connection)?;
        }
        Ok(())
    }
}

pub(super) const GREEDY: FaultyServer = FaultyServer {
    name: "reads-until-it-would-block",
    chapter: "04-fairness",
    fault: "has no bound on a turn",
    server: &Greedy,
    fails: &["serves_others_beside_an_endless_sender"],
    may_fail: &[
        "tears_no_reply_when_it_ends_under_load",
        "ends_in_time_though_clients_go_on_sending",
    ],
};

/// EPOLLPRI, to hear of urgent data: it is reported, too, where `recv` says
/// EAGAIN.
struct Urgent;

impl Server for Urgent {
    fn interest(&self, connection: &Connection) -> EpollFlags {
        Right.interest(connection) | EpollFlags::EPOLLPRI
    }
}

pub(super) const URGENT: FaultyServer = FaultyServer {
    name: "epollpri-level-triggered",
    chapter: "04-edge-level",
    fault: "waits for urgent data, level-triggered",
    server: &Urgent,
    fails: &["stays_calm_while_a_byte_before_urgent_data_is_missing"],
    may_fail: &[],
};
