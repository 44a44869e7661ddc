//! Exercise 18: a fixed number of threads share the work.
//! `cargo run -p step-02-threads --example pool -- 8888 4`

use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::thread;

use blocking::{
    Backoff, accept, is_connection_error, listen, local_address,
    serve_connection,
};
use protocol::{Call, Error, Log, Message, Result};

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map_while(|n| n.parse().ok());
    let port = numbers.next().unwrap_or(8888);
    let threads = numbers.next().unwrap_or(4);
    protocol::exit_code(run(port, threads))
}

fn run(port: u16, threads: u16) -> Result<()> {
    let listener = listen(([127, 0, 0, 1], port).into(), 4_096)?;
    let mut log = Log::new(false);
    log.notice(Message::Listening(local_address(&listener)?));
    log.flush();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| serve(&listener, Log::new(true)));
        }
    });
    Ok(())
}

/// One thread of the pool: the loop of step 01, on a listener that is shared.
fn serve(listener: &OwnedFd, mut log: Log) {
    let mut backoff = Backoff::default();
    loop {
        match accept(listener) {
            Ok((client, _)) => {
                let served = serve_connection(&client, || false, &mut log);
                if let Err(error) = served {
                    log.warn(&error);
                }
            }
            Err(error) if is_connection_error(&error) => {}
            Err(source) => {
                let error = Error { call: Call::Accept, source };
                thread::sleep(backoff.start(&error, &mut log));
            }
        }
    }
}
