//! What a process ignores after `reset_inherited`, and what a program ignores
//! that it starts after `default_signals`. `man 5 proc_pid_status`, `SigIgn`.
#![cfg(target_os = "linux")]

use std::error::Error;

/// The set of signals that this process ignores, bit by bit.
fn ignored() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    Ok(u64::from_str_radix(line.ok_or("no SigIgn")?.trim(), 16)?)
}

#[test]
fn a_server_ignores_two_signals_and_what_it_starts_does_not()
-> Result<(), Box<dyn Error>> {
    let both = 1 << (libc::SIGXFSZ - 1) | 1 << (libc::SIGPIPE - 1);
    blocking::reset_inherited()?;
    assert_eq!(ignored()? & both, both);
    blocking::default_signals()?;
    assert_eq!(ignored()? & both, 0);
    Ok(())
}
