//! The floor: as little as a server of many clients can do. It accepts, and
//! for each read it sends as many bytes back, without a look at what they are:
//! a `ping` and its `pong` are equally long. No limit, no back-pressure, no
//! drain; whatever fails ends the connection. What step 04 costs more than
//! this is what its care costs; the rest is the kernel's TCP.

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::ExitCode;

use blocking::{accept_nonblocking, listen, local_address};
use epoll::{Interest, Poller, Trigger};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{MsgFlags, recv, send};
use protocol::{Call, Log, Message, PONG, Result, ResultExt};

const LISTENER: u64 = 0;
/// Bytes that one read may bring: whole pongs, at the most.
const SIZE: usize = 4_000;

fn main() -> ExitCode {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    protocol::exit_code(serve(port.unwrap_or(8_888)))
}

fn serve(port: u16) -> Result<()> {
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], port)), 4_096)?;
    fcntl(&listener, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
        .context(Call::SetSockOpt)?;
    let mut poller = Poller::new(Trigger::Edge)?;
    poller.register(&listener, LISTENER, Interest::READABLE)?;
    Log::new(true).notice(Message::Listening(local_address(&listener)?));
    let (mut clients, mut events) = (Vec::new(), Vec::new());
    let (mut buffer, pongs) = ([0; SIZE], PONG.repeat(SIZE / PONG.len()));
    loop {
        poller.wait(&mut events, None)?;
        for event in &events {
            match event.token {
                LISTENER => accept(&listener, &poller, &mut clients)?,
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

/// One `recv`, one `send`.
fn echo(client: &mut Option<OwnedFd>, buffer: &mut [u8], pongs: &[u8]) {
    let Some(socket) = client else { return };
    let fd = socket.as_raw_fd();
    match recv(fd, buffer, MsgFlags::empty()) {
        Ok(count @ 1..) => {
            let _ = send(fd, &pongs[..count], MsgFlags::MSG_NOSIGNAL);
        }
        _ => *client = None,
    }
}
