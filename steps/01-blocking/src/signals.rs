//! A signal handler that does only what it may.
//!
//! A handler runs between any two instructions of the program, perhaps in the
//! middle of `malloc` or of `printf`, and so may call neither. The article's
//! calls `printf` and `exit`. Ours stores a number and calls `shutdown`, which
//! is on the list of what is allowed (`man 7 signal-safety`).
//!
//! Why `shutdown`? A flag alone would not wake a blocked `accept` or `recv`,
//! and a signal that arrives just before such a call would go unseen until the
//! next client. What `shutdown` does stays done: the call returns at once,
//! whenever it is made.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};

use libc::c_int;
use nix::errno::Errno;
use nix::sys::signal::{SigHandler, Signal};

use crate::inherited::set_handler;
use crate::socket::raw_fd;

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
///
/// # Errors
/// None on a correct system: the signals can be caught.
pub(crate) fn install(listener: &OwnedFd) -> io::Result<()> {
    LISTENER.store(raw_fd(listener), SeqCst);
    set_handler(Signal::SIGINT, SigHandler::Handler(on_stop))?;
    set_handler(Signal::SIGTERM, SigHandler::Handler(on_stop))?;
    set_handler(Signal::SIGALRM, SigHandler::Handler(on_alarm))
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
