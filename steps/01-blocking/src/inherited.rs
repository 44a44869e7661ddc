//! What a process inherits over `exec`, and a server must not rely on.
//!
//! Blocked signals, ignored signals and interval timers outlive `execve`. A
//! server that is started with SIGTERM blocked would never receive it; a timer
//! that its parent had set would end it. `man 2 execve`, `man 7 signal`.

use std::{io, mem, ptr};

use libc::{SIG_DFL, SIG_IGN, c_int, sighandler_t};

use crate::socket::check;

/// Gives signals and timers the state that a server relies on. To be called
/// before anything else: a thread inherits the signal mask of its creator.
///
/// # Errors
/// None on a correct system.
// ANCHOR: reset
pub fn reset_inherited() -> io::Result<()> {
    for timer in [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF] {
        // SAFETY: an itimerval of zeros is valid: a timer that is off.
        let off: libc::itimerval = unsafe { mem::zeroed() };
        // SAFETY: `off` outlives the call, and no old value is asked for.
        check(unsafe {
            libc::setitimer(timer, &raw const off, ptr::null_mut())
        })?;
    }
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGALRM] {
        set_handler(signal, SIG_DFL)?;
    }
    // Without these, `write` to a file at its size limit (`ulimit -f`) or to a
    // pipe that is not read any more ends the process. Now it is an error:
    // EFBIG, EPIPE.
    for signal in [libc::SIGXFSZ, libc::SIGPIPE] {
        set_handler(signal, SIG_IGN)?;
    }
    unblock_all()
}

/// `man 2 sigprocmask`.
fn unblock_all() -> io::Result<()> {
    // SAFETY: a sigset_t of zeros is valid: the empty set.
    let none: libc::sigset_t = unsafe { mem::zeroed() };
    let how = libc::SIG_SETMASK;
    // SAFETY: `none` outlives the call, and no old mask is asked for.
    check(unsafe { libc::sigprocmask(how, &raw const none, ptr::null_mut()) })?;
    Ok(())
}

/// Runs `handler` at `signal` from here on. `man 2 sigaction`.
pub(crate) fn set_handler(
    signal: c_int,
    handler: sighandler_t,
) -> io::Result<()> {
    // SAFETY: a sigaction of zeros is valid: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    // No SA_RESTART: a blocked `accept` or `send` has to return, with EINTR.
    action.sa_sigaction = handler;
    // SAFETY: `action` is valid, and its handler is async-signal-safe.
    check(unsafe {
        libc::sigaction(signal, &raw const action, ptr::null_mut())
    })?;
    Ok(())
}
// ANCHOR_END: reset

/// Takes back what [`reset_inherited`] does to signals: for a process that
/// starts another program, which is to begin as a shell would start it.
///
/// # Errors
/// None on a correct system.
pub fn default_signals() -> io::Result<()> {
    for signal in [libc::SIGXFSZ, libc::SIGPIPE] {
        set_handler(signal, SIG_DFL)?;
    }
    unblock_all()
}
