//! What epoll reports of one socket, step by step: level-triggered and
//! edge-triggered, side by side. After each step there is one wait.

use std::io::{Read, Result, Write, stdout};
use std::net::{Shutdown, TcpListener, TcpStream};

use nix::sys::epoll::{
    Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout,
};

/// Long enough for a byte to cross the loopback device, in milliseconds.
const MOMENT: u8 = 50;

/// A connection, and a set in which one end of it is watched.
struct Watched {
    epoll: Epoll,
    trigger: EpollFlags,
    near: TcpStream,
    far: TcpStream,
}

/// What happens, and how.
type Step = (&'static str, fn(&mut Watched) -> Result<()>);

const STEPS: [Step; 12] = [
    ("nothing has arrived", |_| Ok(())),
    ("3 bytes arrive", |it| it.far.write_all(b"abc")),
    ("nothing is read", |_| Ok(())),
    ("2 more arrive", |it| it.far.write_all(b"de")),
    ("1 is read, 4 are left", |it| it.near.read_exact(&mut [0])),
    ("EPOLL_CTL_MOD, the same interest", |it| it.ask(EpollFlags::EPOLLIN)),
    ("the 4 are read", |it| it.near.read_exact(&mut [0; 4])),
    ("EPOLL_CTL_MOD, in room to write, too", |it| {
        it.ask(EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT)
    }),
    ("nothing happens", |_| Ok(())),
    ("1 byte arrives", |it| it.far.write_all(b"f")),
    ("it is read", |it| it.near.read_exact(&mut [0])),
    ("the peer's FIN arrives", |it| it.far.shutdown(Shutdown::Write)),
];

impl Watched {
    fn new(trigger: EpollFlags) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let far = TcpStream::connect(listener.local_addr()?)?;
        let (near, _) = listener.accept()?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let interest = EpollFlags::EPOLLIN | trigger;
        epoll.add(&near, EpollEvent::new(interest, 0))?;
        Ok(Self { epoll, trigger, near, far })
    }

    fn ask(&self, interest: EpollFlags) -> Result<()> {
        let mut event = EpollEvent::new(interest | self.trigger, 0);
        Ok(self.epoll.modify(&self.near, &mut event)?)
    }

    /// One call of `epoll_wait`: what it reports of the connection.
    fn report(&self) -> Result<String> {
        let mut events = [EpollEvent::empty()];
        let count = self.epoll.wait(&mut events, EpollTimeout::from(MOMENT))?;
        if count == 0 {
            return Ok("-".into());
        }
        let names = events[0].events().iter_names().map(|(name, _)| name);
        Ok(names.collect::<Vec<_>>().join(" ").replace("EPOLL", ""))
    }
}

fn main() -> Result<()> {
    let mut out = stdout();
    let mut level = Watched::new(EpollFlags::empty())?;
    let mut edge = Watched::new(EpollFlags::EPOLLET)?;
    writeln!(out, "{:<38}{:<12}edge", "", "level")?;
    for (what, step) in STEPS {
        step(&mut level)?;
        step(&mut edge)?;
        writeln!(out, "{what:<38}{:<12}{}", level.report()?, edge.report()?)?;
    }
    Ok(())
}
