//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser};
use clap::{Args, Parser, Subcommand};

use crate::contestant::{Contestant, Own};
use crate::cores::Cores;
use crate::rounds::Plan;
use crate::scenario::{SCENARIOS, Scenario};

/// Runs the servers under the same load and says how they differ
#[derive(Debug, Parser)]
#[command(name = "05-compare", version, args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) comparison: ComparisonOptions,
}

/// What this program does other than to compare.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Be one of the servers
    #[command(hide = true)]
    Serve {
        name: Own,
        #[arg(long, value_name = "PID")]
        parent: i32,
        #[arg(long, default_value_t = 4096)]
        backlog: i32,
    },
    /// Compare the results of two runs: two machines, or two versions
    Diff {
        /// The results.json of the run to compare with
        before: PathBuf,
        /// The results.json of the other
        after: PathBuf,
    },
    /// Become another server
    #[command(hide = true)]
    ServeExternal {
        #[arg(long, value_name = "PID")]
        parent: i32,
        command: String,
    },
}

/// What to compare, and how long.
#[derive(Args, Debug)]
pub(crate) struct ComparisonOptions {
    /// Loads; a name also stands for all that begin with it, such as idle,
    /// and "all" for all but soak
    #[arg(short, long = "scenario", value_name = "NAMES")]
    #[arg(value_delimiter = ',', value_parser = scenario_names())]
    #[arg(default_value = "low,medium,high")]
    scenarios: Vec<String>,

    /// Leave the other servers of this workspace out
    #[arg(long, value_name = "SERVERS", value_delimiter = ',')]
    only: Vec<Own>,

    /// Enter another server; {port} in the command (and $PORT in its
    /// environment) is the port on 127.0.0.1 to listen on. It is run by sh, as
    /// "exec env COMMAND"
    #[arg(long, value_name = "NAME=COMMAND", value_parser = external)]
    external: Vec<Contestant>,

    /// The server that the others are compared with [default: 02-threads, or
    /// else the first]
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,

    /// Rounds, in each of which every server takes its turn
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(1..=1000))]
    rounds: usize,

    /// How long a server is measured under one load in one round
    /// [default: 0.6; soak: 1800]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    duration: Option<Duration>,

    /// How long a request may take
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    #[arg(default_value = "5")]
    timeout: Duration,

    /// listen(2)'s backlog of the servers of this workspace
    #[arg(long, value_name = "N", default_value_t = 4096)]
    #[arg(value_parser = clap::value_parser!(i32).range(0..))]
    backlog: i32,

    /// Let the scheduler decide who runs where, instead of giving the client
    /// a core of its own
    #[arg(long)]
    share_cores: bool,

    /// Also print every ratio to the baseline, with the interval in which it
    /// lies with 95 % confidence
    #[arg(long)]
    pub(crate) ratios: bool,

    /// Also write a report to read, results.json, and CSV as Locust does
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// So three loads, four turns and five rounds take about 40 s.
const DURATION: Duration = Duration::from_millis(600);

impl ComparisonOptions {
    /// What the options come to.
    ///
    /// # Errors
    /// Two servers of one name, or no such baseline.
    pub(crate) fn plan(&self) -> Result<Plan, String> {
        let contestants = self.contestants();
        let mut names: Vec<_> = contestants.iter().map(|c| &c.name).collect();
        names.sort();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("two servers have the name {}", twice[0]));
        }
        Ok(Plan {
            baseline: self.baseline(&contestants)?,
            contestants,
            scenarios: self.chosen_scenarios(),
            rounds: self.rounds,
            backlog: self.backlog,
            timeout: self.timeout,
            cores: if self.share_cores {
                Cores::shared()
            } else {
                Cores::dealt()
            },
            load_average: load_average(),
        })
    }

    /// The index of the server that the others are compared with.
    fn baseline(&self, contestants: &[Contestant]) -> Result<usize, String> {
        let position =
            |name: &str| contestants.iter().position(|c| c.name == name);
        match &self.baseline {
            Some(name) => position(name).ok_or_else(|| {
                format!("no server in this comparison has the name {name}")
            }),
            None => Ok(position(Own::Threads.name()).unwrap_or(0)),
        }
    }

    fn contestants(&self) -> Vec<Contestant> {
        let all = [Own::Blocking, Own::Threads, Own::Epoll];
        let only = &self.only;
        all.into_iter()
            .filter(|own| only.is_empty() || only.contains(own))
            .map(Contestant::own)
            .chain(self.external.iter().cloned())
            .collect()
    }

    fn chosen_scenarios(&self) -> Vec<Scenario> {
        let chosen = |scenario: &Scenario| {
            self.scenarios.iter().any(|name| stands_for(name, scenario))
        };
        let timed = |scenario: Scenario| {
            let duration = self.duration.or(scenario.duration);
            Scenario { duration: duration.or(Some(DURATION)), ..scenario }
        };
        SCENARIOS.into_iter().filter(chosen).map(timed).collect()
    }
}

/// What else this machine had to do in the last minute. `man 5 proc`.
fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").into()
}

/// Names that stand for several loads.
const GROUPS: [&str; 4] = ["all", "idle", "keep-alive", "pipelined"];

fn stands_for(name: &str, scenario: &Scenario) -> bool {
    let of_group = || {
        let rest = scenario.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with('-'))
    };
    match name {
        "all" => scenario.name != "soak",
        _ => scenario.name == name || of_group(),
    }
}

fn scenario_names() -> PossibleValuesParser {
    let names = SCENARIOS.map(|scenario| scenario.name);
    names.into_iter().chain(GROUPS).into()
}

/// Reads `NAME=COMMAND`.
fn external(text: &str) -> Result<Contestant, String> {
    match text.split_once('=') {
        Some((name, command)) if !name.is_empty() && !command.is_empty() => {
            Ok(Contestant::external(name, command))
        }
        _ => Err("give a name and a command, such as \
                  'mine=./my-server {port}'"
            .into()),
    }
}

/// Reads a number of seconds that may have a fraction: `30`, `0.5`.
fn seconds(text: &str) -> Result<Duration, String> {
    protocol::seconds(text)
        .ok()
        .filter(|duration| (0.01..=1e6).contains(&duration.as_secs_f64()))
        .ok_or_else(|| "give seconds from 0.01 on, such as 30 or 0.5".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> Vec<&'static str> {
        let arguments = ["05-compare"].iter().chain(arguments);
        let options = Options::parse_from(arguments);
        let scenarios = options.comparison.chosen_scenarios();
        scenarios.iter().map(|scenario| scenario.name).collect()
    }

    #[test]
    fn the_default_loads_are_the_three_that_the_article_names() {
        assert_eq!(names(&[]), ["low", "medium", "high"]);
    }

    #[test]
    fn a_name_stands_for_all_that_begin_with_it() {
        let idle = ["idle-1", "idle-100", "idle-1000", "idle-10000"];
        assert_eq!(names(&["-s", "idle"]), idle);
        assert_eq!(names(&["-s", "all"]).len(), SCENARIOS.len() - 1);
    }

    #[test]
    fn an_external_command_may_hold_an_equals_sign() {
        let contestant = external("c=PORT={port} ./server").expect("valid");
        assert_eq!(contestant.name, "c");
        assert!(external("server").is_err() && external("=x").is_err());
    }
}
