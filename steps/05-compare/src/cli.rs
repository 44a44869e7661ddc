//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser};
use clap::{Parser, Subcommand, ValueEnum};

use crate::analysis::gate::Condition;
use crate::load::scenario::SCENARIOS;
use crate::target::{BuiltIn, Target};

/// Runs the servers under the same load and says how they differ
#[derive(Debug, Parser)]
#[command(name = "05-compare", version, args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Loads; a name also stands for all that begin with it, such as idle,
    /// and "all" for all but soak
    #[arg(short, long = "scenario", value_name = "NAMES")]
    #[arg(value_delimiter = ',', value_parser = scenario_names())]
    #[arg(default_value = "low,medium,high", conflicts_with = "users")]
    pub(crate) scenarios: Vec<String>,

    /// A load of your own: so many users
    #[arg(long, value_name = "N", value_parser = count(1..=100_000))]
    pub(crate) users: Option<usize>,

    /// Requests a second of all of them together, on a fixed schedule; or
    /// "closed": each sends again as soon as it has its reply
    #[arg(long, value_name = "R", default_value = "closed")]
    #[arg(requires = "users", value_parser = rate)]
    pub(crate) rate: Rate,

    /// Requests that a user has in flight at a time, with --keep-alive
    #[arg(long, value_name = "K", default_value_t = 1)]
    #[arg(requires = "users", requires = "keep_alive")]
    #[arg(value_parser = count(1..=64))]
    pub(crate) in_flight: usize,

    /// A user of --users keeps its connection
    #[arg(long, requires = "users", conflicts_with = "reconnect")]
    pub(crate) keep_alive: bool,

    /// A user of --users connects for each request: the default
    #[arg(long, requires = "users")]
    pub(crate) reconnect: bool,

    /// Of the servers of this workspace only these; "none" leaves out all
    #[arg(long, value_name = "SERVERS", value_delimiter = ',')]
    #[arg(value_parser = built_in_names())]
    pub(crate) only: Vec<String>,

    /// Enter another server; {port} in the command (and $PORT in its
    /// environment) is the port on 127.0.0.1 to listen on. It is run by sh, as
    /// "exec env COMMAND"
    #[arg(long, value_name = "NAME=COMMAND", value_parser = Target::external)]
    pub(crate) external: Vec<Target>,

    /// Enter servers of later steps, such as 07-cores: their programs stand
    /// beside this one
    #[arg(long, value_name = "PROGRAMS", value_delimiter = ',')]
    pub(crate) also: Vec<String>,

    /// The server that the others are compared with [default: 02-threads, or
    /// else the first]
    #[arg(long, value_name = "NAME")]
    pub(crate) baseline: Option<String>,

    /// Rounds, in each of which every server takes its turn
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = count(1..=1_000))]
    pub(crate) rounds: usize,

    /// How long a server is measured under one load in one round
    /// [default: 0.6; soak: 1800]
    #[arg(long, value_name = "SECONDS", value_parser = protocol::seconds)]
    pub(crate) duration: Option<Duration>,

    /// How long a request may take
    #[arg(long, value_name = "SECONDS", value_parser = protocol::seconds)]
    #[arg(default_value = "5")]
    pub(crate) timeout: Duration,

    /// listen(2)'s backlog of the servers of this workspace
    #[arg(long, value_name = "N", default_value_t = 4096)]
    #[arg(value_parser = clap::value_parser!(i32).range(0..))]
    pub(crate) backlog: i32,

    /// Processors for the servers, such as 0-3,5 [default: all but the
    /// client's core]
    #[arg(long, value_name = "LIST")]
    pub(crate) server_cpus: Option<String>,

    /// Processors for the client, which uses one of them [default: the first]
    #[arg(long, value_name = "LIST")]
    pub(crate) client_cpus: Option<String>,

    /// Also print every ratio to the baseline, with the interval in which it
    /// lies with 95 % confidence (A/A: 99 %)
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

/// What this program does other than to compare.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Be one of the servers
    #[command(hide = true)]
    Serve {
        name: BuiltIn,
        #[command(flatten)]
        options: epoll::Options,
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

/// Requests a second; `None` for as fast as the replies come.
pub(crate) type Rate = Option<f64>;

/// Names that stand for several loads.
const GROUPS: [&str; 4] = ["all", "idle", "keep-alive", "pipelined"];

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
    if text == "closed" || number.is_some() {
        return Ok(number);
    }
    Err("give requests a second from 0.01 to 10000000, or closed".into())
}
