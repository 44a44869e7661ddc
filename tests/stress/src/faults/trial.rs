//! A server, a fault, and what must hold after it.

use std::thread;
use std::time::Duration;

use super::fault::{Effect, Fault};
use super::load::Load;
use super::tracer::Traced;
use harness::steps::Target;
use harness::{
    CaseError, CaseResult, Client, Resources, SHUTDOWN_TIMEOUT, TIMEOUT,
    eventually,
};

/// Clients that have come before the fault, and stay.
const BYSTANDERS: usize = 3;
/// Two seconds for the server, and as much for `strace`.
const ENDS_WITHIN: Duration = SHUTDOWN_TIMEOUT.saturating_mul(2);
/// How often a new client may be turned away by errors that go on: ten of them,
/// and in two loops twice, since `strace` counts for each thread.
const TRIES: usize = 21;

/// What happened in a trial that went well.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// So many calls failed.
    pub errors: usize,
    /// So many replies came, each the right one.
    pub served: usize,
    /// So many connections ended before their time.
    pub ended: usize,
}

/// Tries `fault` on `target`, whose program is at `path`.
///
/// # Errors
/// The server did not bear it.
pub fn run_trial(
    target: &Target,
    path: &str,
    fault: &Fault,
) -> Result<Seen, CaseError> {
    let traced = Traced::start(target, path, fault, TIMEOUT)?;
    let trial = Trial { target, fault, traced };
    trial.run().map_err(|failure| trial.traced.explain(failure))
}

struct Trial<'a> {
    target: &'a Target,
    fault: &'a Fault,
    traced: Traced,
}

impl Trial<'_> {
    fn run(&self) -> Result<Seen, CaseError> {
        let mut load = Load::new(self.fault.effect);
        let mut bystanders = self.bystanders(&mut load)?;
        let before = self.settled()?;

        self.traced.begin()?;
        load.run(&self.traced.server, !self.target.one_at_a_time)?;
        load.ask_each(&mut bystanders)?;
        self.serves_a_new_client(&mut load)?;
        self.returns_to(before)?;
        self.is_idle()?;
        self.ends(bystanders, &mut load)?;
        self.judge(&load)
    }

    /// A server for one client at a time has none: the others would wait.
    fn bystanders(&self, load: &mut Load) -> Result<Vec<Client>, CaseError> {
        let server = &self.traced.server;
        // What is made once, at the first client, is made then.
        load.ask(&mut server.connect()?)?;
        let count = if self.target.one_at_a_time { 0 } else { BYSTANDERS };
        let mut clients = server.connect_many(count)?;
        load.ask_each(&mut clients)?;
        Ok(clients)
    }

    fn resources(&self) -> Result<Resources, CaseError> {
        Resources::of(self.traced.proc()?)
    }

    /// What it holds when the first client is forgotten.
    fn settled(&self) -> Result<Resources, CaseError> {
        let mut last = self.resources()?;
        eventually(TIMEOUT, || {
            thread::sleep(Duration::from_millis(20));
            let now = self.resources()?;
            if now == last {
                return Ok(());
            }
            last = now;
            Err(CaseError::new("the server does not settle"))
        })?;
        Ok(last)
    }

    fn serves_a_new_client(&self, load: &mut Load) -> CaseResult {
        for _ in 0..TRIES {
            if load.ask(&mut self.traced.server.connect()?)? {
                return Ok(());
            }
        }
        Err(CaseError::new("the server serves no new client"))
    }

    fn returns_to(&self, before: Resources) -> CaseResult {
        eventually(TIMEOUT, || {
            let mut most = before;
            if self.fault.effect == Effect::KeepsOneOpen {
                most.descriptors += self.traced.injected();
            }
            self.resources()?.at_most(most)
        })
    }

    /// With nothing to do it uses no processor.
    fn is_idle(&self) -> CaseResult {
        const WATCHED: Duration = Duration::from_millis(250);
        if self.fault.effect == Effect::KeepsOneOpen {
            // What `strace` kept open is in epoll's set still, and ready.
            return Ok(());
        }
        let proc = self.traced.proc()?;
        let before = proc.cpu_time()?;
        thread::sleep(WATCHED);
        let used = proc.cpu_time()?.saturating_sub(before);
        if used <= WATCHED / 5 {
            return Ok(());
        }
        Err(CaseError::new("the server spins with nothing to do")
            .came(format!("{used:?} of {WATCHED:?} on a processor")))
    }

    /// SIGTERM, with clients that are there and wait for the server's FIN.
    fn ends(&self, mut clients: Vec<Client>, load: &mut Load) -> CaseResult {
        for _ in 0..TRIES {
            let mut last = self.traced.server.connect()?;
            if load.ask(&mut last)? {
                clients.push(last);
                break;
            }
        }
        self.traced.ends_in_order(&mut clients, ENDS_WITHIN)
    }

    /// No more than the errors explain.
    fn judge(&self, load: &Load) -> Result<Seen, CaseError> {
        let errors = self.traced.injected();
        let &Load { served, ended, missing, .. } = load;
        let most =
            |effect| if self.fault.effect == effect { errors } else { 0 };
        if errors == 0 {
            return Err(CaseError::new(
                "the call was never made: nothing tried",
            ));
        }
        if ended > most(Effect::EndsOne) || missing > most(Effect::LosesBytes) {
            return Err(CaseError::new("clients came to harm")
                .expected(format!("{:?}", self.fault.effect))
                .came(format!("{ended} ended, {missing} bytes missing")));
        }
        Ok(Seen { errors, served, ended })
    }
}

impl Load {
    /// One line each. Those whose connection ended are gone from `clients`.
    fn ask_each(&mut self, clients: &mut Vec<Client>) -> CaseResult {
        let mut open = Vec::new();
        for mut client in clients.drain(..) {
            if self.ask(&mut client)? {
                open.push(client);
            }
        }
        *clients = open;
        Ok(())
    }
}
