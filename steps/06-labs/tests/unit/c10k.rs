//! What the answer of `c10k` says, whatever the run saw.

use super::*;

#[test]
fn the_answer_is_that_of_the_run() {
    let row = |clients, resident| Row {
        server: "",
        clients,
        threads: 1,
        resident,
        address_space: 0,
        kernel_stacks: 0,
    };
    let answer = |threads| verdict(&[row(threads, 64_000), row(20, 640)], 20);
    assert!(answer(20).contains("for 100 times the memory"));
    assert!(answer(10).contains("no further than 10 clients"));
}
