//! Clients that tell an ended connection from a wrong reply.
//!
//! A connection that the error was about may end. No client may ever get a
//! reply that is not its own, and none may wait for a reply that never comes.

use super::fault::Effect;
use harness::{CaseError, CaseResult, Client, ReadEnd, Server, shown};

/// Clients that come one after the other.
const IN_TURN: usize = 8;
/// Clients that are there at the same time.
const CROWD: usize = 16;
/// What each of the former asks: enough that the fourth call is made.
const MUCH: usize = 6;

/// What the clients have seen so far.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) served: usize,
    /// Connections that the server ended before the reply.
    pub(super) ended: usize,
    /// Bytes that replies began without.
    pub(super) missing: usize,
    effect: Effect,
    lines: usize,
}

impl Load {
    pub(super) fn new(effect: Effect) -> Self {
        Self { served: 0, ended: 0, missing: 0, effect, lines: 0 }
    }

    /// The whole of it.
    pub(super) fn run(
        &mut self,
        server: &Server,
        together: bool,
    ) -> CaseResult {
        for number in 0..IN_TURN {
            let mut client = server.connect()?;
            let open = self.ask_much(&mut client)?;
            match number % 4 {
                0 if open => client.half_close()?,
                1 if open => client.reset()?,
                _ => {}
            }
        }
        self.crowd(server, together)
    }

    fn ask_much(&mut self, client: &mut Client) -> Result<bool, CaseError> {
        for _ in 0..MUCH {
            if !self.ask(client)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// All send, then all read, and only then do they leave. Unless they are
    /// not served `together`: then each lets in the next when it has its reply.
    fn crowd(&mut self, server: &Server, together: bool) -> CaseResult {
        let mut clients = server.connect_many(CROWD)?;
        let mut replies = Vec::new();
        for client in &mut clients {
            let (line, reply) = self.next_line();
            // An error here is found again when no reply comes.
            let _ = client.send(&line);
            if !together {
                let _ = client.half_close();
            }
            replies.push(reply);
        }
        for (client, reply) in clients.iter_mut().zip(replies) {
            self.expect(client, &reply)?;
        }
        Ok(())
    }

    /// One line and its reply. Says whether the connection is still open.
    pub(super) fn ask(
        &mut self,
        client: &mut Client,
    ) -> Result<bool, CaseError> {
        let (line, reply) = self.next_line();
        if client.send(&line).is_err() {
            self.ended += 1;
            return Ok(false);
        }
        self.expect(client, &reply)
    }

    /// A line that no other client sends.
    fn next_line(&mut self) -> (Vec<u8>, Vec<u8>) {
        self.lines += 1;
        let line = format!("line {}", self.lines);
        let reply = format!("受信しました: {line}\n");
        (format!("{line}\n").into(), reply.into())
    }

    fn expect(
        &mut self,
        client: &mut Client,
        reply: &[u8],
    ) -> Result<bool, CaseError> {
        let right = |bytes: &[u8]| match self.effect {
            Effect::LosesBytes => true,
            _ => reply.starts_with(bytes),
        };
        let unfinished = |bytes: &[u8]| right(bytes) && !bytes.ends_with(b"\n");
        let received = client.receive(reply.len(), unfinished);
        let bytes = &received.bytes;
        if right(bytes) && bytes.ends_with(b"\n") && reply.ends_with(bytes) {
            self.served += 1;
            self.missing += reply.len() - bytes.len();
            return Ok(true);
        }
        if right(bytes)
            && matches!(received.end, ReadEnd::End | ReadEnd::Broken(_))
        {
            self.ended += 1;
            return Ok(false);
        }
        Err(CaseError::new("a client does not get its reply")
            .expected(shown(reply))
            .came(received.to_string()))
    }
}
