//! What a terminal's screen shows in the end of what was sent to it.

/// Turns the bytes for a terminal into lines: `\r` goes back to the line's
/// start, a progress bar overwrites itself, colours and other escape sequences
/// are left out.
pub(crate) fn screen(sent: &str) -> String {
    let mut screen = Screen { lines: vec![String::new()], row: 0 };
    let sent = sent.replace("\r\n", "\n");
    let mut rest = sent.as_str();
    while let Some(character) = rest.chars().next() {
        let mut length = character.len_utf8();
        match character {
            '\n' => screen.down(),
            '\r' => screen.line().clear(),
            '\u{1b}' => length = screen.escape(rest),
            '\u{7}' => {}
            other => screen.line().push(other),
        }
        rest = &rest[length..];
    }
    let lines = screen.lines.iter().map(|line| line.trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

struct Screen {
    lines: Vec<String>,
    /// Where the cursor is.
    row: usize,
}

impl Screen {
    fn line(&mut self) -> &mut String {
        &mut self.lines[self.row]
    }

    fn down(&mut self) {
        self.row += 1;
        if self.row == self.lines.len() {
            self.lines.push(String::new());
        }
    }

    /// Obeys the escape sequence at the start of `rest` and returns its length.
    /// `man 4 console_codes`.
    fn escape(&mut self, rest: &str) -> usize {
        let Some(sequence) = rest.strip_prefix("\u{1b}[") else { return 1 };
        let is_end = |c: char| c.is_ascii_alphabetic();
        let Some(end) = sequence.find(is_end) else { return rest.len() };
        let count = sequence[..end].parse().unwrap_or(1);
        match &sequence[end..=end] {
            "K" => self.line().clear(),
            "A" => self.row = self.row.saturating_sub(count),
            "B" => (0..count).for_each(|_| self.down()),
            _ => {}
        }
        end + 3
    }
}
