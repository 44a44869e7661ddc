//! What one way costs, in CPU time or memory, compared to another.

use std::path::Path;

use crate::running::{LABS, assert_plotted, number, observe};

#[test]
fn zero_copy_costs_a_pong_more_and_saves_files_a_copy() {
    let Some(seen) = observe("zero-copy") else { return };
    let rows: [_; 7] = seen.rows();
    let pong = rows[0];
    assert_eq!(number(pong, "message_bytes"), 5.0);
    assert!(number(pong, "sendfile_over_send_ratio") > 1.0, "{pong}");
    let cheaper = |row| number(row, "sendfile_over_both_ratio") < 1.0;
    assert!(rows[2..].iter().any(|row| cheaper(row)), "{rows:?}");
    let a_byte = |row| number(row, "send_a_byte_ns");
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
    if seen.own_network() {
        assert!(number(new, "time_wait") > 1_500.0, "{new}");
        assert!(number(kept, "time_wait") <= 4.0, "{kept}");
    }
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
    let each = |row| number(row, "resident_bytes") / number(row, "clients");
    assert!(each(threads) > 10.0 * each(epoll), "{threads} {epoll}");
    assert_plotted("c10k");
}

#[test]
fn descriptors_who_accepts_again_at_once_spins() {
    let Some(seen) = observe("descriptors") else { return };
    let [naive, threads, epoll] = seen.rows();
    for row in [threads, epoll] {
        assert!(number(row, "errors_logged") <= 2.0, "{row}");
        assert!(number(naive, "errors_logged") > 1_000.0, "{naive}");
        let spent = number(naive, "cpu_percent");
        assert!(spent > 5.0 * number(row, "cpu_percent"), "{naive} {row}");
        // Those who are in are served, and the next one is let in.
        assert!((1.0..40.0).contains(&number(row, "served")), "{row}");
        assert!(number(row, "next_served_s") < 3.0, "{row}");
    }
}

#[test]
fn slow_reader_back_pressure_bounds_memory_and_others_are_served() {
    let Some(seen) = observe("slow-reader") else { return };
    let [waits, keeps, threads, epoll] = seen.rows();
    assert!(number(waits, "answered") < 100.0, "{waits}");
    for row in [keeps, threads, epoll] {
        assert_eq!(number(row, "answered"), 100.0, "{row}");
    }
    for row in [threads, epoll] {
        assert!(
            number(keeps, "memory_growth_bytes")
                > 10.0 * number(row, "memory_growth_bytes"),
            "{row}"
        );
        let less = number(keeps, "taken_bytes") > number(row, "taken_bytes");
        assert!(less, "{keeps} {row}");
    }
}

#[test]
fn spread_the_server_alone_gives_each_loop_as_many_clients() {
    if !Path::new(LABS).with_file_name("07-cores").exists() {
        assert!(!harness::in_ci(), "07-cores is not built");
        return println!("skipped: 07-cores is not built");
    }
    let Some(seen) = observe("spread") else { return };
    for row in seen.rows::<6>() {
        let of_loop = |n: usize| row["connections"][n].as_u64().unwrap_or(0);
        let (more, fewer) = (of_loop(0), of_loop(1));
        let all = if row["load"] == "even" { 16 } else { 400 };
        assert_eq!(more + fewer, all, "{row}");
        if row["spread"] == "handover" {
            assert!(more - fewer <= 1, "{row}");
        }
        assert!(number(row, "fastest_s") <= number(row, "slowest_s"), "{row}");
    }
    assert_plotted("spread");
}
