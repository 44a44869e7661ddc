//! How far what was sent has come.
//!
//! Bytes travel while both programs go on, on loopback too: when `send` and
//! `close` return they need not have arrived. Where the kernel has no table of
//! them nothing here waits.

use crate::proc::Queues;
use crate::{CaseError, CaseResult, Client, eventually};

impl Client {
    /// Waits until all that was sent, a FIN included, is in the server's
    /// kernel, be it read or not.
    ///
    /// # Errors
    /// It does not arrive.
    pub fn has_arrived(&self) -> CaseResult {
        self.until_none_is_left(|queues| queues.on_the_way)
    }

    /// Waits until the server has read all that was sent.
    ///
    /// # Errors
    /// It does not.
    pub fn is_read(&self) -> CaseResult {
        self.until_none_is_left(|queues| queues.on_the_way + queues.unread)
    }

    /// The bytes of replies that the server's kernel holds for this client.
    ///
    /// # Errors
    /// None but the kernel's own.
    pub fn replies_on_the_way(&self) -> Result<u64, CaseError> {
        let peer = self.stream.peer_addr().map_err(CaseError::of("peer"))?;
        Ok(Queues::between(peer, self.address()?).on_the_way)
    }

    fn until_none_is_left(&self, left: fn(Queues) -> u64) -> CaseResult {
        let peer = self.stream.peer_addr().map_err(CaseError::of("peer"))?;
        let ours = self.address()?;
        eventually(self.timeout, || match left(Queues::between(ours, peer)) {
            0 => Ok(()),
            n => Err(CaseError::new(format!("{n} bytes are on their way"))),
        })
    }
}
