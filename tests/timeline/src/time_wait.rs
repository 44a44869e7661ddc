//! Which side keeps a connection in TIME_WAIT: the one whose FIN went first.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use crate::model::Kernel;

const CLIENT: &str = "client's TIME_WAIT";
const SERVER: &str = "server's TIME_WAIT";

/// Whose FIN went first, for each connection.
#[derive(Debug, Default)]
pub(crate) struct TimeWait {
    first: BTreeMap<String, &'static str>,
}

impl TimeWait {
    /// A side of the connection of `name` has sent its FIN.
    pub(crate) fn fin(
        &mut self,
        name: &str,
        by_client: bool,
        now: &mut Kernel,
    ) {
        let side = if by_client { CLIENT } else { SERVER };
        let first = *self.first.entry(name.to_owned()).or_insert(side);
        if first != side {
            let kept = now.more.entry(first.into()).or_default();
            kept.push(name.to_owned());
        }
    }
}

/// How many connections with `port` are in TIME_WAIT on its side.
///
/// # Errors
/// There is no such table: `man 5 proc_net`.
pub(crate) fn kept(port: u16) -> io::Result<usize> {
    let table = fs::read_to_string("/proc/net/tcp")?;
    let own = format!(":{port:04X}");
    let is_kept = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        matches!(fields.as_slice(), [_, ours, _, "06", ..] if ours.ends_with(&own))
    };
    Ok(table.lines().filter(is_kept).count())
}
