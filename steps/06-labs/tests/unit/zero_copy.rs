//! What the answer of `zero-copy` says, whatever the run saw.

use super::*;

#[test]
fn the_answer_is_that_of_the_run() {
    let answer = |sendfile_over_send_ratio| {
        verdict(&[Row {
            message_bytes: 5,
            send_s: 1.0,
            read_and_send_s: 1.0,
            sendfile_s: 1.0,
            sendfile_over_send_ratio,
            sendfile_over_both_ratio: 1.0,
            send_a_byte_ns: 1.0,
            sendfile_a_byte_ns: 1.0,
        }])
    };
    assert!(answer(2.0).contains("no copy worth saving"));
    assert!(answer(1.0).contains("no difference"));
    assert!(answer(0.5).contains("cheaper at 5 B; "), "{}", answer(0.5));
    assert!(answer(2.0).contains("cheaper at no size; "));
}
