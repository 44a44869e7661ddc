//! From an address in a program to a line of its source: `man 1 addr2line`.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::elf::{address, segments};
use crate::model::Code;

/// Files of thin wrappers: their callers say more.
const WRAPPERS: [&str; 2] = ["socket.rs", "poller.rs"];

type Frame = (String, String);

/// The lines that made the calls of a recording.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    found: BTreeMap<Frame, Vec<Code>>,
    /// Each once, in the order of the files.
    pub(crate) lines: Vec<Code>,
}

impl Sources {
    /// Looks up all frames at once. Without `addr2line`, or in a program
    /// without line numbers, nothing is found.
    pub(crate) fn of<'a>(stacks: impl Iterator<Item = &'a Vec<Frame>>) -> Self {
        let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (program, address) in stacks.flatten() {
            if !program.contains(".so") {
                let addresses = wanted.entry(program.clone()).or_default();
                addresses.insert(address.clone());
            }
        }
        let mut sources = Self::default();
        for (program, addresses) in wanted {
            let addresses: Vec<_> = addresses.into_iter().collect();
            for (address, lines) in symbolize(&program, &addresses) {
                sources.found.insert((program.clone(), address), lines);
            }
        }
        sources
    }

    /// The number of the line that made the call with this stack.
    pub(crate) fn line(&mut self, stack: &[Frame]) -> Option<usize> {
        let lines = || stack.iter().filter_map(|f| self.found.get(f)).flatten();
        let is_wrapper = |code: &&Code| {
            WRAPPERS.iter().any(|name| code.file.ends_with(name))
        };
        let own = lines().find(|code| !is_wrapper(code));
        let code = own.or_else(|| lines().next())?.clone();
        let known = self.lines.iter().position(|line| *line == code);
        Some(known.unwrap_or_else(|| {
            self.lines.push(code);
            self.lines.len() - 1
        }))
    }
}

/// The folder below which source is the reader's: of the workspace, or, for a
/// program of his own, the one in which he stands.
fn root(program: &str) -> Option<PathBuf> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let ours = ours.canonicalize().ok()?;
    if Path::new(program).canonicalize().ok()?.starts_with(&ours) {
        return Some(ours);
    }
    env::current_dir().ok()
}

/// The lines that each address stands for, innermost first.
fn symbolize(program: &str, addresses: &[String]) -> Vec<(String, Vec<Code>)> {
    let segments = segments(Path::new(program));
    // A return address belongs to the instruction before it.
    let calls = addresses.iter().map(|offset| {
        let digits = offset.trim_start_matches("0x");
        let number = u64::from_str_radix(digits, 16).unwrap_or(1);
        format!("{:#x}", address(&segments, number.saturating_sub(1)))
    });
    let mut command = Command::new("addr2line");
    command.args(["-a", "-i", "-e", program]).args(calls);
    let output = command.stderr(Stdio::null()).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let Some(root) = root(program) else { return Vec::new() };
    let mut found = Vec::new();
    let mut numbers = addresses.iter();
    for line in text.lines() {
        if line.starts_with("0x") {
            let address = numbers.next().cloned().unwrap_or_default();
            found.push((address, Vec::new()));
        } else if let Some((_, codes)) = found.last_mut() {
            codes.extend(code(line, &root));
        }
    }
    found
}

/// `/path/file.rs:12 (discriminator 3)`, if it is below `root`.
fn code(text: &str, root: &Path) -> Option<Code> {
    let place = text.split(" (").next()?;
    let (file, number) = place.rsplit_once(':')?;
    let line: usize = number.parse().ok()?;
    let path = Path::new(file).canonicalize().ok()?;
    let file = path.strip_prefix(root).ok()?.to_string_lossy().into_owned();
    let source = fs::read_to_string(&path).ok()?;
    let text = source.lines().nth(line.checked_sub(1)?)?.trim().to_owned();
    Some(Code { file, line, text })
}
