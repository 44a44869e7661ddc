//! What the answer of `nagle` says, whatever the run saw.

use super::*;

#[test]
fn the_answer_is_that_of_the_run() {
    let row = |median_s| Row {
        client: "",
        median_s,
        slowest_s: 0.0,
        delayed_acks: 21,
    };
    let stalled =
        |quick| verdict(&[row(1e-5), row(0.044), row(1e-5), row(quick)]);
    assert!(stalled(1e-5).contains("so either end can avoid them"));
    assert!(stalled(0.044).contains("not every remedy"));
    let never = verdict(&[1e-5; 4].map(row));
    assert!(never.ends_with("nothing to remedy."), "{never}");
}
