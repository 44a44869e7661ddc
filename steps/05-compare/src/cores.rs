//! Who runs on which core.
//!
//! Left alone, the scheduler likes to put two processes that talk to each
//! other on one core: then either waits while the other works, and a server
//! looks half as fast as it is. Or it does not: then the next round differs by
//! a factor of two for no reason of the server's. So the client has a core of
//! its own, and the server has all the others. `man 2 sched_setaffinity`.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// This thread.
const SELF: Pid = Pid::from_raw(0);

/// The cores that we may use, dealt out.
// ANCHOR: cores
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    client: CpuSet,
    server: CpuSet,
    /// How many the server has.
    pub(crate) servers: usize,
    /// The client shares none of them.
    pub(crate) own_core: bool,
}

impl Cores {
    /// All for both: the scheduler decides.
    pub(crate) fn shared() -> Self {
        let all = sched_getaffinity(SELF).unwrap_or_default();
        Self {
            client: all,
            server: all,
            servers: numbers(all).count(),
            own_core: false,
        }
    }

    /// The first core for the client, the others for the server. Where there
    /// is only one, they share it.
    pub(crate) fn dealt() -> Self {
        let shared = Self::shared();
        let Some(first) = numbers(shared.server).next() else { return shared };
        let (mut client, mut server) = (CpuSet::new(), shared.server);
        let dealt = client.set(first).and_then(|()| server.unset(first));
        match (dealt, shared.servers) {
            (Ok(()), 2..) => Self {
                client,
                server,
                servers: shared.servers - 1,
                own_core: true,
            },
            _ => shared,
        }
    }

    /// Calls `start` on the server's cores: a process that it starts inherits
    /// them.
    pub(crate) fn for_server<T>(&self, start: impl FnOnce() -> T) -> T {
        // What fails here makes a measurement noisier and not impossible.
        let _ = sched_setaffinity(SELF, &self.server);
        let started = start();
        let _ = sched_setaffinity(SELF, &self.client);
        started
    }
}
// ANCHOR_END: cores

/// The numbers of the cores in `set`.
fn numbers(set: CpuSet) -> impl Iterator<Item = usize> {
    (0..CpuSet::count()).filter(move |&number| set.is_set(number) == Ok(true))
}
