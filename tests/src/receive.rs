//! Reading up to a deadline, and telling why no more came.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

use crate::{Deadline, shown};

/// Why no more bytes were read.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Those that came are all that were asked for.
    Enough,
    /// The server's FIN.
    End,
    /// Nothing came for so long.
    Silence(Duration),
    /// ECONNRESET, most often.
    Broken(io::Error),
}

/// What came, and why no more.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    pub(crate) stop: Stop,
}

impl Received {
    /// Reads until there are `count` bytes, or `right` says of those so far
    /// that they are not right, or no more come.
    pub(crate) fn from(
        stream: &TcpStream,
        patience: Duration,
        count: usize,
        right: impl Fn(&[u8]) -> bool,
    ) -> Self {
        let deadline = Deadline::after(patience);
        let mut buffer = vec![0; count.min(64 << 10)];
        let mut bytes = Vec::new();
        let stop = loop {
            let room = buffer.len().min(count - bytes.len());
            if room == 0 || !right(&bytes) {
                break Stop::Enough;
            }
            match read_before(stream, deadline, &mut buffer[..room]) {
                Ok(0) => break Stop::End,
                Ok(read) => bytes.extend_from_slice(&buffer[..read]),
                Err(error) if timed_out(&error) => {
                    break Stop::Silence(patience);
                }
                Err(error) => break Stop::Broken(error),
            }
        };
        Self { bytes, stop }
    }

    /// In words: the bytes, as `text` shows them, and what came after.
    pub(crate) fn told(&self, text: &str) -> String {
        let after = match &self.stop {
            Stop::Enough => return text.to_owned(),
            Stop::End => "the end of the stream (FIN)".to_owned(),
            Stop::Silence(time) => format!("nothing within {time:?}"),
            Stop::Broken(error) => error.to_string(),
        };
        if self.bytes.is_empty() {
            after
        } else {
            format!("{text}, then {after}")
        }
    }
}

impl std::fmt::Display for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.told(&shown(&self.bytes)))
    }
}

fn read_before(
    mut stream: &TcpStream,
    deadline: Deadline,
    buffer: &mut [u8],
) -> io::Result<usize> {
    loop {
        let left = deadline.left().ok_or(ErrorKind::TimedOut)?;
        stream.set_read_timeout(Some(left))?;
        match stream.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// To the kernel the end of a socket's timeout is EAGAIN.
pub(crate) fn timed_out(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}
