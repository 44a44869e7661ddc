//! One wake-up, call by call: run it under `strace`. A future that says when it
//! is polled, and a waker that says when it is used, around the real ones.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use async_server::{Runtime, Source, until};
use protocol::{Call, PONG, Result, ResultExt};

const PAUSE: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    protocol::exit_code(run())
}

fn run() -> Result<()> {
    let (ours, mut theirs) = UnixStream::pair().context(Call::Socket)?;
    ours.set_nonblocking(true).context(Call::Socket)?;
    let client = thread::spawn(move || {
        // Each time the task is to wait before something comes.
        thread::sleep(PAUSE);
        theirs.write_all(b"ping\n")?;
        thread::sleep(PAUSE);
        theirs.shutdown(Shutdown::Write)?; // the FIN
        theirs.read_exact(&mut [0; PONG.len()])?;
        std::io::Result::Ok(theirs) // open until both are at their end
    });
    let runtime = Rc::new(Runtime::new()?);
    let source = Source::new(OwnedFd::from(ours), &runtime)?;
    let is_over = Rc::new(Cell::new(false));
    let over = Rc::clone(&is_over);
    runtime.spawn(async move {
        let _ = announced(serve(source)).await;
        over.set(true);
    });
    runtime.block_on(until(|| is_over.get()), || {})?;
    let _ = client.join();
    Ok(())
}

async fn serve(client: Source<OwnedFd>) -> Result<()> {
    let buffer = RefCell::new([0; 2_048]);
    while client.read(&buffer).await? > 0 {
        client.write_all(PONG).await?;
    }
    Ok(())
}

async fn announced<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|cx| {
        println!("poll {{");
        let waker = Waker::from(Arc::new(Announced(cx.waker().clone())));
        let result = future.as_mut().poll(&mut Context::from_waker(&waker));
        let name = if result.is_ready() { "Ready" } else { "Pending" };
        println!("}} {name}");
        result
    })
    .await
}

struct Announced(Waker);

impl Wake for Announced {
    fn wake(self: Arc<Self>) {
        println!("wake");
        self.0.wake_by_ref();
    }
}
