//! Plays a session: real servers, real clients, real terminals.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, io};

use harness::{CaseError, TIMEOUT, poll_until};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, getsockname, socket,
};
use nix::unistd::{User, getuid};

use super::ports::Ports;
use super::screen::screen;
use super::script::{Act, Session};
use super::terminal::Terminal;

/// The servers, as their binaries are called: those of the steps, and the one
/// that is told which mistake to make.
const SERVERS: [&str; 7] = [
    "01-blocking",
    "02-threads",
    "04-epoll",
    "07-cores",
    "08-async",
    "09-uring",
    "wrong",
];
/// The port that the book uses where a command names none.
const BOOK_PORT: u16 = 8_888;

/// How the book starts a binary of the workspace.
const CARGO: &str = "cargo run -qr --bin ";
/// Where it finds a binary that is built.
const BUILT: &str = "target/release/";
/// Those are built where it says.
const EXAMPLES: &str = "target/release/examples/";
/// What stands for a task of the justfile: the binary that it runs.
const TASKS: [(&str, &str); 5] = [
    ("just load ", "03-load-client --port 8888 "),
    ("just check ", "check "),
    ("just compare", "05-compare"),
    ("just lab", "06-labs"),
    ("just wrong", "wrong"),
];

/// A session that is being played.
struct Stage {
    path: OsString,
    terminals: BTreeMap<usize, Terminal>,
    ports: Ports,
    /// A port without a listener, while no server of ours has one.
    reserved: Option<OwnedFd>,
    /// The process id of each server, for commands that look for it by name.
    servers: Vec<(String, u32)>,
}

/// Plays `session` and returns what its terminals show in the end, by number.
/// The binaries of the steps are those in the folder `ours`.
///
/// # Errors
/// What was awaited and did not come.
pub fn play(
    session: &Session,
    ours: &Path,
) -> io::Result<BTreeMap<usize, String>> {
    let mut stage = Stage {
        path: with_folder_first(ours)?,
        terminals: BTreeMap::new(),
        ports: Ports::default(),
        reserved: None,
        servers: Vec::new(),
    };
    for act in &session.acts {
        stage.act(act).map_err(|error| {
            io::Error::other(format!("{}: {act:?}: {error}", session.name))
        })?;
    }
    let Stage { terminals, mut ports, .. } = stage;
    // All in order, though not all are shown: the first sees the ports first.
    let played = terminals.into_iter().map(|(number, terminal)| {
        let text = without_user(&ports.show(&screen(&terminal.sent())));
        (number, format!("{}\n", text.trim_end()))
    });
    Ok(played.filter(|(number, _)| session.is_shown(*number)).collect())
}

impl Stage {
    fn act(&mut self, act: &Act) -> io::Result<()> {
        match act {
            Act::Run(number, command) => self.run(*number, command),
            Act::Type(number, line) => {
                self.terminal(*number).press(format!("{line}\n").as_bytes())
            }
            Act::TypeOn(number, text) => {
                self.terminal(*number).press(text.as_bytes())
            }
            Act::Press(number, 'C') => self.terminal(*number).interrupt(),
            Act::Press(number, key) => {
                // Ctrl-A is 1, and so on: `man 7 ascii`.
                let code = key.to_ascii_uppercase() as u8 & 0x1f;
                self.terminal(*number).press(&[code])
            }
            Act::Await(number, text) => {
                // The terminal may show the end of a line later than the rest.
                let real = self.ports.to_real(text);
                let terminal = self.terminal(*number);
                terminal.wait_for(&real)?;
                terminal.wait_for("\n")
            }
            Act::AwaitPart(number, text) => {
                let real = self.ports.to_real(text);
                self.terminal(*number).wait_for(&real)
            }
            Act::End(number) => self.terminal(*number).wait_for_end(),
            Act::Until(command) => self.poll_until(command),
        }
    }

    fn terminal(&mut self, number: usize) -> &mut Terminal {
        let Self { terminals, path, .. } = self;
        terminals.entry(number).or_insert_with(|| Terminal::new(path))
    }

    fn run(&mut self, number: usize, shown: &str) -> io::Result<()> {
        let command = self.real(shown);
        let Some(server) = server_of(&command) else {
            let command = self.without_server(command)?;
            self.terminal(number).run(shown, &command)?;
            return Ok(());
        };
        self.reserved = None;
        let (command, port) = with_port(&command, &self.ports);
        let terminal = self.terminal(number);
        let id = terminal.run(shown, &format!("exec env {command}"))?;
        self.servers.retain(|(name, _)| name != server);
        self.servers.push((server.to_owned(), id));
        if self.ports.real(port) == 0 {
            let real = listening_port(self.terminal(number))?;
            self.ports.learn(port, real);
        }
        Ok(())
    }

    /// What to run for the command that the book shows.
    fn real(&self, shown: &str) -> String {
        let mut command = shown.replace(CARGO, "");
        if command != shown {
            command = command.replacen(" -- ", " ", 1);
        }
        if !command.contains(EXAMPLES) {
            command = command.replace(BUILT, "");
        }
        for (task, binary) in TASKS {
            command = command.replace(task, binary);
        }
        for (name, id) in &self.servers {
            let search = format!("$(pgrep -x {name})");
            command = command.replace(&search, &id.to_string());
        }
        if server_of(&command).is_some() {
            command
        } else {
            self.ports.to_real(&command)
        }
    }

    /// A client of no server must not meet one that another program runs: gives
    /// it a port that is taken, and has no listener.
    fn without_server(&mut self, command: String) -> io::Result<String> {
        let lonely = command.contains(&BOOK_PORT.to_string());
        if !lonely || self.ports.real(BOOK_PORT) != 0 {
            return Ok(command);
        }
        let socket = socket(
            AddressFamily::Inet,
            SockType::Stream,
            SockFlag::SOCK_CLOEXEC,
            None,
        )?;
        bind(socket.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0))?;
        let address: SockaddrIn = getsockname(socket.as_raw_fd())?;
        self.ports.learn(BOOK_PORT, address.port());
        self.reserved = Some(socket);
        Ok(self.ports.to_real(&command))
    }

    fn poll_until(&mut self, command: &str) -> io::Result<()> {
        let command = self.real(command);
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).env("PATH", &self.path);
        shell.stdout(Stdio::null()).stderr(Stdio::null());
        let succeeded = poll_until(TIMEOUT, || {
            let status = shell.status().map_err(CaseError::of("sh"))?;
            Ok(status.success().then_some(()))
        });
        match succeeded.map_err(io::Error::other)? {
            Some(()) => Ok(()),
            None => Err(io::Error::other("never succeeded")),
        }
    }
}

/// The text with "you" for the name of the user that plays the session, where it
/// stands behind the number of a process.
fn without_user(text: &str) -> String {
    let Ok(Some(User { name, .. })) = User::from_uid(getuid()) else {
        return text.to_owned();
    };
    // `top` has room for eight characters.
    let short: String = name.chars().take(7).chain(['+']).collect();
    let without_user = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let owner = words.windows(2).find(|pair| {
            let (process, user) = (pair[0].parse::<u32>(), pair[1]);
            process.is_ok() && (user == name || user == short)
        });
        let Some(&[_, owner]) = owner else { return line.to_owned() };
        let you = format!(" {:width$} ", "you", width = owner.len());
        line.replacen(&format!(" {owner} "), &you, 1)
    };
    text.lines().map(without_user).collect::<Vec<_>>().join("\n")
}

/// `PATH`, with `folder` before all others.
fn with_folder_first(folder: &Path) -> io::Result<OsString> {
    let others = env::var_os("PATH").unwrap_or_default();
    let folders = [folder.into()].into_iter().chain(env::split_paths(&others));
    env::join_paths(folders).map_err(io::Error::other)
}

/// The server that a command starts, if it is one that will listen.
fn server_of(command: &str) -> Option<&'static str> {
    let mut words = command.split_whitespace().filter(|w| !w.contains('='));
    let program = match words.next()? {
        "strace" => words.find(|word| SERVERS.contains(word))?,
        program => program,
    };
    let server = SERVERS.into_iter().find(|&name| name == program)?;
    let listens = !["--help", "--version"].iter().any(|o| command.contains(o))
        // Alone, it lists the mistakes.
        && command != "wrong";
    listens.then_some(server)
}

/// Gives a server's command the real port; returns the book's port, too.
fn with_port(command: &str, ports: &Ports) -> (String, u16) {
    let words: Vec<_> = command.split_whitespace().collect();
    let option = words.iter().position(|w| ["--port", "-p"].contains(w));
    let Some(value) = option.and_then(|at| words.get(at + 1)) else {
        let real = ports.real(BOOK_PORT);
        return (format!("{command} --port {real}"), BOOK_PORT);
    };
    let Ok(port) = value.parse() else {
        return (command.to_owned(), BOOK_PORT);
    };
    let real = format!("--port {}", ports.real(port));
    (command.replace(&format!("--port {value}"), &real), port)
}

/// Waits for a server's first line and reads the port from it.
fn listening_port(terminal: &mut Terminal) -> io::Result<u16> {
    terminal.wait_for("[*] ")?;
    terminal.wait_for("\n")?;
    let sent = terminal.sent();
    let line = sent.rsplit("[*] ").next().unwrap_or_default();
    let line = line.lines().next().unwrap_or_default();
    let digits = line.rsplit(':').next().unwrap_or_default();
    digits.parse().map_err(|_| io::Error::other(format!("no port in {line:?}")))
}
