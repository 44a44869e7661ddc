//! The ping-pong server on tokio's current-thread runtime, in its usual style:
//! a task for each client. `tokio-pong PORT` prints where it listens.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use protocol::Conversation;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    let Some(port) = port else {
        return Err(io::Error::other("give a port: tokio-pong 8888"));
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_io().build()?.block_on(serve(port))
}

async fn serve(port: u16) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    let listener = socket.listen(4096)?;
    println!("[*] listening on {}", listener.local_addr()?);
    loop {
        let (client, _) = listener.accept().await?;
        // An error ends this client's task, and no other.
        tokio::spawn(serve_connection(client));
    }
}

async fn serve_connection(mut client: TcpStream) -> io::Result<()> {
    let mut conversation = Conversation::default();
    let mut buffer = vec![0; 4096];
    let mut replies = Vec::new();
    loop {
        let count = client.read(&mut buffer).await?;
        if count == 0 {
            conversation.finish(&mut replies, |_, _| {});
            return client.write_all(&replies).await;
        }
        conversation.feed(&buffer[..count], &mut replies, |_, _| {});
        client.write_all(&replies).await?;
        replies.clear();
    }
}
