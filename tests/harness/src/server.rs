//! A server to test: where it is, and its process if it is ours.

use std::net::SocketAddr;
use std::time::Duration;

use crate::port::ReservedPort;
use crate::stderr::message;
use crate::{CaseError, CaseResult, Client, Deadline, Launch, Process};

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    timeout: Duration,
    ours: Option<OwnServer>,
}

/// What belongs to a server that we started. Its port is free for others once
/// its process has ended: fields are dropped in their order.
#[derive(Debug)]
pub(crate) struct OwnServer {
    pub(crate) process: Process,
    pub(crate) launch: Launch,
    pub(crate) _port: Option<ReservedPort>,
}

impl Server {
    /// A server that runs already, started by another.
    #[must_use]
    pub fn running(address: SocketAddr, timeout: Duration) -> Self {
        Self { address, timeout, ours: None }
    }

    pub(crate) fn ours(
        address: SocketAddr,
        timeout: Duration,
        ours: OwnServer,
    ) -> Self {
        Self { address, timeout, ours: Some(ours) }
    }

    /// With so long to wait for anything that it should do.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How long to wait for anything that it should do.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Its process.
    ///
    /// # Errors
    /// It was not started by us.
    pub fn process(&self) -> Result<&Process, CaseError> {
        self.ours.as_ref().map(|ours| &ours.process).ok_or_else(not_ours)
    }

    /// A new client.
    ///
    /// # Errors
    /// The server is gone, or its accept queue is full.
    pub fn connect(&self) -> Result<Client, CaseError> {
        Client::connect(self.address, self.timeout)
    }

    /// So many new clients, all of them within the server's time.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_many(&self, count: usize) -> Result<Vec<Client>, CaseError> {
        let deadline = Deadline::after(self.timeout);
        let mut clients = Vec::with_capacity(count);
        while clients.len() < count {
            if deadline.remaining().is_none() {
                let (time, so_far) = (self.timeout, clients.len());
                return Err(CaseError::new("too few handshakes are completed")
                    .expected(format!("{count} connections within {time:?}"))
                    .came(format!("{so_far} connections")));
            }
            clients.push(self.connect()?);
        }
        Ok(clients)
    }

    /// Starts a second server on the port of this one.
    ///
    /// # Errors
    /// This one was not started by us.
    pub fn start_another_here(&self) -> Result<Process, CaseError> {
        let ours = self.ours.as_ref().ok_or_else(not_ours)?;
        ours.launch.spawn(self.address.port())
    }

    /// A new client gets its `pong`: whatever happened, the service goes on.
    ///
    /// # Errors
    /// It does not.
    pub fn still_serves(&self) -> CaseResult {
        self.connect()?.ask(b"ping\n", b"pong\n")
    }

    /// Adds to `failure` what the server's process has to say of it.
    #[must_use]
    pub fn explain(&self, failure: CaseError) -> CaseError {
        let Ok(process) = self.process() else { return failure };
        let failure = match process.ended() {
            Ok(Some(status)) => {
                failure.with("server", format!("it has ended: {status}"))
            }
            _ => failure,
        };
        let stderr = message(&process.stderr.text());
        if stderr.is_empty() { failure } else { failure.with("stderr", stderr) }
    }
}

fn not_ours() -> CaseError {
    CaseError::new("this needs a server that the test has started")
}
