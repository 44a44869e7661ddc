//! What a process inherits over `exec`, and a server must not rely on.
//!
//! Blocked signals, ignored signals and interval timers outlive `execve`. A
//! server that is started with SIGTERM blocked would never receive it; a timer
//! that its parent had set would end it. `man 2 execve`, `man 7 signal`.

use std::{io, mem, ptr};

use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction,
};

use crate::socket::check;

/// By default each ends a process that writes to a file at its size limit
/// (`ulimit -f`), or to a pipe that is not read any more. Ignored, `write`
/// fails: EFBIG, EPIPE.
const IGNORED: [Signal; 2] = [Signal::SIGXFSZ, Signal::SIGPIPE];

/// Gives signals and timers the state that a server relies on. To be called
/// before anything else: a thread inherits the signal mask of its creator.
///
/// # Errors
/// None on a correct system.
pub fn reset_inherited() -> io::Result<()> {
    // SAFETY: an itimerval of zeros is valid: a timer that is off.
    let off: libc::itimerval = unsafe { mem::zeroed() };
    let old = ptr::null_mut(); // not asked for
    for timer in [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF] {
        // SAFETY: `off` outlives the call.
        check(unsafe { libc::setitimer(timer, &raw const off, old) })?;
    }
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGALRM] {
        set_handler(signal, SigHandler::SigDfl)?;
    }
    for signal in IGNORED {
        set_handler(signal, SigHandler::SigIgn)?;
    }
    Ok(SigSet::empty().thread_set_mask()?)
}

/// Runs `handler` at `signal` from here on. `man 2 sigaction`.
pub(crate) fn set_handler(
    signal: Signal,
    handler: SigHandler,
) -> io::Result<()> {
    // No SA_RESTART: a blocked `accept` or `send` has to return, with EINTR.
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: our handlers are async-signal-safe.
    unsafe { sigaction(signal, &action) }?;
    Ok(())
}

/// Takes back what [`reset_inherited`] does to signals: for a process that
/// starts another program, which is to begin as a shell would start it.
///
/// # Errors
/// None on a correct system.
pub fn default_signals() -> io::Result<()> {
    for signal in IGNORED {
        set_handler(signal, SigHandler::SigDfl)?;
    }
    Ok(SigSet::empty().thread_set_mask()?)
}
