//! On tokio-uring: a task for each client.

use std::io;

use protocol::Conversation;
use tokio_uring::net::{TcpListener, TcpStream};
use uring_pong::{READ_SIZE, answer, listen};

fn main() -> io::Result<()> {
    let listener = listen()?;
    tokio_uring::start(async {
        let listener = TcpListener::from_std(listener);
        loop {
            let (client, _) = listener.accept().await?;
            // An error ends this client's task, and no other.
            tokio_uring::spawn(serve_connection(client));
        }
    })
}

async fn serve_connection(client: TcpStream) -> io::Result<()> {
    let mut conversation = Conversation::default();
    let mut input = vec![0; READ_SIZE];
    let mut replies = Vec::new();
    loop {
        let (result, buffer) = client.read(input).await;
        let count = result?;
        answer(&mut conversation, &buffer[..count], &mut replies);
        input = buffer;
        if !replies.is_empty() {
            let (result, buffer) = client.write_all(replies).await;
            result?;
            replies = buffer;
        }
        if count == 0 {
            return Ok(());
        }
    }
}
