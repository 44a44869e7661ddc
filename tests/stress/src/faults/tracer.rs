//! A server that `strace` will trace once it is ready.
//!
//! The faults must not hit the server's start, so `strace` comes later. But
//! many systems let a process be traced by its ancestors alone (`man 2 ptrace`,
//! `/proc/sys/kernel/yama/ptrace_scope`). Hence a shell: it starts the server,
//! waits, and then *becomes* `strace` with `exec`, which leaves it the server's
//! parent.

use std::time::Duration;

use nix::sys::signal::Signal::{SIGCONT, SIGTERM};
use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::fault::Fault;
use super::log::TraceLog;
use super::matrix::options;
use harness::steps::Target;
use harness::{
    CaseError, CaseResult, Client, Launch, Proc, Server, poll_until,
};

/// `kill -STOP`: the shell waits here until we say SIGCONT.
const SCRIPT: &str = r#"
log=$1 call=$2 fault=$3; shift 3
"$@" &
echo $$ >&2
kill -STOP $$
exec strace -f -q -o "$log" -p $! \
    -e signal=none -e trace="$call" -e inject="$call:$fault"
"#;

/// A running server, and what is about to happen to it.
#[derive(Debug)]
pub(super) struct Traced {
    pub(super) server: Server,
    /// The shell, and then `strace`.
    tracer: Pid,
    log: TraceLog,
}

impl Traced {
    /// Starts `target`, whose program is at `path`, and no fault yet.
    pub(super) fn start(
        target: &Target,
        path: &str,
        fault: &Fault,
        timeout: Duration,
    ) -> Result<Self, CaseError> {
        let log = TraceLog::new();
        let file = log.path.to_string_lossy().into_owned();
        let expression = fault.expression();
        let script = ["-c", SCRIPT, "sh", &file, fault.call, &expression];
        let server = Launch::program("sh", &script)
            .args(&[path, "--port", "{port}"])
            .args(target.options)
            .args(options(target))
            .start(timeout)?;
        let number = server.process()?.stderr.first_line(timeout);
        let tracer = number.parse().map(Pid::from_raw);
        let tracer = tracer.map_err(CaseError::of("the shell's number"))?;
        Ok(Self { server, tracer, log })
    }

    /// The server's own process.
    pub(super) fn proc(&self) -> Result<Proc, CaseError> {
        Ok(self.server.process()?.proc())
    }

    /// From here on the faults happen.
    pub(super) fn begin(&self) -> CaseResult {
        let server = self.proc()?;
        let traced = poll_until(self.server.timeout(), || {
            // Again and again: it may not have stopped yet.
            kill(self.tracer, SIGCONT).map_err(CaseError::of("kill"))?;
            Ok(server.is_traced().then_some(()))
        })?;
        traced.ok_or_else(|| CaseError::new("strace does not attach"))
    }

    /// How many calls have been given our answer so far.
    pub(super) fn injected(&self) -> usize {
        self.log.injected()
    }

    /// Asks the server to end, and waits for that: within `timeout`, and with
    /// status 0.
    pub(super) fn ends_in_order(
        &self,
        clients: &mut [Client],
        timeout: Duration,
    ) -> CaseResult {
        let process = self.server.process()?;
        process.signal(SIGTERM)?;
        for client in clients {
            client.read_to_the_end()?;
        }
        process.wait(timeout)?;
        match self.end().as_deref() {
            Some("exited with 0") => Ok(()),
            other => Err(CaseError::new("the server does not end in order")
                .sent("SIGTERM")
                .expected("exited with 0")
                .came(other.unwrap_or("nothing that strace knows of"))),
        }
    }

    fn end(&self) -> Option<String> {
        self.log.end_of(self.server.process().ok()?.pid())
    }

    /// Adds to `failure` what is known of the server.
    pub(super) fn explain(&self, failure: CaseError) -> CaseError {
        let Ok(process) = self.server.process() else { return failure };
        let lines = process.stderr.text();
        let lines: Vec<_> = lines.lines().skip(1).take(3).collect();
        failure
            .with("errors", self.injected().to_string())
            .with("server", self.end().unwrap_or_else(|| "it runs".into()))
            .with("stderr", lines.join("\n"))
    }
}
