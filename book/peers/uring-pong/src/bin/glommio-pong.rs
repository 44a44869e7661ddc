//! On glommio: a task for each client.

use std::io;
use std::os::fd::{FromRawFd, IntoRawFd};

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use glommio::LocalExecutor;
use glommio::net::{TcpListener, TcpStream};
use protocol::Conversation;
use uring_pong::{READ_SIZE, answer, listen};

fn main() -> io::Result<()> {
    let listener = listen()?;
    LocalExecutor::default().run(async {
        // SAFETY: the descriptor is a listener, and no other owns it.
        let listener =
            unsafe { TcpListener::from_raw_fd(listener.into_raw_fd()) };
        loop {
            let client = listener.accept().await?;
            // An error ends this client's task, and no other.
            glommio::spawn_local(serve_connection(client)).detach();
        }
    })
}

async fn serve_connection(mut client: TcpStream) -> io::Result<()> {
    let mut conversation = Conversation::default();
    let mut input = vec![0; READ_SIZE];
    let mut replies = Vec::new();
    loop {
        let count = client.read(&mut input).await?;
        answer(&mut conversation, &input[..count], &mut replies);
        client.write_all(&replies).await?;
        if count == 0 {
            return Ok(());
        }
    }
}
