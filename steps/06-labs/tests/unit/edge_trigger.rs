//! What the answer of `edge-trigger` says, whatever the run saw.

use super::*;

#[test]
fn the_answer_is_that_of_the_run() {
    let row =
        |replies, served| Row { server: "", trigger: "", replies, served };
    let all = || row(PINGS, CLIENTS);
    let hung = verdict(&[row(204, 1), all(), all(), all()]);
    assert!(hung.contains("while level-triggered does"), "{hung}");
    let whole = verdict(&[all(), all(), all(), all()]);
    assert!(whole.starts_with("This time even edge"), "{whole}");
    let ours = verdict(&[row(204, 1), all(), row(204, 3), all()]);
    assert!(ours.ends_with("please report it."), "{ours}");
}
