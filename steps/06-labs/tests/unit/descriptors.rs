//! What the answer of `descriptors` says, whatever the run saw.

use super::*;

#[test]
fn the_answer_is_that_of_the_run() {
    let row = |cpu_percent, next_served_s| Row {
        server: "",
        served: 25,
        cpu_percent,
        errors_logged: 1,
        worst_reply_s: 0.0,
        next_served_s,
    };
    let answer = |naive, next| {
        verdict(&[row(naive, None), row(0.0, next), row(1.0, next)])
    };
    assert!(answer(90.0, Some(0.1)).contains("burnt 90 % of a core"));
    assert!(answer(90.0, Some(0.1)).contains("once, and took the next"));
    assert!(answer(0.0, None).contains("did not spin this time"));
    assert!(answer(0.0, None).contains("did not all take the next"));
}
