//! One client, from its first byte to its last.

use std::os::fd::AsFd;

use protocol::{Call, Conversation, Frame, Log, Result, ResultExt};

use crate::linger::linger;
use crate::socket::has_peer_closed;
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
    let (mut reads_left, mut ended) = (DRAIN_READS, false);
    while reads_left > 0 && !ended {
        log.flush();
        let count = recv(&client, &mut buffer).context(Call::Recv)?;
        let on_reply = |line: Frame, reply: &[u8]| log.exchange(line, reply);
        if count > 0 {
            conversation.feed(&buffer[..count], &mut replies, on_reply);
        } else if !is_shutting_down() || has_peer_closed(&client) {
            // The peer's FIN: an unfinished line is a line.
            conversation.finish(&mut replies, on_reply);
        }
        log.flush();
        send_all(&client, &replies).context(Call::Send)?;
        ended = count == 0;
        replies.clear();
        reads_left -= usize::from(is_shutting_down());
    }
    if is_shutting_down() {
        linger(client);
    }
    Ok(())
}
