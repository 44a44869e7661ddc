//! How large is a future? All that lives across its `.await`.

use std::cell::RefCell;
use std::io;
use std::mem::size_of_val;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use async_server::{Runtime, Source};
use protocol::{Call, Conversation, Result, ResultExt};

type Client = Source<OwnedFd>;
type Buffer = RefCell<[u8; 2_048]>;

fn main() -> ExitCode {
    protocol::exit_code(run())
}

fn run() -> Result<()> {
    let runtime = Rc::new(Runtime::new()?);
    let (reader, _writer) = io::pipe().context(Call::Socket)?;
    let client = Source::new(OwnedFd::from(reader), &runtime)?;
    let buffer = Buffer::new([0; 2_048]);
    let sleep = runtime.sleep(Duration::from_secs(1));
    for (name, size) in [
        ("nothing", size_of_val(&async {})),
        ("sleep", size_of_val(&sleep)),
        ("read", size_of_val(&client.read(&buffer))),
        ("write_all", size_of_val(&client.write_all(b"pong\n"))),
        ("serve", size_of_val(&serve(&client, &buffer))),
        ("with a buffer", size_of_val(&serve_with_buffer(&client))),
    ] {
        println!("{name:<14} {size:>5} bytes");
    }
    Ok(())
}

async fn serve(client: &Client, buffer: &Buffer) -> Result<()> {
    let mut conversation = Conversation::default();
    let mut replies = Vec::new();
    loop {
        let count = client.read(buffer).await?;
        conversation.feed(&buffer.borrow()[..count], &mut replies, |_, _| {});
        client.write_all(&replies).await?;
        replies.clear();
    }
}

async fn serve_with_buffer(client: &Client) -> Result<()> {
    let buffer = Buffer::new([0; 2_048]);
    serve(client, &buffer).await
}
