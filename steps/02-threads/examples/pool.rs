//! Exercise 18: a fixed number of threads share the work.
//! `cargo run -p step-02-threads --example pool -- 8888 4`

use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::thread;

use blocking::{
    AfterAccept, REST, accept, after_failed_accept, converse, listen,
    local_address,
};
use protocol::{Failure, Log, Message};

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map_while(|n| n.parse().ok());
    let port = numbers.next().unwrap_or(8888);
    let threads = numbers.next().unwrap_or(4);
    protocol::conclude(run(port, threads))
}

// ANCHOR: pool
fn run(port: u16, threads: u16) -> Result<(), Failure> {
    let listener = listen(([127, 0, 0, 1], port).into(), 4_096)?;
    let mut log = Log::new(false);
    log.announce(Message::Listening(local_address(&listener)?));
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
    loop {
        match accept(listener) {
            Ok((client, _)) => {
                if let Err(failure) = converse(&client, || false, &mut log) {
                    log.warn(&failure);
                }
            }
            Err(error) if after_failed_accept(&error) == AfterAccept::Rest => {
                thread::sleep(REST);
            }
            Err(_) => {}
        }
    }
}
// ANCHOR_END: pool
