//! A scene as data: what each client does, and before which servers.

use std::fs;
use std::io;
use std::path::Path;

/// A scene: `book/timelines/NAME.scene`.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// What its files are called.
    pub name: String,
    /// One line.
    pub title: String,
    /// What to look at.
    pub caption: String,
    /// The story in words.
    pub story: String,
    /// The servers' commands, one for each part of the figure.
    pub servers: Vec<String>,
    /// Whether the figure is drawn to scale, on one clock.
    pub clock: bool,
    /// Whether it begins with `socket`, and not with the first `accept`.
    pub from_socket: bool,
    /// Whether the figure goes on past the scene's own signal.
    pub to_the_end: bool,
    /// Whether the server is started again, on the same port, once it has ended.
    pub starts_again: bool,
    /// What is derived for this scene beside the usual.
    pub derives: Vec<String>,
    /// Calls and columns that the figure leaves out.
    pub hides: Vec<String>,
    /// What each actor does, in order.
    pub actors: Vec<Actor>,
    /// What must be true of the recording.
    pub musts: Vec<Must>,
}

/// A client, or `signal`, which sends signals to the server.
#[derive(Clone, Debug)]
pub struct Actor {
    /// `A`
    pub name: String,
    /// What it does.
    pub acts: Vec<Act>,
}

/// What an actor does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Connects.
    Connect,
    /// Sends a line.
    Send(String),
    /// Sends lines of 64 bytes, so many bytes in all, as far as they are taken.
    Flood(usize),
    /// Sends so many empty lines, each of which is answered with 21 bytes.
    Empty(usize),
    /// Sends so many lines, one each so many milliseconds, whether or not the
    /// replies to the earlier ones have come: an open loop.
    Open(usize, u64),
    /// Waits until so much has come: a line.
    Recv(String),
    /// Reads so many bytes.
    Read(usize),
    /// Sends a FIN, and waits for the server's.
    Finish,
    /// Waits for the server's FIN, or a reset, and sends its own.
    End,
    /// Closes the connection, whatever is still to come.
    Leave,
    /// Waits for so many milliseconds.
    Pause(u64),
    /// Waits until the server waits: it has done what there was to do.
    Settle,
    /// Waits until another actor has made so many of these calls.
    After(String, String, usize),
    /// Sends the server a signal.
    Signal(String),
}

/// `must close A before accept B`: the order of two calls of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Must {
    /// In this part alone, from 1.
    pub part: Option<usize>,
    /// The call that comes first, and its client.
    pub first: (String, String),
    /// The call that comes later, and its client.
    pub second: (String, String),
    /// Whether that is the last such call, and not the first.
    pub last: bool,
}

impl Scene {
    /// All scenes in `folder`, by name.
    ///
    /// # Errors
    /// A file that cannot be read, or a line that makes no sense.
    pub fn all(folder: &Path) -> io::Result<Vec<Self>> {
        let mut scenes = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "scene") {
                scenes.push(Self::read(&path)?);
            }
        }
        scenes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(scenes)
    }

    fn read(path: &Path) -> io::Result<Self> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut scene = Self { name: name.into_owned(), ..Self::default() };
        for (index, line) in fs::read_to_string(path)?.lines().enumerate() {
            scene.take(line).ok_or_else(|| {
                let at = format!("{}:{}: {line}", path.display(), index + 1);
                io::Error::new(io::ErrorKind::InvalidData, at)
            })?;
        }
        Ok(scene)
    }

    /// Reads one line; `None` where it makes no sense.
    fn take(&mut self, line: &str) -> Option<()> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Some(());
        }
        let (key, rest) = line.split_once(' ')?;
        match key {
            "title" => rest.clone_into(&mut self.title),
            "caption" => add(&mut self.caption, rest),
            "story" => add(&mut self.story, rest),
            "server" => self.servers.push(rest.into()),
            "hide" => {
                self.hides.extend(rest.split_whitespace().map(Into::into));
            }
            "derives" => self.derives.push(rest.into()),
            "must" => self.musts.push(must(rest)?),
            "drawn" if rest == "on one clock" => self.clock = true,
            "begins" if rest == "with socket" => self.from_socket = true,
            "starts" if rest == "again" => self.starts_again = true,
            "ends" if rest == "with the server" => self.to_the_end = true,
            name => {
                let act = act(rest)?;
                match self.actors.iter_mut().find(|a| a.name == name) {
                    Some(actor) => actor.acts.push(act),
                    None => self
                        .actors
                        .push(Actor { name: name.into(), acts: vec![act] }),
                }
            }
        }
        Some(())
    }

    /// The clients' names, in the order in which the scene names them.
    #[must_use]
    pub fn clients(&self) -> Vec<String> {
        let names = self.actors.iter().map(|actor| actor.name.clone());
        names.filter(|name| name != "signal").collect()
    }
}

fn add(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}

fn act(text: &str) -> Option<Act> {
    let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
    Some(match kind {
        "connect" => Act::Connect,
        "send" => Act::Send(rest.into()),
        "flood" => Act::Flood(rest.parse().ok()?),
        "recv" => Act::Recv(rest.into()),
        "read" => Act::Read(rest.parse().ok()?),
        "empty" => Act::Empty(rest.parse().ok()?),
        "open" => {
            let (count, pause) = rest.split_once(' ')?;
            Act::Open(count.parse().ok()?, pause.parse().ok()?)
        }
        "finish" => Act::Finish,
        "end" => Act::End,
        "leave" => Act::Leave,
        "settle" => Act::Settle,
        "pause" => Act::Pause(rest.parse().ok()?),
        "after" => {
            let mut words = rest.split_whitespace();
            let (who, call) = (words.next()?, words.next()?);
            let count = words.next().map_or(Some(1), |n| n.parse().ok())?;
            Act::After(who.into(), call.into(), count)
        }
        "TERM" | "STOP" | "CONT" => Act::Signal(kind.into()),
        _ => return None,
    })
}

/// `close A before accept B`, or `in 2 close A before accept B`
fn must(text: &str) -> Option<Must> {
    let words: Vec<_> = text.split_whitespace().collect();
    let (part, words) = match words.as_slice() {
        ["in", part, rest @ ..] => (Some(part.parse().ok()?), rest),
        rest => (None, rest),
    };
    let ([call, client, "before", later, other]
    | [call, client, "before", "last", later, other]) = words
    else {
        return None;
    };
    let first = ((*call).into(), (*client).into());
    let second = ((*later).into(), (*other).into());
    Some(Must { part, first, second, last: words.contains(&"last") })
}
