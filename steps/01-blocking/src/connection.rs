//! One client, from its first byte to its last.

use std::os::fd::AsFd;

use protocol::{Call, Conversation, Log, Result, ResultExt};

use crate::linger::linger;
use crate::{recv, send_all};

/// Bytes asked of the kernel at once. They lie on the stack, and step 02 has a
/// stack for each client: twice as many would be a page more for each.
const READ_SIZE: usize = 2_048;

/// Reads that are still answered once the server is shutting down: enough for
/// what had arrived by then, and a bound for a client that never ends.
const DRAIN_READS: usize = 32;

/// Answers `client` until it sends its FIN or, once `is_shutting_down` says so,
/// until what it had sent is answered. Waits in `recv` and in `send`: a client
/// that does not read its replies is not read from either.
///
/// To shut down means that another thread, or a signal handler, shuts down the
/// read side of `client`, which wakes a `recv` that waits.
///
/// # Errors
/// Those of [`recv`] and [`send`](crate::send): the connection is over.
pub fn serve_connection(
    client: impl AsFd,
    is_shutting_down: impl Fn() -> bool,
    log: &mut Log,
) -> Result<()> {
    let mut conversation = Conversation::default();
    let mut buffer = [0; READ_SIZE];
    let mut replies = Vec::new();
    let mut reads_left = DRAIN_READS;
    while reads_left > 0 {
        log.flush();
        let count = recv(&client, &mut buffer).context(Call::Recv)?;
        if count == 0 {
            break;
        }
        conversation.feed(&buffer[..count], &mut replies, |line, reply| {
            log.exchange(line, reply);
        });
        log.flush();
        send_all(&client, &replies).context(Call::Send)?;
        replies.clear();
        reads_left -= usize::from(is_shutting_down());
    }
    if is_shutting_down() {
        linger(client);
        return Ok(());
    }
    // The peer's FIN: an unfinished line is a line.
    conversation.finish(&mut replies, |line, reply| log.exchange(line, reply));
    log.flush();
    send_all(&client, &replies).context(Call::Send)
}
