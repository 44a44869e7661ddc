//! One client, from its first byte to its last.

use std::os::fd::AsFd;

use protocol::{Conversation, Doing, Failure, Log};

use crate::delivery::await_delivery;
use crate::{recv, send_all};

/// Bytes asked of the kernel at once. One `recv` may bring less: it returns
/// what has arrived. They lie on the stack, and step 02 has a stack for each
/// client: twice as many would be a page more for each.
const READ_SIZE: usize = 2_048;

/// Reads that are still answered once the server is stopping: enough for what
/// had arrived by then, and an end to a client that goes on for ever.
const LAST_READS: usize = 32;

/// Answers `client` until it sends its FIN or, once `stopping` says so, until
/// what it had sent is answered. Waits in `recv` and in `send`: a client that
/// does not read its replies is not read from either.
///
/// To stop means that somebody else shuts down the read side of `client`, which
/// wakes a `recv` that waits.
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
    let mut last_reads = LAST_READS;
    while last_reads > 0 {
        log.flush();
        let count =
            recv(&client, &mut buffer).map_err(|e| Doing::Receive.failed(e))?;
        if count == 0 {
            break;
        }
        conversation.hear(&buffer[..count], &mut replies, log);
        log.flush();
        send_all(&client, &replies).map_err(|e| Doing::Send.failed(e))?;
        replies.clear();
        last_reads -= usize::from(stopping());
    }
    if stopping() {
        await_delivery(client);
        return Ok(());
    }
    // The peer's FIN: an unfinished line is a line.
    conversation.end(&mut replies, log);
    log.flush();
    send_all(&client, &replies).map_err(|e| Doing::Send.failed(e))
}
// ANCHOR_END: converse
