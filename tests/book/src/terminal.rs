//! One terminal: a pseudo-terminal with a program in it, as a reader has one.
//!
//! Echo, line editing, and Ctrl-C that becomes a signal are the work of the
//! terminal, and so they show up in what is recorded. `man 7 pty`.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use harness::TIMEOUT;
use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How long a program may run: a measurement takes its time, and so does what
/// is built before it.
const LONGEST: Duration = Duration::from_secs(900);
/// Says that the terminal is set up; never shown.
const READY: &str = "(ready)\r\n";

/// The numbers of descriptors stand in what is shown. What the user that plays the
/// session has left open must not move them.
const CLOSE_INHERITED: &str = "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-";

/// A terminal of a session.
pub(crate) struct Terminal {
    /// Where its programs are looked for: `PATH`.
    path: OsString,
    program: Option<Program>,
    /// All that was shown, as it was sent to the terminal.
    sent: Vec<u8>,
    /// The exit status of the last program.
    status: i32,
}

/// What runs in a terminal.
struct Program {
    child: Child,
    keyboard: File,
    output: Receiver<Vec<u8>>,
    /// How much of `sent` was there before this program.
    seen: usize,
}

impl Terminal {
    pub(crate) fn new(path: &OsStr) -> Self {
        Self { path: path.into(), program: None, sent: Vec::new(), status: 0 }
    }

    /// Types `shown` at the prompt and starts `real` in its place. Returns the
    /// process's id.
    pub(crate) fn run(&mut self, shown: &str, real: &str) -> io::Result<u32> {
        if self.program.is_some() {
            return Err(io::Error::other("a program runs here already"));
        }
        // Progress bars must not wrap: the screen here has no right edge.
        // Locust makes its tables as wide as the terminal.
        let is_ours = shown.starts_with("just") && !shown.contains("locust");
        let columns = if is_ours { 200 } else { 100 };
        let script = format!(
            "{CLOSE_INHERITED}; stty cols {columns} rows 50; echo '(ready)'; \
             (exit {}); {real}",
            self.status
        );
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_CLOEXEC)?;
        let child = start(&script, &self.path, &master)?;
        let id = child.id();
        let output = read_all(master.as_fd().try_clone_to_owned()?);
        let keyboard = File::from(master.as_fd().try_clone_to_owned()?);
        let seen = self.sent.len();
        self.program = Some(Program { child, keyboard, output, seen });
        self.wait_for(READY)?;
        let ready = self.program()?.seen;
        let begun = self.sent.split_off(ready);
        self.sent.truncate(seen);
        self.sent.extend(format!("$ {shown}\n").bytes());
        self.program()?.seen = self.sent.len();
        self.sent.extend(begun);
        Ok(id)
    }

    /// Types `text`.
    pub(crate) fn press(&mut self, text: &[u8]) -> io::Result<()> {
        self.program()?.keyboard.write_all(text)
    }

    /// Presses Ctrl-C. The terminal itself would send the signal, *then* throw
    /// away what is still to be shown, and then show `^C`: a program that is
    /// quick to say goodbye would not be heard. Here the order is a reader's.
    pub(crate) fn interrupt(&mut self) -> io::Result<()> {
        while let Ok(bytes) = self.program()?.output.try_recv() {
            self.sent.extend(bytes);
        }
        self.sent.extend(b"^C");
        let id = self.program()?.child.id().cast_signed();
        Ok(killpg(Pid::from_raw(id), Signal::SIGINT)?)
    }

    /// Waits until the program has shown `text`, after what was awaited last.
    pub(crate) fn wait_for(&mut self, text: &str) -> io::Result<()> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let seen = self.program()?.seen;
            let news = &self.sent[seen..];
            let at =
                news.windows(text.len()).position(|w| w == text.as_bytes());
            if let Some(at) = at {
                self.program()?.seen = seen + at + text.len();
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.program()?.output.recv_timeout(left) {
                Ok(bytes) => self.sent.extend(bytes),
                Err(reason) => {
                    let shown = String::from_utf8_lossy(&self.sent);
                    return Err(io::Error::other(format!(
                        "no {text:?} ({reason}) in:\n{shown}"
                    )));
                }
            }
        }
    }

    /// Waits until the program has ended.
    pub(crate) fn wait_for_end(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + LONGEST;
        let mut left = LONGEST;
        while let Ok(bytes) = self.program()?.output.recv_timeout(left) {
            self.sent.extend(bytes);
            left = deadline.saturating_duration_since(Instant::now());
        }
        if Instant::now() >= deadline {
            let shown = String::from_utf8_lossy(&self.sent);
            return Err(io::Error::other(format!("no end of:\n{shown}")));
        }
        if !self.sent.ends_with(b"\n") {
            self.sent.push(b'\n');
        }
        let ended = self.program()?.child.wait()?;
        self.status = ended.code().unwrap_or(0);
        self.program = None;
        Ok(())
    }

    /// What the terminal was sent, in all.
    pub(crate) fn sent(&self) -> String {
        String::from_utf8_lossy(&self.sent).into_owned()
    }

    fn program(&mut self) -> io::Result<&mut Program> {
        let none = || io::Error::other("no program runs in this terminal");
        self.program.as_mut().ok_or_else(none)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The whole group: behind a shell or `strace` there is another.
        let id = self.child.id().cast_signed();
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// Starts a shell in a session of its own, of which `master`'s other side is
/// the controlling terminal.
fn start(script: &str, path: &OsStr, master: &PtyMaster) -> io::Result<Child> {
    grantpt(master)?;
    unlockpt(master)?;
    let name = ptsname_r(master)?;
    let side = OpenOptions::new().read(true).write(true).open(name)?;
    let mut command = Command::new("setsid");
    // A shell without job control lets what it starts with `&` ignore Ctrl-C,
    // and that is inherited.
    let env = ["env", "--default-signal=INT", "sh", "-c", script];
    command.arg("--ctty").args(env);
    command.current_dir(super::book().join(".."));
    command.stdin(side.try_clone()?);
    command.stdout(side.try_clone()?);
    command.stderr(side);
    for name in ["LC_ALL", "LC_MESSAGES", "NO_COLOR", "CI"] {
        command.env_remove(name);
    }
    command.env("PATH", path);
    command.env("LANG", "C.UTF-8").env("TERM", "xterm");
    command.spawn()
}

fn read_all(master: OwnedFd) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || send_all(File::from(master), &sender));
    receiver
}

/// Sends all that `master` yields, until the last process on the other side has
/// ended: EIO. The kernel looks for bytes first, and then whether the other
/// side is closed. A process that writes and ends in between makes the first
/// EIO come before its last bytes, but not the second.
fn send_all(mut master: impl Read, sender: &Sender<Vec<u8>>) {
    let mut buffer = [0; 4_096];
    let mut closed = false;
    loop {
        match master.read(&mut buffer) {
            Ok(count @ 1..) => {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
            _ if closed => return,
            _ => closed = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;

    /// A terminal whose process ends between the kernel's two looks.
    struct EndsWhileRead(Vec<Option<&'static [u8]>>);

    impl Read for EndsWhileRead {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let eio = || io::Error::from(Errno::EIO);
            self.0.pop().flatten().ok_or_else(eio)?.read(buffer)
        }
    }

    #[test]
    fn bytes_that_come_after_an_error_are_shown() {
        let (sender, receiver) = channel();
        let turns = [Some(&b"begin"[..]), None, Some(b"end"), None, None];
        let turns = turns.into_iter().rev().collect();
        send_all(EndsWhileRead(turns), &sender);
        drop(sender);
        let shown: Vec<_> = receiver.into_iter().flatten().collect();
        assert_eq!(shown, b"beginend");
    }
}
