//! What the answer of `c10k` says, whatever the run saw.

use super::*;

#[test]
fn the_answer_is_that_of_the_run() {
    let row = |clients, for_each_bytes| Row {
        server: "",
        clients,
        threads: 1,
        resident_bytes: 0,
        kernel_stacks_bytes: 0,
        for_each_bytes,
        address_space_bytes: 0,
    };
    let answer = |threads| verdict(&[row(threads, 3_200.0), row(20, 32.0)], 20);
    assert!(answer(20).contains("for 100 times the memory"));
    assert!(answer(10).contains("no further than 10 clients"));
}
