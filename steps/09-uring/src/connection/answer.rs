//! From bytes to replies, in turns.
//!
//! `recv` takes as much as is asked for, and the rest waits in the kernel. A
//! multishot receive takes what is there. So the rest waits here, in the inbox,
//! and nothing more is received until that is empty.

use std::mem;

use protocol::{Frame, Log, Result};

use super::{Connection, OUTBOX_LIMIT, State};

/// Bytes that are answered in one turn, up to 2,048 empty lines: a client that
/// sends without end must not keep the others waiting.
pub(super) const TURN_BYTES: usize = 2 * 1_024;

impl Connection {
    /// Nothing is there but what is in the inbox.
    pub(super) fn drained(&mut self) -> Result<()> {
        if let State::Draining { bytes_left } = &mut self.state {
            *bytes_left = self.inbox.len().min(*bytes_left);
        }
        Ok(())
    }

    /// Answers `input`, as far as the turn and the outbox allow. Returns how
    /// many of its bytes are done with.
    // ANCHOR: answer
    pub(super) fn answer(&mut self, input: &[u8], log: &mut Log) -> usize {
        let allowed = match self.state {
            State::Open => self.turn_left,
            State::Draining { bytes_left } if bytes_left > 0 => {
                self.turn_left.min(bytes_left)
            }
            _ => return input.len(), // dropped
        };
        if self.unsent() > OUTBOX_LIMIT {
            return 0;
        }
        let count = allowed.min(input.len());
        let on_reply = |line: Frame<'_>, reply: &[u8]| {
            log.exchange(line, reply);
        };
        let input = &input[..count];
        self.conversation.feed(input, &mut self.outbox, on_reply);
        self.turn_left -= count;
        if let State::Draining { bytes_left } = &mut self.state {
            *bytes_left -= count;
        }
        count
    }

    /// Goes on with what an earlier turn has left, and begins a new one.
    pub(super) fn answer_inbox(&mut self, log: &mut Log) {
        let mut inbox = mem::take(&mut self.inbox);
        let count = self.answer(&inbox, log);
        inbox.drain(..count);
        self.turn_left = TURN_BYTES;
        if !inbox.is_empty() {
            self.inbox = inbox;
        } else if self.is_at_end {
            if self.is_answering() {
                self.conversation.finish(&mut self.outbox, |line, reply| {
                    log.exchange(line, reply);
                });
            }
            self.state = State::Flushing;
        }
    }

    fn is_answering(&self) -> bool {
        match self.state {
            State::Open => true,
            State::Draining { bytes_left } => bytes_left > 0,
            State::Lingering | State::Flushing => false,
        }
    }
    // ANCHOR_END: answer
}
