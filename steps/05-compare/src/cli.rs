//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use protocol::ListenOptions;

use crate::analysis::gate::Condition;
use crate::load::pacing::Pacing;
use crate::load::scenario::{SCENARIOS, Scenario};
use crate::runner::Plan;
use crate::target::affinity::{Affinity, parse_list};
use crate::target::target::{BuiltIn, Target};

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
        name: BuiltIn,
        #[command(flatten)]
        listen: ListenOptions,
    },
    /// Compare the results of two runs: two machines, or two versions
    Diff {
        /// The results.json of the run to compare with
        before: PathBuf,
        /// The results.json of the other
        after: PathBuf,
        /// End with status 1 where a ratio is a difference and beyond this,
        /// such as 'cpu>1.05' or 'rps<0.9' (cpu, rps, p99, memory)
        #[arg(long, value_name = "CONDITION", value_parser = Condition::parse)]
        fail_if: Vec<Condition>,
    },
}

/// What to compare, and how long.
#[derive(Args, Debug)]
pub(crate) struct ComparisonOptions {
    /// Loads; a name also stands for all that begin with it, such as idle,
    /// and "all" for all but soak
    #[arg(short, long = "scenario", value_name = "NAMES")]
    #[arg(value_delimiter = ',', value_parser = scenario_names())]
    #[arg(default_value = "low,medium,high", conflicts_with = "users")]
    scenarios: Vec<String>,

    /// A load of your own: so many users
    #[arg(long, value_name = "N", value_parser = count(1..=100_000))]
    users: Option<usize>,

    /// Requests a second of all of them together, on a fixed schedule; or
    /// "closed": each sends again as soon as it has its reply
    #[arg(
        long,
        value_name = "R",
        default_value = "closed",
        requires = "users"
    )]
    #[arg(value_parser = rate)]
    rate: Rate,

    /// Requests that a user has in flight at a time, with --keep-alive
    #[arg(long, value_name = "K", default_value_t = 1, requires = "users")]
    #[arg(value_parser = count(1..=64))]
    in_flight: usize,

    /// A user of --users keeps its connection
    #[arg(long, requires = "users", conflicts_with = "reconnect")]
    keep_alive: bool,

    /// A user of --users connects for each request: the default
    #[arg(long, requires = "users")]
    reconnect: bool,

    /// Of the servers of this workspace only these; "none" leaves out all
    #[arg(long, value_name = "SERVERS", value_delimiter = ',')]
    #[arg(value_parser = built_in_names())]
    only: Vec<String>,

    /// Enter another server; {port} in the command (and $PORT in its
    /// environment) is the port on 127.0.0.1 to listen on. It is run by sh, as
    /// "exec env COMMAND"
    #[arg(long, value_name = "NAME=COMMAND", value_parser = Target::external)]
    external: Vec<Target>,

    /// Enter servers of later steps, such as 07-cores: their programs stand
    /// beside this one
    #[arg(long, value_name = "PROGRAMS", value_delimiter = ',')]
    also: Vec<String>,

    /// The server that the others are compared with [default: 02-threads, or
    /// else the first]
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,

    /// Rounds, in each of which every server takes its turn
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = count(1..=1_000))]
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

    /// Processors for the servers, such as 0-3,5 [default: all but the
    /// client's core]
    #[arg(long, value_name = "LIST")]
    server_cpus: Option<String>,

    /// Processors for the client, which uses one of them [default: the first]
    #[arg(long, value_name = "LIST")]
    client_cpus: Option<String>,

    /// Also print every ratio to the baseline, with the interval in which it
    /// lies with 95 % confidence
    #[arg(long)]
    pub(crate) ratios: bool,

    /// Print one JSON object instead of text
    #[arg(long, conflicts_with_all = ["ratios", "markdown"])]
    pub(crate) json: bool,

    /// Print Markdown instead of text, for a page or an issue
    #[arg(long, conflicts_with = "ratios")]
    pub(crate) markdown: bool,

    /// Also write a report to read, results.json, and CSV as Locust does
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// The pace of a load of one's own.
#[derive(Clone, Copy, Debug)]
enum Rate {
    Closed,
    PerSecond(f64),
}

/// So three loads, four turns and five rounds take about 40 s.
const DURATION: Duration = Duration::from_millis(600);

impl ComparisonOptions {
    /// What the options come to.
    ///
    /// # Errors
    /// Two servers of one name, or none, or no such baseline, program or
    /// processor.
    pub(crate) fn plan(&self) -> Result<Plan, String> {
        let targets = self.targets()?;
        let mut names: Vec<_> = targets.iter().map(|t| &t.name).collect();
        names.sort();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("two servers have the name {}", twice[0]));
        }
        let cpus =
            |list: &Option<String>| list.as_deref().map(parse_list).transpose();
        Ok(Plan {
            baseline: self.baseline(&targets)?,
            targets,
            scenarios: self.chosen_scenarios()?,
            rounds: self.rounds,
            backlog: self.backlog,
            timeout: self.timeout,
            affinity: Affinity::split(
                cpus(&self.client_cpus)?,
                cpus(&self.server_cpus)?,
            )?,
        })
    }

    /// The index of the server that the others are compared with.
    fn baseline(&self, targets: &[Target]) -> Result<usize, String> {
        let position = |name: &str| targets.iter().position(|t| t.name == name);
        let Some(given) = &self.baseline else {
            return Ok(position(BuiltIn::Threads.name()).unwrap_or(0));
        };
        // 04 is 04-epoll here as it is for --only.
        let name = BuiltIn::from_str(given, false);
        let name = name.map_or(given.as_str(), |built_in| built_in.name());
        position(name).ok_or_else(|| {
            let names: Vec<_> =
                targets.iter().map(|t| t.name.as_str()).collect();
            format!(
                "--baseline: no server in this comparison has the name {given}: \
                 there are {}",
                names.join(", ")
            )
        })
    }

    fn targets(&self) -> Result<Vec<Target>, String> {
        let is_chosen = |built_in: &BuiltIn| {
            self.only.is_empty()
                || self
                    .only
                    .iter()
                    .any(|name| BuiltIn::from_str(name, false) == Ok(*built_in))
        };
        let mut targets: Vec<_> = BuiltIn::value_variants()
            .iter()
            .filter(|built_in| is_chosen(built_in))
            .map(|&built_in| Target::built_in(built_in))
            .collect();
        for name in &self.also {
            targets.push(Target::beside(name, self.backlog)?);
        }
        targets.extend(self.external.iter().cloned());
        if targets.is_empty() {
            return Err("no server is left: enter one with --external".into());
        }
        Ok(targets)
    }

    fn chosen_scenarios(&self) -> Result<Vec<Scenario>, String> {
        let timed = |scenario: Scenario| {
            let duration = self.duration.or(scenario.duration);
            Scenario { duration: duration.or(Some(DURATION)), ..scenario }
        };
        if let Some(users) = self.users {
            return Ok(vec![timed(self.own_load(users)?)]);
        }
        let chosen = |scenario: &Scenario| {
            self.scenarios.iter().any(|name| stands_for(name, scenario))
        };
        Ok(SCENARIOS.into_iter().filter(chosen).map(timed).collect())
    }

    fn own_load(&self, users: usize) -> Result<Scenario, String> {
        if self.in_flight > 1 && !self.keep_alive {
            return Err(
                "--in-flight needs --keep-alive: a connection for each \
                        request has one in flight"
                    .into(),
            );
        }
        let pacing = match self.rate {
            Rate::Closed => Pacing::ClosedLoop,
            Rate::PerSecond(rate) => {
                let streams = (users * self.in_flight) as f64;
                Pacing::ConstantRate(Duration::from_secs_f64(streams / rate))
            }
        };
        let load = Scenario::new("own", users, [pacing; 2]);
        Ok(if self.keep_alive { load.kept(self.in_flight) } else { load })
    }
}

/// Names that stand for several loads.
const GROUPS: [&str; 4] = ["all", "idle", "keep-alive", "pipelined"];

fn stands_for(name: &str, scenario: &Scenario) -> bool {
    let rest = scenario.name.strip_prefix(name);
    match name {
        "all" => scenario.name != "soak",
        _ => rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
    }
}

fn scenario_names() -> PossibleValuesParser {
    let names = SCENARIOS.map(|scenario| scenario.name);
    names.into_iter().chain(GROUPS).into()
}

fn built_in_names() -> PossibleValuesParser {
    let values = BuiltIn::value_variants().iter();
    let values = values.filter_map(ValueEnum::to_possible_value);
    values.chain([clap::builder::PossibleValue::new("none")]).into()
}

fn count(range: std::ops::RangeInclusive<u64>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(range)
}

fn rate(text: &str) -> Result<Rate, String> {
    let number = text.parse().ok().filter(|n| (0.01..=1e7).contains(n));
    match text {
        "closed" => Ok(Rate::Closed),
        _ => number.map(Rate::PerSecond).ok_or_else(|| {
            "give requests a second from 0.01 to 10000000, or closed".into()
        }),
    }
}

/// Reads a number of seconds that may have a fraction: `30`, `0.5`.
fn seconds(text: &str) -> Result<Duration, String> {
    protocol::seconds(text)
        .ok()
        .filter(|duration| (0.01..=1e6).contains(&duration.as_secs_f64()))
        .ok_or_else(|| "give seconds from 0.01 to 1000000".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arguments: &[&str]) -> Result<Plan, String> {
        let arguments = ["05-compare"].iter().chain(arguments);
        Options::parse_from(arguments).comparison.plan()
    }

    fn loads(arguments: &[&str]) -> Vec<&'static str> {
        let plan = plan(arguments).expect("usable");
        plan.scenarios.iter().map(|scenario| scenario.name).collect()
    }

    #[test]
    fn the_default_loads_are_the_three_that_the_article_names() {
        assert_eq!(loads(&[]), ["low", "medium", "high"]);
    }

    #[test]
    fn a_name_stands_for_all_that_begin_with_it() {
        let idle = ["idle-1", "idle-100", "idle-1000", "idle-10000"];
        assert_eq!(loads(&["-s", "idle"]), idle);
        assert_eq!(loads(&["-s", "all"]).len(), SCENARIOS.len() - 1);
    }

    #[test]
    fn the_baseline_is_named_as_for_only() {
        let plan = |arguments: &[&str]| plan(arguments).expect("usable");
        assert_eq!(plan(&["--baseline", "04"]).baseline, 2);
        assert_eq!(plan(&["--only", "04,01"]).baseline, 0);
        let externals = ["--only", "none", "--external=a=x", "--external=b=y"];
        let two = plan(&externals);
        assert_eq!(two.targets.len(), 2);
    }

    #[test]
    fn a_load_of_one_s_own_has_the_rate_that_was_asked_for() {
        let own = ["--users", "20", "--rate", "500", "--keep-alive"];
        let plan = plan(&[&own[..], &["--in-flight", "4"]].concat());
        let scenario = plan.expect("usable").scenarios[0];
        let rps = scenario.expected_rps(0.0).expect("paced");
        assert!((rps - 500.0).abs() < 1e-6, "{rps}");
        assert_eq!(scenario.in_flight, 4);
    }
}
