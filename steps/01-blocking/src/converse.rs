//! One client, from its first byte to its last.

use std::os::fd::AsFd;

use protocol::{Conversation, Doing, Failure, Log};

use crate::{recv, send_all};

/// Bytes asked of the kernel at once. One `recv` may bring less: it returns
/// what has arrived.
const READ_SIZE: usize = 4_096;

/// Answers `client` until it sends its FIN or, once `stopping` says so, until
/// what it had sent is answered. Waits in `recv` and in `send`: a client that
/// does not read its replies is not read from either.
///
/// # Errors
/// The end of the connection for a reason other than those two: ECONNRESET,
/// EPIPE, and whatever else [`recv`] and [`send`](crate::send) give.
// ANCHOR: converse
pub fn converse(
    client: impl AsFd,
    stopping: impl Fn() -> bool,
    log: &mut Log,
) -> Result<(), Failure> {
    let mut conversation = Conversation::default();
    let mut buffer = [0; READ_SIZE];
    let mut replies = Vec::new();
    loop {
        log.flush();
        let count =
            recv(&client, &mut buffer).map_err(|e| Doing::Receive.failed(e))?;
        if count > 0 {
            conversation.hear(&buffer[..count], &mut replies, log);
        } else if !stopping() {
            // The peer's FIN, and not our own shutdown(2) of the read side.
            conversation.end(&mut replies, log);
        }
        log.flush();
        send_all(&client, &replies).map_err(|e| Doing::Send.failed(e))?;
        replies.clear();
        if count == 0 {
            return Ok(());
        }
    }
}
// ANCHOR_END: converse
