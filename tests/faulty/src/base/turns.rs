//! What one event leads to: a client that comes, a turn, an end.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::sys::epoll::{EpollEvent, EpollFlags};
use protocol::Message;

use super::event_loop::say;
use super::{Connection, EventLoop, Server, Turn};

/// How long clients may take to read their last replies.
const FAREWELL: Duration = Duration::from_millis(750);

impl EventLoop {
    pub(crate) fn has_room(&self) -> bool {
        self.listener.is_some() && self.clients.len() < self.limit
    }

    /// Takes the next client from the queue. `man 2 accept`.
    pub(crate) fn accept(&self) -> io::Result<TcpStream> {
        match &self.listener {
            Some(listener) => blocking::accept_nonblocking(listener)
                .map(|(socket, _)| socket.into()),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Waits for what the new client sends.
    pub(crate) fn welcome(
        &mut self,
        server: &(impl Server + ?Sized),
        socket: TcpStream,
    ) -> io::Result<()> {
        let token = socket.as_raw_fd() as u64;
        let nothing = EpollEvent::new(EpollFlags::empty(), token);
        self.epoll.add(&socket, nothing)?;
        let connection = Connection::new(socket);
        self.clients.insert(token, (connection, None));
        self.after_turn(server, token, Ok(Turn::Waiting))
    }

    /// Asks for no clients until the next turn, or for a tick.
    pub(crate) fn rest(&mut self) {
        self.resting = true;
    }

    /// Makes the kernel report an accept queue that is not empty once more.
    pub(crate) fn ask_again(&mut self) {
        self.told_listener = None;
    }

    pub(super) fn serve(
        &mut self,
        server: &dyn Server,
        token: u64,
    ) -> io::Result<()> {
        // An earlier event of this turn may have ended the connection.
        let Some((connection, _)) = self.clients.get_mut(&token) else {
            return Ok(());
        };
        let turn = connection.turn(server, &mut self.shared);
        self.after_turn(server, token, turn)
    }

    fn after_turn(
        &mut self,
        server: &(impl Server + ?Sized),
        token: u64,
        turn: io::Result<Turn>,
    ) -> io::Result<()> {
        let Some((connection, told)) = self.clients.remove(&token) else {
            return Ok(());
        };
        match turn {
            Err(error) => return server.after_failure(connection, error),
            Ok(Turn::Over) => {
                server.close(connection);
                return Ok(());
            }
            Ok(Turn::Waiting | Turn::More) => {}
        }
        let wanted = Some(server.wants(&connection));
        let news = wanted != told || turn.is_ok_and(|t| t == Turn::More);
        if let Some(wanted) = wanted.filter(|_| news) {
            self.modify(&connection.socket, token, wanted)?;
        }
        self.clients.insert(token, (connection, wanted));
        Ok(())
    }

    /// A signal has come: no new clients from here on.
    pub(super) fn stop(&mut self, server: &dyn Server) -> io::Result<()> {
        if let Ok(Some(signal)) = self.signals.read_signal() {
            say(Message::ShuttingDown(signal.ssi_signo.cast_signed()));
        }
        self.listener = None;
        self.end = Some(Instant::now() + FAREWELL);
        server.stop(self)
    }

    /// To all clients the replies to what they have sent.
    pub(crate) fn see_off_all(
        &mut self,
        server: &(impl Server + ?Sized),
    ) -> io::Result<()> {
        for token in self.clients.keys().copied().collect::<Vec<_>>() {
            let Some((connection, _)) = self.clients.get_mut(&token) else {
                continue;
            };
            let turn = connection.leave(server, &mut self.shared);
            self.after_turn(server, token, turn)?;
        }
        Ok(())
    }

    /// To all clients nothing more.
    pub(crate) fn close_all(&mut self) {
        self.clients.clear();
    }
}
