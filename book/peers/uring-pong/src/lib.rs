//! What the servers share: where they listen, and what they answer.

use std::io;
use std::net::{SocketAddr, TcpListener};

use protocol::Conversation;

/// Bytes received at once.
pub const READ_SIZE: usize = 4_096;

/// A socket that listens on the port of the command line.
///
/// # Errors
/// There is none, or it cannot be had.
pub fn listen() -> io::Result<TcpListener> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    let port: u16 = port.ok_or_else(|| io::Error::other("give a port"))?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let listener = blocking::listen(address, 4096).map_err(io::Error::other)?;
    let listener = TcpListener::from(listener);
    println!("[*] listening on {}", listener.local_addr()?);
    Ok(listener)
}

/// Appends the replies to what one read has brought: nothing is the end.
pub fn answer(
    conversation: &mut Conversation,
    input: &[u8],
    replies: &mut Vec<u8>,
) {
    replies.clear();
    match input {
        [] => conversation.finish(replies, |_, _| {}),
        _ => conversation.feed(input, replies, |_, _| {}),
    }
}
