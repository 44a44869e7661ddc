//! Reading up to a deadline, and telling why no more came.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

use crate::{Deadline, shown};

/// Why no more bytes were read.
#[derive(Debug)]
pub enum ReadEnd {
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
pub struct Received {
    /// What came.
    pub bytes: Vec<u8>,
    /// Why no more.
    pub end: ReadEnd,
}

impl Received {
    /// Reads until there are `count` bytes, or `right` says of those so far
    /// that they are not right, or no more come.
    pub fn from(
        stream: &TcpStream,
        timeout: Duration,
        count: usize,
        right: impl Fn(&[u8]) -> bool,
    ) -> Self {
        let deadline = Deadline::after(timeout);
        let mut buffer = vec![0; count.min(64 << 10)];
        let mut bytes = Vec::new();
        let end = loop {
            let room = buffer.len().min(count - bytes.len());
            if room == 0 || !right(&bytes) {
                break ReadEnd::Enough;
            }
            match read_before(stream, deadline, &mut buffer[..room]) {
                Ok(0) => break ReadEnd::End,
                Ok(read) => bytes.extend_from_slice(&buffer[..read]),
                Err(error) if timed_out(&error) => {
                    break ReadEnd::Silence(timeout);
                }
                Err(error) => break ReadEnd::Broken(error),
            }
        };
        Self { bytes, end }
    }

    /// In words: the bytes, as `text` shows them, and what came after.
    pub fn describe(&self, text: &str) -> String {
        let after = match &self.end {
            ReadEnd::Enough => return text.to_owned(),
            ReadEnd::End => "the end of the stream (FIN)".to_owned(),
            ReadEnd::Silence(time) => format!("nothing within {time:?}"),
            ReadEnd::Broken(error) => error.to_string(),
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
        f.write_str(&self.describe(&shown(&self.bytes)))
    }
}

fn read_before(
    mut stream: &TcpStream,
    deadline: Deadline,
    buffer: &mut [u8],
) -> io::Result<usize> {
    loop {
        let left = deadline.remaining().ok_or(ErrorKind::TimedOut)?;
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
