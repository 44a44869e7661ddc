//! The suite as a command, for any server in any language.

use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::{Case, LaunchOptions, ServerUnderTest, Verdict, all_cases};
use clap::Parser;
use harness::Launch;

/// Tests whether a server speaks the ping-pong protocol, and bears what peers
/// and the kernel do
#[derive(Debug, Parser)]
#[command(version)]
pub struct Options {
    /// A server that runs, such as 127.0.0.1:8888; or, in quotes, a command
    /// that starts one, such as './server --port {port}', for all of the cases
    #[arg(value_name = "ADDRESS|COMMAND", value_parser = target)]
    target: Target,

    /// Run only the cases whose names contain this
    filter: Option<String>,

    /// The server serves one client at a time, as step 01 does
    #[arg(long)]
    one_at_a_time: bool,

    /// The server has these options of steps 02 and 04
    #[arg(long, value_name = "OPTION", value_delimiter = ',')]
    #[arg(value_parser = ["max-connections", "idle-timeout"])]
    with: Vec<String>,

    /// How long to wait for anything that the server should do
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

#[derive(Clone, Debug)]
enum Target {
    Running(SocketAddr),
    Command(String),
}

fn target(text: &str) -> Result<Target, String> {
    if text.contains("{port}") {
        return Ok(Target::Command(text.to_owned()));
    }
    text.to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next())
        .map(Target::Running)
        .ok_or_else(|| {
            "give an address and a port, such as 127.0.0.1:8888, \
             or a command with {port} in it"
                .into()
        })
}

impl Options {
    fn server(&self) -> ServerUnderTest {
        let server = match &self.target {
            Target::Running(address) => ServerUnderTest::running(*address),
            Target::Command(command) => {
                ServerUnderTest::command(Launch::shell(command))
            }
        };
        let options: Vec<_> =
            self.with.iter().map(|name| format!("--{name}")).collect();
        server
            .one_at_a_time(self.one_at_a_time)
            .options(&options)
            .timeout(Duration::from_secs(self.timeout))
    }

    fn wants(&self, case: &Case) -> bool {
        let filter = self.filter.as_ref();
        filter.is_none_or(|part| case.name.contains(&part.replace(' ', "_")))
    }
}

/// Runs the cases that the command line asks for.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    if !all_cases().any(|case| options.wants(case)) {
        return complain("no case has that in its name", ExitCode::from(2));
    }
    let server = options.server();
    // Better one line now than the same line for each case.
    if let Err(failure) = server.start(&LaunchOptions::default()) {
        return complain(&failure.to_string(), ExitCode::FAILURE);
    }
    match check(options, &server) {
        Ok(true) => ExitCode::SUCCESS,
        // An error here is a reader of our stdout that has gone away.
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

/// One line on stderr.
fn complain(text: &str, code: ExitCode) -> ExitCode {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let _ = writeln!(io::stderr(), "[!] {}", lines.join("; "));
    code
}

/// How many cases went which way.
#[derive(Default)]
struct Score {
    passed: usize,
    failed: usize,
    not_applicable: usize,
}

/// Runs the cases one after the other and tells of each. Whether none failed.
fn check(options: &Options, server: &ServerUnderTest) -> io::Result<bool> {
    let mut out = io::stdout();
    let mut score = Score::default();
    let start = Instant::now();
    for case in all_cases().filter(|case| options.wants(case)) {
        let verdict = case.judge(server);
        report(&mut out, case, &verdict, &mut score)?;
        if matches!(verdict, Verdict::Failed(_)) && is_gone(server) {
            writeln!(out, "\nThe server is gone: no further case was run.")?;
            break;
        }
    }
    let Score { passed, failed, not_applicable } = score;
    let seconds = start.elapsed().as_secs_f64();
    writeln!(
        out,
        "\n{passed} passed, {failed} failed, {not_applicable} not applicable, \
         in {seconds:.1} s"
    )?;
    Ok(failed == 0)
}

fn report(
    out: &mut impl Write,
    case: &Case,
    verdict: &Verdict,
    score: &mut Score,
) -> io::Result<()> {
    let name = case.name.replace('_', " ");
    let group = case.group;
    match verdict {
        Verdict::Passed => {
            score.passed += 1;
            writeln!(out, "  ok   {group:<9} {name}")
        }
        Verdict::NotApplicable(reason) => {
            score.not_applicable += 1;
            writeln!(out, "  n/a  {group:<9} {name}: {reason}")
        }
        Verdict::Failed(failure) => {
            score.failed += 1;
            writeln!(out, "FAIL   {group:<9} {name}")?;
            let told =
                failure.clone().with("chapter", case.chapter.to_string());
            told.to_string()
                .lines()
                .try_for_each(|line| writeln!(out, "         {line}"))
        }
    }
}

/// A server that the cases start anew is never gone for good.
fn is_gone(server: &ServerUnderTest) -> bool {
    server.start(&LaunchOptions::default()).is_err()
}
