//! Which errors of `accept` concern one connection, and what comes after the
//! others.

use std::error::Error as StdError;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use blocking::{Backoff, is_connection_error};
use protocol::{Call, Error, Log};

type Result = std::result::Result<(), Box<dyn StdError>>;

const PAUSE: Duration = Duration::from_millis(100);

fn emfile() -> Error {
    let source = io::Error::from_raw_os_error(libc::EMFILE);
    Error { call: Call::Accept, source }
}

#[test]
fn one_connection_is_to_blame_or_the_process() {
    for errno in [
        libc::EINTR,
        libc::EAGAIN,
        libc::ECONNABORTED,
        libc::EPROTO,
        libc::ENETDOWN,
        libc::EHOSTUNREACH,
        libc::ETIMEDOUT,
    ] {
        let error = io::Error::from_raw_os_error(errno);
        assert!(is_connection_error(&error), "{error}");
    }
    for errno in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM] {
        let error = io::Error::from_raw_os_error(errno);
        assert!(!is_connection_error(&error), "{error}");
    }
    let forbidden = io::Error::from_raw_os_error(libc::EPERM);
    assert!(!is_connection_error(&forbidden));
}

#[test]
fn a_pause_ends_by_itself() -> Result {
    let mut backoff = Backoff::default();
    let before = Instant::now();
    assert_eq!(backoff.until(before), None);
    assert_eq!(backoff.start(&emfile(), &mut Log::new(true)), PAUSE);
    let until = backoff.until(before).ok_or("there is no pause")?;
    assert!(until >= before + PAUSE && until <= Instant::now() + PAUSE);
    let moment = Duration::from_nanos(1);
    assert_eq!(backoff.until(until - moment), Some(until));
    assert_eq!(backoff.until(until), None);
    Ok(())
}

#[test]
fn a_pause_ends_when_it_is_reset() {
    let mut backoff = Backoff::default();
    backoff.start(&emfile(), &mut Log::new(true));
    backoff.reset();
    assert_eq!(backoff.until(Instant::now()), None);
}

const IN_CHILD: &str = "BACKOFF_IN_CHILD";

#[test]
fn an_error_that_lasts_is_logged_once() -> Result {
    if std::env::var_os(IN_CHILD).is_some() {
        let (mut backoff, mut log) = (Backoff::default(), Log::new(true));
        for _ in 0..3 {
            backoff.start(&emfile(), &mut log);
        }
        return Ok(());
    }
    let name = "an_error_that_lasts_is_logged_once";
    let output = Command::new(std::env::current_exe()?)
        .args(["--exact", name])
        .env(IN_CHILD, "1")
        .output()?;
    let stderr = String::from_utf8(output.stderr)?;
    assert_eq!(stderr.matches("[!]").count(), 1, "{stderr}");
    Ok(())
}
