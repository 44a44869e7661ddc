//! The book's ports and the real ones.
//!
//! The book says 8888. A session that is played takes whatever port is free, so
//! that it works on any machine, beside anything else that runs there.

/// Which real port stands for which port of the book.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    /// A server's port: in the book, and in truth.
    servers: Vec<(u16, u16)>,
    /// Ports that the kernel chose for clients, in the order in which they
    /// were seen: the book shows 54321, 54322, and so on.
    clients: Vec<u16>,
}

/// What Linux gives to clients by default: `ip_local_port_range`.
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=60_999;
const FIRST_SHOWN: u16 = 54_321;

impl Ports {
    /// The real port for the book's `shown`; 0 until a server has it.
    pub(crate) fn real(&self, shown: u16) -> u16 {
        let found = self.servers.iter().find(|(book, _)| *book == shown);
        found.map_or(0, |(_, real)| *real)
    }

    /// A server says that it got `real`.
    pub(crate) fn learn(&mut self, shown: u16, real: u16) {
        self.servers.retain(|(book, _)| *book != shown);
        self.servers.push((shown, real));
    }

    /// Replaces the book's ports in a command by the real ones.
    pub(crate) fn to_real(&self, text: &str) -> String {
        replace_numbers(text, |_, number| {
            let real = self.real(u16::try_from(number).ok()?);
            (real != 0).then(|| real.to_string())
        })
    }

    /// Replaces the real ports in what a program printed by the book's.
    pub(crate) fn show(&mut self, text: &str) -> String {
        let lines = text.split('\n').filter_map(|line| {
            let stranger = line.contains("TIME") && !self.knows_all(line);
            (!stranger).then(|| self.show_line(line))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Whether all clients in `line` were seen before. A connection in
    /// TIME_WAIT that was not is a leftover of another program's, which had our
    /// port before us.
    fn knows_all(&self, line: &str) -> bool {
        let mut all = true;
        replace_numbers(line, |before, number| {
            let port = u16::try_from(number).ok()?;
            let server = self.servers.iter().any(|(_, real)| *real == port);
            if before.ends_with(':') && !server {
                all &= self.clients.contains(&port);
            }
            None
        });
        all
    }

    fn show_line(&mut self, text: &str) -> String {
        let (servers, clients) = (&self.servers, &mut self.clients);
        replace_numbers(text, |before, number| {
            let number = u16::try_from(number).ok()?;
            if number == 0 && before.ends_with("htons(") {
                // What a server asked for; the book's asked for its port.
                return servers.first().map(|(shown, _)| shown.to_string());
            }
            let server = servers.iter().find(|(_, real)| *real == number);
            if let Some((shown, _)) = server {
                return Some(shown.to_string());
            }
            let is_port = before.ends_with("127.0.0.1:")
                || before.ends_with("[::1]:")
                || before.ends_with("htons(");
            if !is_port || !EPHEMERAL.contains(&number) {
                return None;
            }
            let known = clients.iter().position(|&port| port == number);
            let index = known.unwrap_or_else(|| {
                clients.push(number);
                clients.len() - 1
            });
            Some((FIRST_SHOWN + index as u16).to_string())
        })
    }
}

/// Calls `replacement` with each whole number in `text`, and with what stands
/// before it.
fn replace_numbers(
    text: &str,
    mut replacement: impl FnMut(&str, u64) -> Option<String>,
) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let end = rest[start..]
            .find(|c: char| !c.is_ascii_digit())
            .map_or(rest.len(), |length| start + length);
        result.push_str(&rest[..start]);
        let number = &rest[start..end];
        let new = number.parse().ok().and_then(|n| replacement(&result, n));
        result.push_str(new.as_deref().unwrap_or(number));
        // A column after a shorter number should stay where it was.
        let missing = number.len().saturating_sub(new.map_or(9, |n| n.len()));
        if rest[end..].starts_with("  ") {
            result.push_str(&" ".repeat(missing));
        }
        rest = &rest[end..];
    }
    result + rest
}
