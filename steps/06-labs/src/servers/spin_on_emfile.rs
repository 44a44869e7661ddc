//! Calls `accept` again at once, whatever it returned: the lab `descriptors`.

use std::os::fd::OwnedFd;
use std::thread::Builder;

use blocking::{accept, serve_connection};
use protocol::{Call, Error, Log, Result};

/// The naive server: a thread per client, and `accept` again at once.
pub(crate) fn serve(listener: &OwnedFd) -> Result<()> {
    let mut log = Log::new(true);
    loop {
        match accept(listener) {
            Ok((client, _)) => {
                let mut log = Log::new(log.quiet);
                let _ = Builder::new().spawn(move || {
                    serve_connection(client, || false, &mut log)
                });
            }
            // The article's `perror` and `continue`.
            Err(error) => {
                log.error(&Error { call: Call::Accept, source: error })
            }
        }
    }
}
