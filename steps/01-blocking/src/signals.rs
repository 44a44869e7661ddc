//! Signals: those that a process inherits, and a handler for those that stop it.
//!
//! A handler runs between any two instructions of the program, perhaps in the
//! middle of `malloc` or of `printf`, and so may call neither. Ours stores a
//! number and calls `shutdown`, which is on the list of what is allowed
//! (`man 7 signal-safety`). The number alone would not wake a blocked `accept`
//! or `recv`. What `shutdown` does stays done: such a call returns at once even
//! if it is made just after the signal.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};
use std::{io, mem, ptr};

use libc::c_int;
use nix::errno::Errno;
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction,
};

use crate::socket::{check, raw_fd};

/// By default each ends a process that writes to a file at its size limit
/// (`ulimit -f`), or to a pipe that is not read any more. Ignored, `write`
/// fails: EFBIG, EPIPE.
const IGNORED: [Signal; 2] = [Signal::SIGXFSZ, Signal::SIGPIPE];

/// No signal and no descriptor has this number.
const NONE: c_int = c_int::MAX;

/// The signal that asked the server to stop.
static RECEIVED: AtomicI32 = AtomicI32::new(NONE);
/// What the handler has to shut down.
static LISTENER: AtomicI32 = AtomicI32::new(NONE);
static CLIENT: AtomicI32 = AtomicI32::new(NONE);

/// How long a client may take, in seconds, to read its last replies.
const DRAIN_TIMEOUT_SECONDS: libc::c_uint = 1;

/// The signal that asked the server to stop, if one came.
pub(crate) fn received() -> Option<c_int> {
    Some(RECEIVED.load(SeqCst)).filter(|&signal| signal != NONE)
}

/// From here on a signal wakes a `recv` from `client`, too.
pub(crate) fn set_client(client: &OwnedFd) {
    CLIENT.store(raw_fd(client), SeqCst);
    // The signal may have come before the handler could know of this client.
    if received().is_some() {
        shutdown_fd(&CLIENT, libc::SHUT_RD);
    }
}

/// To be called before the client's descriptor is closed: its number may soon
/// be another's.
pub(crate) fn clear_client() {
    CLIENT.store(NONE, SeqCst);
}

/// From here on SIGINT and SIGTERM shut the server down.
pub(crate) fn install(listener: &OwnedFd) -> io::Result<()> {
    LISTENER.store(raw_fd(listener), SeqCst);
    let on_stop = SigHandler::Handler(on_stop);
    set_handler(&[Signal::SIGINT, Signal::SIGTERM], on_stop)?;
    set_handler(&[Signal::SIGALRM], SigHandler::Handler(on_alarm))
}

extern "C" fn on_stop(signal: c_int) {
    if RECEIVED.swap(signal, SeqCst) != NONE {
        // The second signal: the user means now. SAFETY: async-signal-safe.
        unsafe { libc::_exit(128 + signal) };
    }
    shutdown_fd(&LISTENER, libc::SHUT_RD);
    shutdown_fd(&CLIENT, libc::SHUT_RD);
    // A client that never reads would keep us in `send`: not for long.
    // SAFETY: async-signal-safe, and takes one number.
    unsafe { libc::alarm(DRAIN_TIMEOUT_SECONDS) };
}

extern "C" fn on_alarm(_: c_int) {
    if received().is_some() {
        shutdown_fd(&CLIENT, libc::SHUT_RDWR);
    }
}

/// `shutdown(2)`, leaving `errno` as the interrupted code had it.
fn shutdown_fd(socket: &AtomicI32, how: c_int) {
    let errno = Errno::last_raw();
    // SAFETY: takes two numbers; an error (a socket that is not connected, or
    // none at all) changes nothing.
    unsafe { libc::shutdown(socket.load(SeqCst), how) };
    Errno::set_raw(errno);
}

/// Gives signals and timers the state that a server relies on: blocked signals,
/// ignored ones and interval timers outlive `execve`. A server whose parent had
/// blocked SIGTERM would never receive it; a timer that its parent had set would
/// end it. To be called before anything else: a thread inherits the signal mask
/// of its creator. `man 2 execve`, `man 7 signal`. No error on a correct system.
pub fn reset_inherited() -> io::Result<()> {
    // SAFETY: an itimerval of zeros is valid: a timer that is off.
    let off: libc::itimerval = unsafe { mem::zeroed() };
    let old = ptr::null_mut(); // not asked for
    for timer in [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF] {
        // SAFETY: `off` outlives the call.
        check(unsafe { libc::setitimer(timer, &raw const off, old) })?;
    }
    let ending = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGALRM];
    set_handler(&ending, SigHandler::SigDfl)?;
    set_handler(&IGNORED, SigHandler::SigIgn)?;
    Ok(SigSet::empty().thread_set_mask()?)
}

/// Runs `handler` at `signals` from here on. `man 2 sigaction`.
fn set_handler(signals: &[Signal], handler: SigHandler) -> io::Result<()> {
    // No SA_RESTART: a blocked `accept` or `send` has to return, with EINTR.
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    for &signal in signals {
        // SAFETY: our handlers are async-signal-safe.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}

/// Takes back what [`reset_inherited`] does to signals, before another program
/// is started as a shell would start it. No error on a correct system.
pub fn default_signals() -> io::Result<()> {
    set_handler(&IGNORED, SigHandler::SigDfl)?;
    Ok(SigSet::empty().thread_set_mask()?)
}
