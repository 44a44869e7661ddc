//! What goes wrong the naive way, and right with the remedy.

use serde_json::Value;

use crate::running::{assert_plotted, number, observe};

/// A connect that took so long was sent a second SYN.
const LATE: f64 = 0.9;

#[test]
fn framing_one_recv_is_not_one_message() {
    let Some(seen) = observe("framing") else { return };
    let whole = |row: &&Value| row["replies"] == row["replies_due"];
    let naive = seen.rows_with("server", "one-recv");
    assert_eq!(
        (naive.len(), naive.iter().filter(|r| whole(r)).count()),
        (3, 0)
    );
    let framed = seen.rows_with("server", "04-epoll");
    assert_eq!(
        (framed.len(), framed.iter().filter(|r| whole(r)).count()),
        (3, 3)
    );
}

#[test]
fn backlog_a_short_queue_costs_whole_seconds() {
    let Some(seen) = observe("backlog") else { return };
    let [short, long] = seen.rows();
    let late = |row| number(row, "late");
    assert!(late(short) >= 1.0, "{short}");
    assert!(number(short, "slowest_s") >= LATE, "{short}");
    for counter in ["listen_overflows", "listen_drops", "tcp_timeouts"] {
        assert!(number(short, counter) >= late(short), "{short}");
    }
    assert_eq!(late(long), 0.0, "{long}");
    assert!(number(long, "slowest_s") < LATE, "{long}");
    if seen.own_network() {
        assert_eq!(number(long, "listen_overflows"), 0.0, "{long}");
    }
    assert_plotted("backlog");
}

#[test]
fn ports_a_hundred_give_exactly_a_hundred_connections() {
    let Some(seen) = observe("ports") else { return };
    let expected = [
        (100, "EADDRNOTAVAIL", None), // the client closes first
        (100, "EADDRNOTAVAIL", None), // SO_REUSEADDR
        (100, "EADDRINUSE", None),    // and bind
        (300, "EADDRINUSE", None),    // 3 source addresses
        (200, "EADDRNOTAVAIL", None), // 2 destination ports
        (100, "EADDRNOTAVAIL", Some(100)), // tcp_tw_reuse
        (100, "EADDRINUSE", Some(0)), // and bind
        (100, "EADDRNOTAVAIL", Some(100)), // IP_BIND_ADDRESS_NO_PORT
        (500, "", None),              // SO_LINGER 0
        (500, "", None),              // the server closes first
        (500, "", None),              // one connection kept
    ];
    let rows: [&Value; 11] = seen.rows();
    for (row, (at_once, error, later)) in rows.into_iter().zip(expected) {
        assert_eq!(row["at_once"], at_once, "{row}");
        assert_eq!(row["error"].as_str().unwrap_or(""), error, "{row}");
        assert_eq!(row["a_second_later"].as_u64(), later, "{row}");
    }
    // Only the client that resets is noticed, and each time.
    let resets = rows.map(|row| row["resets"].as_u64());
    let expected = [0, 0, 0, 0, 0, 0, 0, 0, 500, 0, 0];
    assert_eq!(resets, expected.map(Some));
}

#[test]
fn nagle_two_writes_wait_for_a_delayed_ack() {
    let Some(seen) = observe("nagle") else { return };
    let [one, two, nodelay, quick] = seen.rows();
    assert!(number(two, "median_s") >= 0.03, "{two}");
    for row in [one, nodelay, quick] {
        assert!(number(row, "median_s") < 0.03, "{row}");
    }
    assert!(number(two, "delayed_acks") >= 10.0, "{two}");
}

#[test]
fn edge_trigger_who_reads_once_hangs_and_who_drains_does_not() {
    let Some(seen) = observe("edge-trigger") else { return };
    let [edge, level, drained_edge, drained_level] = seen.rows();
    assert!(number(edge, "replies") < 600.0, "{edge}");
    assert_eq!(number(edge, "served"), 1.0, "{edge}");
    for row in [level, drained_edge, drained_level] {
        assert_eq!(number(row, "replies"), 600.0, "{row}");
        assert_eq!(number(row, "served"), 3.0, "{row}");
    }
}

#[test]
fn omission_a_closed_loop_forgets_what_it_did_not_send() {
    let Some(seen) = observe("omission") else { return };
    let [closed, open] = seen.rows();
    assert!(number(closed, "requests") < number(open, "requests"));
    for row in [closed, open] {
        assert!(number(row, "max_s") >= 0.9, "{row}");
    }
    assert!(number(open, "p90_s") >= 0.3, "{open}");
    assert!(number(closed, "p90_s") < number(open, "p90_s") / 2.0, "{closed}");
    assert_plotted("omission");
}
