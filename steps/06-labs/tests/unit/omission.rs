//! What the answer of `omission` says, whatever the run saw.

use super::*;

#[test]
fn the_answer_is_that_of_the_run() {
    let answer = |closed: f64, open: f64| {
        verdict(&[closed, open].map(|s| summed_up("", &[s])))
    };
    assert!(answer(0.1, 0.7).contains("one in ten took 700 ms"));
    assert!(answer(0.6, 0.7).contains("they differ little"));
}
