//! How a connection can end, and what epoll reports of it: with the interest
//! of step 04, with EPOLLIN alone, and with none at all.

use std::io::{Read, Result, Write, stdout};
use std::net::{Shutdown, TcpListener, TcpStream};

use nix::sys::epoll::{
    Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout,
};

/// Long enough for a segment to cross the loopback device, in milliseconds.
const MOMENT: u8 = 50;

/// What happens, and how: our end of the connection, and the peer's.
type Ending = (&'static str, fn(&mut TcpStream, TcpStream) -> Result<Peer>);
/// The peer's end, if it is still there.
type Peer = Option<TcpStream>;

const ENDINGS: [Ending; 6] = [
    ("the peer sends a byte", |_, mut peer| {
        peer.write_all(b"a")?;
        Ok(Some(peer))
    }),
    ("the peer sends its FIN", |_, peer| {
        peer.shutdown(Shutdown::Write)?;
        Ok(Some(peer))
    }),
    ("a byte, and then its FIN", |_, mut peer| {
        peer.write_all(b"a")?;
        peer.shutdown(Shutdown::Write)?;
        Ok(Some(peer))
    }),
    ("both ends send their FIN", |our, peer| {
        peer.shutdown(Shutdown::Write)?;
        our.shutdown(Shutdown::Write)?;
        Ok(Some(peer))
    }),
    ("we send our FIN, the peer does not", |our, peer| {
        our.shutdown(Shutdown::Write)?;
        Ok(Some(peer))
    }),
    ("the peer closes with input unread", |our, peer| {
        our.write_all(b"a")?;
        peer.peek(&mut [0])?; // it has arrived, and is not read
        Ok(None)
    }),
];

/// What is reported of an ending where `interest` was asked for, and what
/// `recv` then says.
fn report(ending: &Ending, interest: EpollFlags) -> Result<(String, String)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let peer = TcpStream::connect(listener.local_addr()?)?;
    let (mut our, _) = listener.accept()?;
    our.set_nonblocking(true)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&our, EpollEvent::new(interest, 0))?;
    let _peer = ending.1(&mut our, peer)?;

    let mut events = [EpollEvent::empty()];
    let count = epoll.wait(&mut events, EpollTimeout::from(MOMENT))?;
    let names = events[0].events().iter_names().map(|(name, _)| name);
    let flags = names.collect::<Vec<_>>().join(" ").replace("EPOLL", "");
    let recv = match our.read(&mut [0; 16]) {
        Ok(count) => count.to_string(),
        Err(error) => format!("{:?}", error.kind()),
    };
    Ok((if count == 0 { "-".into() } else { flags }, recv))
}

fn main() -> Result<()> {
    let mut out = stdout();
    let (read, end) = (EpollFlags::EPOLLIN, EpollFlags::EPOLLRDHUP);
    writeln!(
        out,
        "{:<36}{:<24}{:<16}{:<12}recv",
        "asked for:", "IN RDHUP", "IN", "nothing"
    )?;
    for ending in ENDINGS {
        let (both, recv) = report(&ending, read | end)?;
        let (alone, _) = report(&ending, read)?;
        let (unasked, _) = report(&ending, EpollFlags::empty())?;
        writeln!(
            out,
            "{:<36}{both:<24}{alone:<16}{unasked:<12}{recv}",
            ending.0
        )?;
    }
    Ok(())
}
