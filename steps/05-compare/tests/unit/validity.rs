//! What the client itself adds to the figures.

use super::analysis::{results, row};
use crate::analysis::comparison::differences;
use crate::analysis::validity::notes;
use crate::results::row::Load;

#[test]
fn a_busy_client_bounds_a_ratio_where_it_limited_the_better_server() {
    let bound = |ours: f64, theirs: f64| {
        let cpus = [1.0, 1.1];
        let mut results = results(row("a", false, &cpus), &cpus, &cpus);
        for row in &mut results.rows {
            let (cpu, rps, p99) = if row.server == "a" {
                (ours, 20.0, 0.1)
            } else {
                (theirs, 10.0, 0.2)
            };
            for round in &mut row.rounds {
                (round.rps, round.latency.p99) = (rps, p99);
                // To wait for a core is to be busy, too.
                (round.client_cpu, round.client_waited) =
                    (cpu / 2.0, cpu / 2.0);
            }
        }
        let found = differences(&results, &results.rows[0]);
        let bound = found.iter().filter(|difference| difference.is_bound);
        bound.map(|difference| difference.key).collect::<Vec<_>>()
    };
    assert_eq!(bound(0.95, 0.5), ["rps", "p99"]);
    assert_eq!(bound(0.95, 0.95), ["rps", "p99"]);
    for (ours, theirs) in [(0.5, 0.5), (0.5, 0.95)] {
        assert!(bound(ours, theirs).is_empty(), "{ours}, {theirs}");
    }
}

#[test]
fn a_late_client_is_named_where_that_is_a_large_part_of_the_latencies() {
    let found = |lateness, p99| {
        let mut results = results(row("a", false, &[1.0]), &[1.0], &[1.0]);
        let (name, paced) = ("low".into(), true);
        results.loads.push(Load { name, paced, ..Load::default() });
        for round in &mut results.rows[0].rounds {
            (round.lateness, round.latency.p99) = (lateness, p99);
        }
        notes(&results).concat()
    };
    assert_eq!(found(0.000_9, 0.002), "");
    assert!(
        found(0.000_9, 0.001_7)
            .contains("low, a: the client sent 1 of 100 requests 0.900 ms")
    );
    assert!(found(0.001_1, 1.0).contains("1.10 ms late"));
}
