//! Exercise 13: a server for one client at a time, with the standard library.
//! `cargo run -p step-01-blocking --example with_std -- 8888`

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

use protocol::Conversation;

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    // socket, setsockopt(SO_REUSEADDR), bind and listen(128), in one call.
    let listener = TcpListener::bind(("127.0.0.1", port.unwrap_or(8888)))?;
    for client in listener.incoming() {
        // What goes wrong with a client ends that client.
        if let Err(error) = client.and_then(serve) {
            eprintln!("{error}");
        }
    }
    Ok(())
}

fn serve(mut client: TcpStream) -> io::Result<()> {
    let mut conversation = Conversation::default();
    let mut buffer = [0; 4_096];
    let mut replies = Vec::new();
    loop {
        match client.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Ok(0) => break,
            count => {
                let input = &buffer[..count?];
                conversation.feed(input, &mut replies, |_, _| {});
            }
        }
        client.write_all(&replies)?;
        replies.clear();
    }
    conversation.finish(&mut replies, |_, _| {});
    client.write_all(&replies)
}
