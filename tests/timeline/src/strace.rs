//! What `strace -f -ttt -T -k` writes, one call at a time.

use std::collections::HashMap;

/// What `strace` is told, before `-o FILE` and the server's command. With `-D`
/// the process that we start is the server and not `strace`.
pub(crate) const OPTIONS: [&str; 10] =
    ["-D", "-f", "-ttt", "-T", "-qq", "-s", "32", "--seccomp-bpf", "-e", CALLS];
/// With the stack of each call, which takes half a millisecond.
pub(crate) const STACKS: &str = "-k";

/// The calls that a figure may show, or that say which descriptor is what.
/// `?`: not every architecture has it.
const CALLS: &str = "trace=accept,accept4,recvfrom,recvmsg,read,readv,sendto,\
sendmsg,write,writev,close,shutdown,socket,setsockopt,bind,listen,\
epoll_create1,epoll_ctl,?epoll_wait,epoll_pwait,?poll,ppoll,?select,pselect6,\
clone,clone3,exit,exit_group,futex,clock_nanosleep,?io_uring_enter";

/// A call as it was traced.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Raw {
    /// The thread's number.
    pub(crate) tid: u32,
    /// Seconds since 1970.
    pub(crate) begin: f64,
    /// The same; `None` if it never returned.
    pub(crate) end: Option<f64>,
    /// `accept4`
    pub(crate) name: String,
    /// What stands between the brackets.
    pub(crate) args: String,
    /// What stands behind ` = `.
    pub(crate) result: String,
    /// The callers, innermost first: a program and an address in it.
    pub(crate) frames: Vec<(String, String)>,
}

/// Reads a trace. Lines that are no calls (signals, ends) are left out.
#[must_use]
pub(crate) fn parse(text: &str) -> Vec<Raw> {
    let mut calls: Vec<Raw> = Vec::new();
    let mut open: HashMap<u32, usize> = HashMap::new();
    let mut last = None;
    for line in text.lines() {
        if let Some(frame) = line.strip_prefix(" > ") {
            if let (Some(at), Some(frame)) = (last, parse_frame(frame)) {
                let call: &mut Raw = &mut calls[at];
                call.frames.push(frame);
            }
            continue;
        }
        last = None;
        let Some((tid, time, rest)) = split_head(line) else { continue };
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let Some(at) = open.remove(&tid) else { continue };
            let Some((_, tail)) = resumed.split_once(" resumed>") else {
                continue;
            };
            finish(&mut calls[at], tail, time);
            last = Some(at);
        } else if let Some((name, tail)) = split_name(rest) {
            let name = name.to_owned();
            let mut call = Raw { tid, begin: time, name, ..Raw::default() };
            if let Some(args) = tail.strip_suffix(" <unfinished ...>") {
                args.trim_end().clone_into(&mut call.args);
                open.insert(tid, calls.len());
            } else {
                finish(&mut call, tail, time);
                last = Some(calls.len());
            }
            calls.push(call);
        }
    }
    calls
}

/// `1234 1700000000.123456 rest`
fn split_head(line: &str) -> Option<(u32, f64, &str)> {
    let (tid, rest) = line.split_once(' ')?;
    let (time, rest) = rest.trim_start().split_once(' ')?;
    Some((tid.parse().ok()?, time.parse().ok()?, rest.trim_start()))
}

/// `accept(3, …`: the name, and what stands behind the bracket.
fn split_name(text: &str) -> Option<(&str, &str)> {
    let (name, tail) = text.split_once('(')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, tail))
}

/// Takes the rest of the arguments, the result and the duration.
fn finish(call: &mut Raw, tail: &str, shown: f64) {
    let (rest, seconds) = match tail.rsplit_once(" <") {
        Some((rest, time)) => (rest, time.trim_end_matches('>').parse().ok()),
        None => (tail, None),
    };
    let (args, result) = rest.rsplit_once(" = ").unwrap_or((rest, "?"));
    let args = args.trim_end();
    call.args.push_str(args.strip_suffix(')').unwrap_or(args));
    result.trim().clone_into(&mut call.result);
    // A call that never returns has no duration.
    call.end = seconds.map(|seconds: f64| call.begin + seconds);
    if call.result == "?" {
        call.end = None;
    } else if call.end.is_none() {
        call.end = Some(shown);
    }
}

/// `/path/program(function+0x12) [0x345]`
fn parse_frame(text: &str) -> Option<(String, String)> {
    let (place, address) = text.rsplit_once(" [")?;
    let (program, _) = place.split_once('(')?;
    Some((program.into(), address.trim_end_matches(']').into()))
}

impl Raw {
    /// Its first argument as a number: the descriptor, mostly.
    #[must_use]
    pub(crate) fn fd(&self) -> Option<i32> {
        self.args.split([',', ' ']).next()?.parse().ok()
    }

    /// The number that it returned.
    #[must_use]
    pub(crate) fn value(&self) -> Option<i64> {
        self.result.split_whitespace().next()?.parse().ok()
    }

    /// The argument or the part of it that stands behind `key`.
    #[must_use]
    pub(crate) fn after(&self, key: &str) -> Option<&str> {
        let (_, rest) = self.args.split_once(key)?;
        rest.split([')', ',', '}', ']']).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_was_interrupted_in_the_log_is_one_call() {
        let calls = parse(
            "7 10.5 accept(3,  <unfinished ...>\n\
             8 10.6 close(4) = 0 <0.000010>\n > /bin/x(main+0x1) [0x99]\n\
             7 11.5 <... accept resumed>{sin_port=htons(4321)}, [16]) \
             = 4 <1.000000>\n > /bin/x(f+0x1) [0x77]\n",
        );
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[0].args, "3,{sin_port=htons(4321)}, [16]");
        assert_eq!(calls[0].end, Some(11.5));
        assert_eq!(calls[0].value(), Some(4));
        assert_eq!(calls[0].after("htons("), Some("4321"));
        assert_eq!(calls[0].frames, [("/bin/x".into(), "0x77".into())]);
        assert_eq!(calls[1].frames, [("/bin/x".into(), "0x99".into())]);
    }

    #[test]
    fn a_call_that_never_returns_has_no_end() {
        let calls = parse(
            "7 10.5 exit(0) = ?\n7 10.6 +++ exited with 0 +++\n\
             8 1.0 accept(3, 0x7f, [28]) = ? ERESTARTSYS (To be restarted) \
             <0.098125>\n",
        );
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[0].end, None);
        assert!(calls[1].result.starts_with("? ERESTARTSYS"));
    }
}
