//! The ping-pong server on tokio, in its usual style: a task for each client.
//! `tokio-pong PORT` prints where it listens. It runs on the current-thread
//! runtime, and with a number behind it, `tokio-pong PORT 2`, on so many
//! workers.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use protocol::Conversation;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Builder;

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    let Some(port) = port else {
        return Err(io::Error::other("give a port: tokio-pong 8888"));
    };
    let workers = std::env::args().nth(2);
    let workers = workers.and_then(|number| number.parse().ok());
    let mut runtime = match workers.filter(|&number| number > 0) {
        None => Builder::new_current_thread(),
        Some(workers) => {
            let mut runtime = Builder::new_multi_thread();
            runtime.worker_threads(workers);
            runtime
        }
    };
    let runtime = runtime.enable_io().build()?;
    // In a task of its own: the main thread is no worker.
    let served = runtime.spawn(serve(port));
    runtime.block_on(served).map_err(io::Error::other)?
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
