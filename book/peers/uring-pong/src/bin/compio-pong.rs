//! On compio: a task for each client.

use std::io;

use compio::BufResult;
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::{TcpListener, TcpStream};
use compio::runtime::Runtime;
use protocol::Conversation;
use uring_pong::{READ_SIZE, answer, listen};

fn main() -> io::Result<()> {
    let listener = listen()?;
    Runtime::new()?.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (client, _) = listener.accept().await?;
            // An error ends this client's task, and no other.
            compio::runtime::spawn(serve_connection(client)).detach();
        }
    })
}

async fn serve_connection(mut client: TcpStream) -> io::Result<()> {
    let mut conversation = Conversation::default();
    let mut input = vec![0; READ_SIZE];
    let mut replies = Vec::new();
    loop {
        let BufResult(result, buffer) = client.read(input).await;
        let count = result?;
        answer(&mut conversation, &buffer[..count], &mut replies);
        input = buffer;
        if !replies.is_empty() {
            let BufResult(result, buffer) = client.write_all(replies).await;
            result?;
            replies = buffer;
        }
        if count == 0 {
            return Ok(());
        }
    }
}
