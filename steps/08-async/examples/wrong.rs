//! Servers on this step's runtime that make one mistake each, for the chapter
//! and its test: `wrong lost-waker --port 8888`. With `none` it is right.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_server::{Runtime, Source, race};
use blocking::{accept_nonblocking, listen, local_address, recv, send};
use clap::{Parser, ValueEnum};
use epoll::set_nonblocking;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use protocol::{Call, Conversation, Log, Message, Result, ResultExt};

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mistake {
    None,
    LostWaker,
    WrongWaker,
    BlockingCall,
    LossySelect,
    NeverPending,
}

#[derive(Debug, Parser)]
struct Options {
    mistake: Mistake,
    #[arg(long, default_value_t = 8888)]
    port: u16,
}

type Client = Source<OwnedFd>;

struct Server {
    runtime: Rc<Runtime>,
    mistake: Mistake,
    buffer: RefCell<[u8; 2_048]>,
    /// The first waker that was ever seen.
    kept: RefCell<Option<Waker>>,
}

fn main() -> ExitCode {
    protocol::exit_code(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let address = SocketAddr::from(([127, 0, 0, 1], options.port));
    let listener = listen(address, 4_096)?;
    set_nonblocking(&listener)?;
    Log::new(true).notice(Message::Listening(local_address(&listener)?));
    let runtime = Rc::new(Runtime::new()?);
    let listener = Source::new(listener, &runtime)?;
    let server = Rc::new(Server {
        runtime: Rc::clone(&runtime),
        mistake: options.mistake,
        buffer: RefCell::new([0; 2_048]),
        kept: RefCell::default(),
    });
    runtime.block_on(server.accept(listener), || {})?
}

fn set_flags(fd: &OwnedFd, flags: OFlag) -> Result<()> {
    fcntl(fd, FcntlArg::F_SETFL(flags)).map(drop).context(Call::SetSockOpt)
}

impl Server {
    async fn accept(self: &Rc<Self>, listener: Client) -> Result<()> {
        loop {
            let accept = || accept_nonblocking(&listener.io);
            let (socket, _) = listener.when_ready(Call::Accept, accept).await?;
            let client = Source::new(socket, &self.runtime)?;
            let server = Rc::clone(self);
            self.runtime.spawn(async move {
                // An error ends this client's task, and no other.
                let _ = server.converse(&client).await;
            });
        }
    }

    async fn converse(&self, client: &Client) -> Result<()> {
        let (mut conversation, mut replies) =
            (Conversation::default(), Vec::new());
        loop {
            let input = self.receive(client).await?;
            match &input[..] {
                [] => conversation.finish(&mut replies, |_, _| {}),
                input => conversation.feed(input, &mut replies, |_, _| {}),
            }
            match self.mistake {
                Mistake::NeverPending => Self::send_at_once(client, &replies)?,
                _ => client.write_all(&replies).await?,
            }
            if input.is_empty() {
                return Ok(());
            }
            replies.clear();
        }
    }

    /// What has arrived; nothing at the end of the stream.
    async fn receive(&self, client: &Client) -> Result<Vec<u8>> {
        let count = match self.mistake {
            Mistake::None => client.read(&self.buffer).await?,
            Mistake::LostWaker => self.lost_waker(client).await?,
            Mistake::WrongWaker => self.wrong_waker(client).await?,
            Mistake::BlockingCall => self.blocking_call(client)?,
            Mistake::LossySelect => return self.lossy_select(client).await,
            Mistake::NeverPending => self.never_pending(client).await?,
        };
        Ok(self.buffer.borrow()[..count].to_vec())
    }

    fn lost_waker(
        &self,
        client: &Client,
    ) -> impl Future<Output = Result<usize>> {
        // `Pending`, and no waker is left anywhere.
        poll_fn(|_| match client.try_read(&self.buffer) {
            Err(e) if e.kind() == ErrorKind::WouldBlock => Poll::Pending,
            result => Poll::Ready(result.context(Call::Recv)),
        })
    }

    async fn wrong_waker(&self, client: &Client) -> Result<usize> {
        // A waker is asked for once and kept. It is that of the first task.
        let mut read = pin!(client.read(&self.buffer));
        poll_fn(|cx| {
            let mut kept = self.kept.borrow_mut();
            let waker = kept.get_or_insert_with(|| cx.waker().clone());
            read.as_mut().poll(&mut Context::from_waker(waker))
        })
        .await
    }

    fn blocking_call(&self, client: &Client) -> Result<usize> {
        // Step 02's call, in a task.
        set_flags(&client.io, OFlag::empty())?;
        recv(&client.io, &mut *self.buffer.borrow_mut()).context(Call::Recv)
    }

    async fn lossy_select(&self, client: &Client) -> Result<Vec<u8>> {
        // Reads a line, and every 10 ms looks at something else. Then the future
        // that reads is dropped, and what it has read with it.
        loop {
            let tick = self.runtime.sleep(Duration::from_millis(10));
            let line = pin!(self.read_line(client));
            if let Some(line) = race(line, tick).await {
                return line;
            }
        }
    }

    async fn read_line(&self, client: &Client) -> Result<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            let count = client.read(&self.buffer).await?;
            line.extend(&self.buffer.borrow()[..count]);
            if count == 0 || line.contains(&b'\n') {
                return Ok(line);
            }
        }
    }

    async fn never_pending(&self, client: &Client) -> Result<usize> {
        // As long as the client sends, there is something to read, and soon there
        // is room to write. So why wait?
        match client.try_read(&self.buffer) {
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                client.read(&self.buffer).await
            }
            result => result.context(Call::Recv),
        }
    }

    fn send_at_once(client: &Client, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            match send(&client.io, bytes) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                result => bytes = &bytes[result.context(Call::Send)?..],
            }
        }
        Ok(())
    }
}
