//! What the options come to: a plan, or a reason why not.

use std::time::Duration;

use clap::ValueEnum;

use crate::cli::{ComparisonOptions, Rate};
use crate::load::pacing::Pacing;
use crate::load::scenario::{SCENARIOS, Scenario};
use crate::runner::Plan;
use crate::target::affinity::{Affinity, parse_list};
use crate::target::target::{BuiltIn, Target};

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

fn stands_for(name: &str, scenario: &Scenario) -> bool {
    let rest = scenario.name.strip_prefix(name);
    match name {
        "all" => scenario.name != "soak",
        _ => rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Options;

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
