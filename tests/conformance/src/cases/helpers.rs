//! The protocol's words, spelled out anew, and what several cases need.

use harness::{CaseError, Client, Server};

/// The reply to a line that is too long.
pub(super) const TOO_LONG: &[u8] =
    "エラー: 1行は1000バイトまでです\n".as_bytes();

/// The reply to any line but `ping`.
pub(super) fn echo(line: &[u8]) -> Vec<u8> {
    ["受信しました: ".as_bytes(), line, b"\n"].concat()
}

/// `line`, `count` times.
pub(super) fn times(count: usize, line: &[u8]) -> Vec<u8> {
    line.repeat(count)
}

/// Stops the server, and gives it a client whose `ping` has arrived meanwhile.
pub(super) fn waiting_for_a_stopped(
    server: &Server,
) -> Result<Client, CaseError> {
    let mut client = server.connect()?;
    client.ask(b"ping\n", b"pong\n")?;
    server.process()?.stop()?;
    client.send(b"ping\n")?;
    client.has_arrived()?;
    Ok(client)
}

/// A client that has sent lines, and read none of the replies, until the server
/// took no more.
pub(super) struct Stalled {
    pub(super) client: Client,
    /// All that it will get when it reads again and [`rest`](Self::rest) is
    /// sent.
    pub(super) replies: Vec<u8>,
    /// What is missing of the last line.
    pub(super) rest: Vec<u8>,
}

impl Stalled {
    /// More than the kernel keeps for a connection: `man 7 tcp`, `tcp_wmem` and
    /// `tcp_rmem`.
    const MOST: usize = 64 << 20;

    pub(super) fn new(server: &Server) -> Result<Self, CaseError> {
        let text = times(999, b"z");
        let line = [&text[..], b"\n"].concat();
        let mut client = server.connect()?;
        // Several at once: fewer calls.
        let sent = client.fill_unless(&line.repeat(50), Self::MOST, || {
            let process = server.process();
            process.is_ok_and(|p| p.proc().wants_to_run())
        })?;
        let replies = echo(&text).repeat(sent.div_ceil(line.len()));
        let cut = sent % line.len();
        let rest = if cut == 0 { Vec::new() } else { line[cut..].to_vec() };
        Ok(Self { client, replies, rest })
    }
}
