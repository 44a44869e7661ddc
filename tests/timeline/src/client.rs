//! The clients of a scene: each a thread that does what its lines say, and
//! notes when.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use harness::{Process, Signal, TIMEOUT, poll_until};

use crate::scene::{Act, Actor, Scene};

/// A line of a flood: short enough to be answered at once.
const LINE: usize = 64;
/// How long a flood waits for room before it takes the buffers for full.
const FULL: Duration = Duration::from_millis(100);

/// A call that a client has made.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    /// The client.
    pub(crate) by: String,
    /// `connect`, `send`, `recv`, `shutdown`, or `kill` for a signal.
    pub(crate) call: &'static str,
    /// What it was about, in words.
    pub(crate) args: String,
    /// What it returned.
    pub(crate) result: String,
    /// Seconds since 1970.
    pub(crate) begin: f64,
    pub(crate) end: f64,
}

/// What the clients have done so far.
#[derive(Debug, Default)]
struct Progress {
    moves: Vec<Move>,
    /// Which client has which port.
    ports: HashMap<u16, String>,
    /// Why one could not go on.
    failed: Option<String>,
}

struct Play<'a> {
    address: SocketAddr,
    server: &'a Process,
    progress: Mutex<Progress>,
    changed: Condvar,
}

/// What all clients did, and their ports.
pub(crate) type Played = (Vec<Move>, HashMap<u16, String>);

/// Lets all actors of `scene` act before the server at `address`.
///
/// # Errors
/// What a client waited for and did not get.
pub(crate) fn play(
    scene: &Scene,
    address: SocketAddr,
    server: &Process,
) -> io::Result<Played> {
    let play = Play {
        address,
        server,
        progress: Mutex::default(),
        changed: Condvar::new(),
    };
    scope(|scope| {
        for actor in &scene.actors {
            scope.spawn(|| {
                if let Err(error) = play.act_all(actor) {
                    let why = format!("{}: {error}", actor.name);
                    play.lock().failed.get_or_insert(why);
                    play.changed.notify_all();
                }
            });
        }
    });
    let progress = play.progress.into_inner();
    let progress = progress.unwrap_or_else(PoisonError::into_inner);
    match progress.failed {
        Some(why) => Err(io::Error::other(why)),
        None => Ok((progress.moves, progress.ports)),
    }
}

/// Seconds since 1970: the clock that `strace -ttt` reads.
pub(crate) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

impl Play<'_> {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn act_all(&self, actor: &Actor) -> io::Result<()> {
        let mut stream = None;
        for act in &actor.acts {
            match act {
                Act::Pause(time) => sleep(Duration::from_millis(*time)),
                Act::After(who, call, count) => self.wait(who, call, *count)?,
                Act::Settle => self.settle()?,
                Act::Signal(name) => self.signal(&actor.name, name)?,
                Act::Connect => stream = Some(self.connect(&actor.name)?),
                Act::Leave => {
                    let begin = now();
                    drop(stream.take());
                    let nothing = String::new();
                    self.note(&actor.name, "close", nothing, "0".into(), begin);
                }
                act => {
                    let no_stream = || io::Error::other("not connected yet");
                    let stream = stream.as_mut().ok_or_else(no_stream)?;
                    self.talk(&actor.name, stream, act)?;
                }
            }
        }
        Ok(())
    }

    /// Each thread that `strace` holds, or that wants to run, does not wait.
    fn settle(&self) -> io::Result<()> {
        let waits = || Ok(self.server.proc().waits().then_some(()));
        let waited = poll_until(TIMEOUT, waits).map_err(io::Error::other)?;
        waited.ok_or_else(|| io::Error::other("the server never waits"))
    }

    fn connect(&self, name: &str) -> io::Result<TcpStream> {
        let begin = now();
        let stream = TcpStream::connect_timeout(&self.address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(FULL))?;
        let port = stream.local_addr()?.port();
        self.lock().ports.insert(port, name.to_owned());
        self.note(name, "connect", String::new(), "0".into(), begin);
        Ok(stream)
    }

    fn talk(
        &self,
        name: &str,
        stream: &mut TcpStream,
        act: &Act,
    ) -> io::Result<()> {
        let begin = now();
        let nothing = String::new;
        match act {
            Act::Open(count, pause) => {
                self.open_loop(name, stream, *count, *pause)
            }
            Act::Finish => {
                stream.shutdown(Shutdown::Write)?;
                self.note(name, "shutdown", nothing(), "0".into(), begin);
                self.wait_for_end(name, stream)
            }
            Act::End => {
                self.wait_for_end(name, stream)?;
                let begin = now();
                // ENOTCONN: the server has reset the connection.
                if stream.shutdown(Shutdown::Write).is_ok() {
                    self.note(name, "shutdown", nothing(), "0".into(), begin);
                }
                Ok(())
            }
            act => {
                let (call, args, count) = transfer(stream, act)?;
                self.note(name, call, args, count.to_string(), begin);
                Ok(())
            }
        }
    }

    /// Reads until the server's FIN. What comes before it is read and counted.
    fn wait_for_end(
        &self,
        name: &str,
        stream: &mut TcpStream,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let begin = now();
            let (count, result) = match stream.read(&mut buffer) {
                Ok(count) => (count, count.to_string()),
                Err(e) if e.kind() == io::ErrorKind::ConnectionReset => {
                    (0, "-1 ECONNRESET".into())
                }
                Err(error) => return Err(error),
            };
            let what = if count == 0 { "" } else { "what is left" };
            self.note(name, "recv", what.into(), result, begin);
            if count == 0 {
                return Ok(());
            }
        }
    }

    /// Sends on a clock, and notes each reply from the time of its line.
    fn open_loop(
        &self,
        name: &str,
        stream: &TcpStream,
        count: usize,
        pause: u64,
    ) -> io::Result<()> {
        let (sent, times) = mpsc::channel();
        scope(|scope| {
            let sender = scope.spawn(move || -> io::Result<()> {
                let first = Instant::now();
                for number in 0..count {
                    let due = Duration::from_millis(pause * number as u64);
                    sleep(due.saturating_sub(first.elapsed()));
                    let begin = now();
                    (&*stream).write_all(b"ping\n")?;
                    let ping = "ping\\n".into();
                    self.note(name, "send", ping, "5".into(), begin);
                    // There is no receiver once a read has failed.
                    let _ = sent.send(begin);
                }
                Ok(())
            });
            for begin in times {
                (&*stream).read_exact(&mut [0; 5])?;
                let pong = "pong\\n".into();
                self.note(name, "recv", pong, "5".into(), begin);
            }
            let ended = sender.join();
            ended.unwrap_or_else(|_| Err(io::Error::other("no sender")))
        })
    }

    fn signal(&self, by: &str, name: &str) -> io::Result<()> {
        let signal = match name {
            "TERM" => Signal::SIGTERM,
            "STOP" => Signal::SIGSTOP,
            "CONT" => Signal::SIGCONT,
            _ => return Err(io::Error::other(format!("no signal {name}"))),
        };
        let begin = now();
        self.server.signal(signal).map_err(io::Error::other)?;
        if signal == Signal::SIGSTOP {
            // Runnable is not enough: it may yet find what comes now.
            let stopped = || Ok(self.server.proc().is_stopped().then_some(()));
            poll_until(TIMEOUT, stopped).map_err(io::Error::other)?;
        }
        self.note(by, "kill", format!("SIG{name}"), "0".into(), begin);
        Ok(())
    }

    fn note(
        &self,
        by: &str,
        call: &'static str,
        args: String,
        result: String,
        begin: f64,
    ) {
        let by = by.to_owned();
        let end = now();
        let step = Move { by, call, args, result, begin, end };
        self.lock().moves.push(step);
        self.changed.notify_all();
    }

    /// Waits until `who` has made `count` calls of this name.
    fn wait(&self, who: &str, call: &str, count: usize) -> io::Result<()> {
        let done = |progress: &mut Progress| {
            let ours = |m: &&Move| m.by == who && m.call == call;
            let made = progress.moves.iter().filter(ours).count();
            progress.failed.is_none() && made < count
        };
        let waited =
            self.changed.wait_timeout_while(self.lock(), TIMEOUT, done);
        let (progress, timeout) =
            waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() || progress.failed.is_some() {
            let what = format!("{who} has not made {count} {call}");
            return Err(io::Error::other(what));
        }
        Ok(())
    }
}

/// Sends or receives what `act` says. Returns the call, what it was about, and
/// the number of bytes.
fn transfer(
    stream: &mut TcpStream,
    act: &Act,
) -> io::Result<(&'static str, String, usize)> {
    Ok(match act {
        Act::Send(line) => {
            stream.write_all(format!("{line}\n").as_bytes())?;
            ("send", format!("{line}\\n"), line.len() + 1)
        }
        Act::Flood(bytes) => {
            let sent = flood(stream, *bytes)?;
            ("send", format!("lines of {LINE} bytes"), sent)
        }
        Act::Empty(lines) => {
            stream.write_all(&b"\n".repeat(*lines))?;
            ("send", "empty lines".into(), *lines)
        }
        Act::Recv(line) => {
            let mut reply = vec![0; line.len() + 1];
            stream.read_exact(&mut reply)?;
            if reply != format!("{line}\n").as_bytes() {
                let reply = String::from_utf8_lossy(&reply);
                let what = format!("{line:?} was expected, {reply:?} came");
                return Err(io::Error::other(what));
            }
            ("recv", format!("{line}\\n"), reply.len())
        }
        Act::Read(bytes) => {
            stream.read_exact(&mut vec![0; *bytes])?;
            ("recv", format!("{bytes} bytes"), *bytes)
        }
        other => return Err(io::Error::other(format!("no bytes: {other:?}"))),
    })
}

/// Sends short lines until so many bytes are sent, or no more are taken.
fn flood(stream: &mut TcpStream, bytes: usize) -> io::Result<usize> {
    let line = [b"x".repeat(LINE - 1), b"\n".to_vec()].concat();
    let lines = line.repeat(bytes / LINE);
    let mut sent = 0;
    while sent < lines.len() {
        match stream.write(&lines[sent..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}
