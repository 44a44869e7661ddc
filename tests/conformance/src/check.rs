//! The suite as a command, for any server in any language.

use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use harness::Launch;

use crate::report::{Extent, print_stages, run_some, run_stages};
use crate::{Case, LaunchOptions, Planned, Runner, STAGES};
use crate::{ServerUnderTest, Stage};

/// Tests whether a server speaks the ping-pong protocol, and bears what peers
/// and the kernel do
#[derive(Debug, Parser)]
#[command(version)]
pub struct Options {
    /// A server that runs, such as 127.0.0.1:8888; or, in quotes, a command
    /// that starts one, as you would type it, such as './server --port {port}'.
    /// It finds its port in the place of {port} and in the variable PORT
    #[arg(value_name = "ADDRESS|COMMAND", value_parser = target)]
    target: Target,

    /// Run only the cases whose names contain this
    filter: Option<String>,

    /// Run only the cases of this stage
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u8).range(0..STAGES.len() as i64))]
    stage: Option<u8>,

    /// Print the stages alone, and no line for each case
    #[arg(long, conflicts_with_all = ["filter", "stage"])]
    stages: bool,

    /// The server serves one client at a time, as step 01 does
    #[arg(long)]
    one_at_a_time: bool,

    /// The server has these options of steps 02 and 04
    #[arg(long, value_name = "OPTION", value_delimiter = ',')]
    #[arg(value_parser = ["max-connections", "idle-timeout"])]
    with: Vec<String>,

    /// Run all cases, even where the first says that no other can pass
    #[arg(long, conflicts_with_all = ["filter", "stage"])]
    all: bool,

    /// How long to wait for the server to start, and for anything that it
    /// should do
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
    if text.contains(|c: char| c.is_whitespace() || "/{$".contains(c)) {
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
            .start_timeout(Duration::from_secs(self.timeout))
    }

    fn wants(&self, stage: &Stage, case: &Case) -> bool {
        let filter = self.filter.as_ref();
        self.stage.is_none_or(|number| usize::from(number) == stage.number)
            && filter
                .is_none_or(|part| case.name.contains(&part.replace(' ', "_")))
    }

    /// The cases that the command line asks for.
    fn cases(&self) -> Vec<Planned> {
        let cases = |stage: &'static Stage| {
            let planned = move |case| Planned { stage, case, beyond: false };
            stage.cases().map(planned)
        };
        let wanted = |p: &Planned| self.wants(p.stage, p.case);
        STAGES.iter().flat_map(cases).filter(wanted).collect()
    }
}

/// Runs the cases that the command line asks for.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    let cases = options.cases();
    if cases.is_empty() {
        return complain("no case has that in its name", ExitCode::from(2));
    }
    let runner = Runner::new(options.server());
    // Better one line now than the same line for each case.
    if let Err(failure) = runner.server().start(&LaunchOptions::default()) {
        return complain(&failure.to_string(), ExitCode::FAILURE);
    }
    let all = options.filter.is_none() && options.stage.is_none();
    let result = if all {
        check_all(&runner, options)
    } else {
        run_some(&runner, &cases, &mut io::stdout())
    };
    match result {
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

/// All cases, stage by stage. Whether none failed.
fn check_all(runner: &Runner, options: &Options) -> io::Result<bool> {
    let mut out = io::stdout();
    let extent = Extent {
        quiet: options.stages,
        stop_at_failure: false,
        all: options.all,
    };
    let progress = run_stages(runner, extent, &mut out)?;
    if runner.is_cancelled() {
        writeln!(out, "\nThe server is gone: no further case was run.")?;
    }
    print_stages(&progress, &mut out)?;
    Ok(progress.is_success())
}
