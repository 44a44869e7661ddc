//! The floor of step 04, once for each core: `floors PORT [LOOPS]`. Each loop
//! has a listener on the same port (SO_REUSEPORT), accepts, and sends as many
//! bytes back as it reads. They share nothing.

use std::env;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::ExitCode;
use std::thread;

use blocking::{
    accept_nonblocking, listen_on, local_address, recv, send, stream_socket,
};
use epoll::{Interest, Poller, Trigger};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::ReusePort;
use protocol::{Call, Log, Message, PONG, Result, ResultExt};

const LISTENER: u64 = 0;
/// Bytes that one read may bring: whole pongs, at the most.
const SIZE: usize = 4_000;

fn main() -> ExitCode {
    let mut numbers = env::args().skip(1).map(|text| text.parse().ok());
    let port = numbers.next().flatten().unwrap_or(8_888);
    let loops = numbers.next().flatten().unwrap_or(2);
    protocol::exit_code(run(port, loops))
}

fn run(port: u16, loops: u16) -> Result<()> {
    let first = listen(SocketAddr::from(([127, 0, 0, 1], port)))?;
    let address = local_address(&first)?;
    for _ in 1..loops {
        let listener = listen(address)?;
        thread::spawn(move || serve(&listener));
    }
    Log::new(true).notice(Message::Listening(address));
    serve(&first)
}

fn listen(address: SocketAddr) -> Result<OwnedFd> {
    let listener = stream_socket(address)?;
    setsockopt(&listener, ReusePort, &true).context(Call::SetSockOpt)?;
    fcntl(&listener, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
        .context(Call::SetSockOpt)?;
    listen_on(&listener, address, 4_096)?;
    Ok(listener)
}

fn serve(listener: &OwnedFd) -> Result<()> {
    let mut poller = Poller::new(Trigger::Edge)?;
    poller.register(listener, LISTENER, Interest::READABLE)?;
    let (mut clients, mut events) = (Vec::new(), Vec::new());
    let (mut buffer, pongs) = ([0; SIZE], PONG.repeat(SIZE / PONG.len()));
    loop {
        poller.wait(&mut events, None)?;
        for event in &events {
            match event.token {
                LISTENER => accept(listener, &poller, &mut clients)?,
                fd => echo(&mut clients[fd as usize], &mut buffer, &pongs),
            }
        }
    }
}

fn accept(
    listener: &OwnedFd,
    poller: &Poller,
    clients: &mut Vec<Option<OwnedFd>>,
) -> Result<()> {
    while let Ok((socket, _)) = accept_nonblocking(listener) {
        let fd = socket.as_raw_fd() as usize;
        poller.register(&socket, fd as u64, Interest::READABLE)?;
        if fd >= clients.len() {
            clients.resize_with(fd + 1, || None);
        }
        clients[fd] = Some(socket);
    }
    Ok(())
}

/// One `recv`, one `send`. Whatever fails ends the connection.
fn echo(client: &mut Option<OwnedFd>, buffer: &mut [u8], pongs: &[u8]) {
    let Some(socket) = client else { return };
    match recv(&*socket, buffer) {
        Ok(count @ 1..) => {
            let _ = send(&*socket, &pongs[..count]);
        }
        _ => *client = None,
    }
}
