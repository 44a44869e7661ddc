//! The order in which a server comes to pass: one table.
//!
//! A stage is what a server can do next. Each case belongs to one; beside it
//! stands why a client, or the operator, would care. The first case
//! of a stage is quick, and says most plainly what the stage is about.

use crate::{Case, all_cases};

/// One step of a server's way.
#[derive(Debug)]
pub struct Stage {
    /// Its place in the order.
    pub number: usize,
    /// What the server can do with it.
    pub adds: &'static str,
    entries: &'static [Entry],
}

/// A case's name, and why it matters.
type Entry = (&'static str, &'static str);

impl Stage {
    /// Its cases, in the order in which to look at them.
    pub fn cases(&self) -> impl Iterator<Item = &'static Case> {
        self.entries
            .iter()
            .filter_map(|(name, _)| all_cases().find(|case| case.name == *name))
    }

    /// Why `case`, one of this stage's, matters.
    #[must_use]
    pub fn why(&self, case: &Case) -> &'static str {
        let entry = self.entries.iter().find(|(name, _)| *name == case.name);
        entry.map_or("", |(_, why)| why)
    }
}

/// All stages, in order.
pub static STAGES: [Stage; 9] = [
    Stage { number: 0, adds: "the article's server", entries: ARTICLE },
    Stage {
        number: 1,
        adds: "all clients get in, and none ends the server",
        entries: SURVIVE,
    },
    Stage { number: 2, adds: "lines, and bytes are bytes", entries: LINES },
    Stage { number: 3, adds: "a limit on a line", entries: LIMIT },
    Stage { number: 4, adds: "replies that have to wait", entries: OUTBOX },
    Stage { number: 5, adds: "the end of the input", entries: END },
    Stage { number: 6, adds: "signals", entries: SIGNALS },
    Stage { number: 7, adds: "the limits of the system", entries: LIMITS },
    Stage { number: 8, adds: "the two options", entries: OPTIONS },
];

const ARTICLE: &[Entry] = &[
    ("answers_ping_with_pong", "it is what the server is for"),
    ("answers_ping_in_any_case", "the protocol says so: PING is ping"),
    (
        "sends_any_other_line_back",
        "a line that only begins with ping is not ping",
    ),
    ("keeps_the_connection_for_the_next_line", "a client asks more than once"),
    (
        "takes_a_telnet_line_end_for_a_line_end",
        "telnet ends its lines with \\r\\n",
    ),
    ("accepts_a_line_of_1000_bytes", "the protocol promises that much"),
    (
        "sends_nothing_more_after_a_clean_end",
        "the end of the input is not a line",
    ),
    (
        "closes_an_empty_connection_without_a_word",
        "a client may change its mind",
    ),
    (
        "gives_the_last_reply_when_the_end_comes_with_it",
        "`printf 'ping\\n' | nc -N` sends both at once",
    ),
    (
        "serves_a_second_client_beside_the_first",
        "a client that stays connected must not keep the others out",
    ),
    (
        "lets_the_second_client_wait_for_the_first",
        "one at a time: the second is served when the first has left",
    ),
    (
        "survives_clients_that_leave_without_a_word",
        "clients crash, and port scanners say nothing",
    ),
    (
        "stays_calm_with_idle_clients",
        "a loop that never waits takes a whole core",
    ),
    (
        "says_that_its_port_is_in_use",
        "a server that runs and serves no client is found out last",
    ),
];

const SURVIVE: &[Entry] = &[
    (
        "survives_resets_right_after_a_line",
        "any client can send a reset; it may end its own connection alone",
    ),
    (
        "survives_resets_before_anything_is_sent",
        "the same, right after connect",
    ),
    ("survives_resets_in_the_middle_of_a_line", "the same, half a line later"),
    (
        "survives_resets_with_replies_pending",
        "send to a client that is gone fails, or raises SIGPIPE",
    ),
    (
        "survives_clients_that_do_not_wait_for_replies",
        "a close with replies unread is a reset, too",
    ),
    (
        "keeps_replies_to_a_reset_client_from_the_next",
        "what one client sent is nothing for another",
    ),
    ("goes_on_after_a_stop", "Ctrl-Z and fg interrupt a call: EINTR"),
    ("goes_on_after_a_stop_with_many_clients", "the same, with events waiting"),
    (
        "serves_others_beside_a_silent_client",
        "a client may connect and say nothing for hours",
    ),
    (
        "serves_others_beside_an_endless_sender",
        "a client that sends without end must leave the others their turn",
    ),
    (
        "serves_all_clients_that_came_while_it_was_stopped",
        "a backlog of 5 drops the rest; and one event may tell of them all",
    ),
    (
        "serves_all_of_500_connects_at_once",
        "a backlog of 5 drops handshakes: clients wait for whole seconds",
    ),
    (
        "gives_back_the_descriptors_of_clients_that_leave",
        "one descriptor lost a client, and the server ends after 1,024",
    ),
    (
        "gives_back_the_descriptors_of_clients_that_reset",
        "the same, after a reset",
    ),
    (
        "gives_back_what_300_connections_took",
        "descriptors, and threads as well",
    ),
    ("serves_3000_connections_at_once", "a busy server has thousands"),
];

const LINES: &[Entry] = &[
    (
        "answers_every_line_of_one_write",
        "TCP is a stream: one recv may bring three lines, or half of one",
    ),
    (
        "reassembles_a_ping_split_across_writes",
        "TCP may cut a line anywhere, and the rest comes later",
    ),
    ("answers_an_empty_line", "a line of no bytes is a line"),
    (
        "strips_one_carriage_return_and_no_more",
        "one \\r before the \\n is telnet's; any other byte is the line's",
    ),
    (
        "does_not_cut_a_line_at_a_nul",
        "strlen and %s stop at a NUL; TCP does not",
    ),
    ("sends_every_byte_back_unchanged", "a line need not be text, or UTF-8"),
    (
        "gives_the_same_replies_wherever_the_cut_is",
        "what the network does to the stream must make no difference",
    ),
    ("reads_a_conversation_byte_by_byte", "slow networks and typists do that"),
    (
        "answers_a_thousand_lines_of_one_write_in_order",
        "pipelining clients do not wait for each reply",
    ),
    (
        "gives_each_of_100_clients_its_own_replies",
        "half a line of one client must not meet half a line of another",
    ),
];

const LIMIT: &[Entry] = &[
    (
        "says_once_that_a_line_is_too_long",
        "without a limit one client can fill the memory",
    ),
    ("does_not_count_the_line_end", "1,000 bytes and \\r\\n are allowed"),
    (
        "finds_the_limit_in_a_line_that_comes_in_pieces",
        "the limit is the line's, however it is cut",
    ),
    (
        "says_so_if_a_line_too_long_never_ends",
        "a client that never sends \\n must hear of its mistake",
    ),
    (
        "goes_on_after_a_line_longer_than_its_buffer",
        "the next line is a new one",
    ),
    ("goes_on_after_a_line_of_four_megabytes", "the same, for a long while"),
    (
        "keeps_nothing_of_a_line_of_48_megabytes",
        "a hundred such clients would be 1.6 GB",
    ),
];

const OUTBOX: &[Entry] = &[
    (
        "stops_reading_from_a_client_that_never_reads",
        "its replies would fill the memory, or be lost",
    ),
    (
        "serves_others_beside_a_client_that_never_reads",
        "one stalled client must not stop the loop for the others",
    ),
    ("serves_others_beside_a_slow_reader", "slow networks are common"),
    (
        "answers_200000_pipelined_pings",
        "send may take a part of the replies; the rest must follow",
    ),
    ("answers_long_lines_as_fast_as_they_come", "the same, with long replies"),
];

const END: &[Entry] = &[
    (
        "answers_an_unfinished_last_line",
        "`printf ping | nc -N` sends no \\n and expects a pong",
    ),
    (
        "answers_a_last_line_that_ends_in_half_a_line_end",
        "a telnet line end may be cut in two",
    ),
    (
        "gives_all_replies_after_a_half_close",
        "a client that has sent all may still be reading",
    ),
];

const SIGNALS: &[Entry] = &[
    (
        "ends_with_status_0_on_sigterm",
        "SIGTERM is how a service is stopped; status 0 says that nothing failed",
    ),
    ("ends_with_status_0_on_sigint", "Ctrl-C is no failure"),
    (
        "answers_what_had_come_when_the_signal_came",
        "a request that was received has its reply",
    ),
    (
        "ends_with_idle_clients_connected",
        "a stop must not wait for clients that stay",
    ),
    ("ends_with_a_client_that_never_reads", "nor for one that does not read"),
    (
        "ends_in_time_though_clients_go_on_sending",
        "the end must not depend on what clients do",
    ),
    (
        "ends_on_signals_that_its_parent_had_blocked",
        "a mask is inherited, and then no signal arrives",
    ),
    (
        "tears_no_reply_when_it_ends_under_load",
        "half a reply is worse than none: a client may take it for whole",
    ),
    (
        "tears_no_stuck_reply_when_it_ends",
        "a close with input unread is a reset, which throws replies away",
    ),
];

const LIMITS: &[Entry] = &[
    (
        "serves_when_the_reader_of_its_stdout_has_left",
        "`| head` ends, and the next print fails: EPIPE, SIGPIPE, a panic",
    ),
    (
        "serves_while_its_stdout_is_not_read",
        "a full pipe makes print wait, and with it all clients",
    ),
    (
        "stays_calm_while_a_byte_before_urgent_data_is_missing",
        "one segment, and an event loop that waits for EPOLLPRI never sleeps",
    ),
    (
        "serves_without_a_stdout",
        "a service may be started with stdout closed: then descriptor 1 is a \
         socket",
    ),
    (
        "serves_on_at_the_descriptor_limit",
        "accept fails with EMFILE: the server must neither end nor spin",
    ),
];

const OPTIONS: &[Entry] = &[
    (
        "lets_clients_past_max_connections_wait",
        "the accept queue holds them until one leaves",
    ),
    (
        "closes_silent_clients_after_the_idle_timeout",
        "dead clients would keep the room of others without end",
    ),
    (
        "closes_a_silent_client_however_often_it_is_stopped",
        "a stop interrupts a wait; time passes all the same",
    ),
    (
        "keeps_a_client_that_sent_while_it_was_stopped",
        "it was the server that was silent: its line waits to be read",
    ),
    (
        "keeps_a_client_that_reads_slowly",
        "a slow network is no silence: it would lose the rest of its replies",
    ),
    (
        "accepts_the_next_client_when_it_fills_as_one_leaves",
        "a client that waits must not be forgotten",
    ),
    (
        "bears_to_run_out_of_descriptors",
        "a limit above that of the system does not help",
    ),
];

#[cfg(test)]
mod tests {
    use super::STAGES;
    use crate::all_cases;

    #[test]
    fn each_case_is_in_one_stage() {
        let entries = || STAGES.iter().flat_map(|stage| stage.entries);
        for case in all_cases() {
            let name = case.name;
            let count = entries().filter(|entry| entry.0 == name).count();
            assert_eq!(count, 1, "{name} must be once in stages.rs");
        }
        for (name, why) in entries() {
            let case = all_cases().find(|case| case.name == *name);
            assert!(case.is_some(), "stages.rs names a case {name}");
            assert!(!why.is_empty(), "{name} matters for some reason");
        }
    }
}
