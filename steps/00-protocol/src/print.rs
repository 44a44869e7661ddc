//! Printing results, which may fail.

use std::io::{self, ErrorKind, Write};

/// Prints `text` at once. `println!` would panic where nobody reads it.
///
/// # Errors
/// ENOSPC where stdout is a file on a full disk. EPIPE is not among them: the
/// reader, such as `head -1`, has read enough. `man 2 write`.
// ANCHOR: print
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
// ANCHOR_END: print
