//! What one way costs, compared to another.

use crate::running::{assert_plotted, number, observe};

#[test]
fn zero_copy_costs_a_pong_more_and_saves_files_a_copy() {
    let Some(seen) = observe("zero-copy") else { return };
    let rows: [_; 7] = seen.rows();
    let pong = rows[0];
    assert_eq!(number(pong, "bytes"), 5.0);
    assert!(number(pong, "sendfile_ratio") > 1.0, "{pong}");
    let cheaper = |row| number(row, "sendfile_to_both_ratio") < 1.0;
    assert!(rows[2..].iter().any(|row| cheaper(row)), "{rows:?}");
    let a_byte = |row| number(row, "send_s") / number(row, "bytes");
    assert!(a_byte(pong) > 20.0 * a_byte(rows[6]), "{rows:?}");
    assert_plotted("zero-copy");
}

#[test]
fn pool_a_kept_connection_is_faster_and_leaves_no_ports_behind() {
    let Some(seen) = observe("pool") else { return };
    let [new, kept] = seen.rows();
    // Neither the requests per second nor the server's CPU time for each: on a
    // busy machine both depend on how many clients it finds ready at once.
    assert!(number(kept, "p50_s") < number(new, "p50_s"), "{new} {kept}");
    assert_eq!(number(new, "failed") + number(kept, "failed"), 0.0);
    if seen.own_network() {
        assert!(number(new, "time_wait") > 1_500.0, "{new}");
        assert!(number(kept, "time_wait") <= 4.0, "{kept}");
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

#[test]
fn c10k_a_thread_costs_many_times_what_a_struct_costs() {
    let Some(seen) = observe("c10k") else { return };
    let [threads, epoll] = seen.rows();
    let asked = seen.value("asked");
    assert_eq!(&epoll["clients"], asked, "{epoll}");
    assert_eq!(number(epoll, "threads"), 1.0, "{epoll}");
    let clients = number(threads, "clients");
    assert!(number(threads, "threads") > clients, "{threads}");
    let each = |row| number(row, "resident") / number(row, "clients");
    assert!(each(threads) > 10.0 * each(epoll), "{threads} {epoll}");
    assert_plotted("c10k");
}
