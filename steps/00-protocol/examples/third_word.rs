//! Exercise 6: a protocol with one more word.
//! `cargo run -p step-00-protocol --example third_word`

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::{Frame, Framer};

fn reply(frame: Frame<'_>, replies: &mut Vec<u8>) {
    match frame {
        Frame::Line(line) if line.eq_ignore_ascii_case(b"time") => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            // A clock before 1970, and a write to a Vec: neither stops us.
            let seconds = now.unwrap_or_default().as_secs();
            let _ = writeln!(replies, "{seconds}");
        }
        other => protocol::reply(other, replies),
    }
}

fn main() {
    let mut replies = Vec::new();
    let input = b"ping\nTime\nhello\n";
    Framer::default().feed(input, |frame| reply(frame, &mut replies));
    print!("{}", String::from_utf8_lossy(&replies));
}
