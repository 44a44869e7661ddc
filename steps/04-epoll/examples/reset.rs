//! The reset that eats a reply: what a client receives of two megabytes when
//! the server closes right after `send` has taken them.

use std::io::{Read, Result, Write, stdout};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::thread;

const REPLY: usize = 2_000_000;

/// Answers the first line, and closes at once.
fn close_at_once(mut client: TcpStream, done: &Sender<()>) -> Result<()> {
    client.read_exact(&mut [0; 4])?;
    client.write_all(&[b'x'; REPLY])?;
    drop(client);
    let _ = done.send(());
    Ok(())
}

/// Answers the first line, sends its FIN, and reads to the peer's.
fn linger(mut client: TcpStream, done: &Sender<()>) -> Result<()> {
    client.read_exact(&mut [0; 4])?;
    client.write_all(&[b'x'; REPLY])?;
    client.shutdown(Shutdown::Write)?;
    let _ = done.send(());
    while client.read(&mut [0; 4_096])? > 0 {}
    Ok(())
}

/// A client that sends `request`, and reads when the server has done its part.
fn experiment(request: &str, server: Server) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    client.write_all(request.as_bytes())?;
    let (sender, done) = channel();
    let (accepted, _) = listener.accept()?;
    let server = thread::spawn(move || server(accepted, &sender));
    let _ = done.recv();

    let mut reply = Vec::new();
    let end = match client.read_to_end(&mut reply) {
        Ok(_) => "the end".into(),
        Err(error) => error.to_string(),
    };
    drop(client);
    let _ = server.join();
    Ok(format!("{} bytes, then {end}", reply.len()))
}

type Server = fn(TcpStream, &Sender<()>) -> Result<()>;

fn main() -> Result<()> {
    let mut out = stdout();
    let one = experiment("one\n", close_at_once)?;
    writeln!(out, "one line, close:   {one}")?;
    let two = experiment("one\ntwo\n", close_at_once)?;
    writeln!(out, "two lines, close:  {two}")?;
    let two = experiment("one\ntwo\n", linger)?;
    writeln!(out, "two lines, linger: {two}")?;
    Ok(())
}
