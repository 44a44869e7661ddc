//! Wrong: replies lie in one buffer of the loop's, which is used anew for the
//! next client while the kernel still sends the last one's.
//!
//! Step 04 may do so: what `send` has taken is the kernel's, and the rest is
//! known when it returns. An operation has not read the buffer when it is
//! submitted. As long as every client reads, it does not show.

#![expect(unsafe_code, reason = "this is the mistake")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::process::ExitCode;

use blocking::{listen, local_address};
use io_uring::opcode::{Accept, Recv, Send};
use io_uring::squeue::Entry;
use io_uring::types::Fd;
use io_uring::{IoUring, cqueue};
use protocol::{Call, Conversation, Log, Message, Result, ResultExt};

const ACCEPT: u64 = 0;
const RECV: u64 = 1;
const SEND: u64 = 2;
const READ_SIZE: usize = 2_048;

/// A client, and what its operation has still to send.
struct Client {
    socket: OwnedFd,
    conversation: Conversation,
    input: Box<[u8; READ_SIZE]>,
    sent: usize,
    len: usize,
}

struct Server {
    ring: IoUring,
    listener: OwnedFd,
    clients: HashMap<RawFd, Client>,
    /// The one buffer. It never grows: nothing worse happens than that it is
    /// overwritten.
    outbox: Vec<u8>,
}

fn main() -> ExitCode {
    protocol::exit_code(serve())
}

fn serve() -> Result<()> {
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)), 4_096)?;
    let mut log = Log::new(true);
    log.notice(Message::Listening(local_address(&listener)?));
    log.flush();
    let ring = IoUring::new(256).context(Call::IoUring)?;
    let outbox = Vec::with_capacity(64 * READ_SIZE);
    let clients = HashMap::new();
    let mut server = Server { ring, listener, clients, outbox };
    server.accept();
    loop {
        server.ring.submit_and_wait(1).context(Call::IoUring)?;
        let done: Vec<_> = server.ring.completion().collect();
        done.iter().for_each(|done| server.complete(done));
    }
}

impl Server {
    fn push(&mut self, entry: Entry, fd: RawFd, kind: u64) {
        let entry = entry.user_data((fd as u64) << 2 | kind);
        // SAFETY: (wrong) the buffers are there as long as the server is. But
        // they do not stay as they are.
        let _ = unsafe { self.ring.submission().push(&entry) };
    }

    fn accept(&mut self) {
        let (fd, none) = (self.listener.as_raw_fd(), std::ptr::null_mut());
        let entry = Accept::new(Fd(fd), none, none.cast()).build();
        self.push(entry, fd, ACCEPT);
    }

    fn receive(&mut self, fd: RawFd) {
        let Some(client) = self.clients.get_mut(&fd) else { return };
        let (buffer, len) = (client.input.as_mut_ptr(), READ_SIZE as u32);
        self.push(Recv::new(Fd(fd), buffer, len).build(), fd, RECV);
    }

    fn send(&mut self, fd: RawFd) {
        let Some(client) = self.clients.get_mut(&fd) else { return };
        let rest = &self.outbox[client.sent..client.len];
        let (start, len) = (rest.as_ptr(), rest.len() as u32);
        self.push(Send::new(Fd(fd), start, len).build(), fd, SEND);
    }

    fn received(&mut self, fd: RawFd, count: usize) {
        let Some(client) = self.clients.get_mut(&fd) else { return };
        self.outbox.clear();
        let input = &client.input[..count];
        client.conversation.feed(input, &mut self.outbox, |_, _| {});
        (client.sent, client.len) = (0, self.outbox.len());
        self.send(fd);
    }

    fn complete(&mut self, done: &cqueue::Entry) {
        let (fd, kind) =
            ((done.user_data() >> 2) as RawFd, done.user_data() & 3);
        match (kind, usize::try_from(done.result())) {
            (ACCEPT, result) => {
                if result.is_ok() {
                    self.open(done.result());
                }
                self.accept();
            }
            (RECV, Ok(count)) if count > 0 => self.received(fd, count),
            (SEND, Ok(count)) => self.sent(fd, count),
            _ => drop(self.clients.remove(&fd)),
        }
    }

    fn open(&mut self, fd: RawFd) {
        // SAFETY: the kernel has just made this descriptor, for us alone.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        let conversation = Conversation::default();
        let input = Box::new([0; READ_SIZE]);
        let client = Client { socket, conversation, input, sent: 0, len: 0 };
        self.clients.insert(client.socket.as_raw_fd(), client);
        self.receive(fd);
    }

    fn sent(&mut self, fd: RawFd, count: usize) {
        let Some(client) = self.clients.get_mut(&fd) else { return };
        client.sent += count;
        if client.sent < client.len {
            self.send(fd);
        } else {
            self.receive(fd);
        }
    }
}
