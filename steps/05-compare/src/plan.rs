//! What the options come to: a plan, or a reason why not.

use std::time::Duration;

use clap::ValueEnum;

use crate::cli::Options;
use crate::load::pacing::Pacing;
use crate::load::scenario::{SCENARIOS, Scenario};
use crate::runner::Plan;
use crate::target::affinity::{Affinity, parse_list};
use crate::target::{BuiltIn, Target};

impl Options {
    /// What the options come to, or why they come to nothing.
    pub(crate) fn plan(&self) -> Result<Plan, String> {
        let targets = self.targets()?;
        let mut names: Vec<_> = targets.iter().map(|t| &t.name).collect();
        names.sort();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("two servers have the name {}", twice[0]));
        }
        let cpus =
            |list: &Option<String>| list.as_deref().map(parse_list).transpose();
        let affinity = Affinity::split(
            cpus(&self.client_cpus)?,
            cpus(&self.server_cpus)?,
        )?;
        Ok(Plan {
            baseline: self.baseline(&targets)?,
            targets,
            scenarios: self.chosen_scenarios(),
            rounds: self.rounds,
            backlog: self.backlog,
            timeout: self.timeout,
            affinity,
        })
    }

    /// The index of the server that the others are compared with.
    fn baseline(&self, targets: &[Target]) -> Result<usize, String> {
        let position = |name: &str| targets.iter().position(|t| t.name == name);
        let Some(given) = &self.baseline else {
            return Ok(position("02-threads").unwrap_or(0));
        };
        // 04 is 04-epoll here as it is for --only.
        let name = BuiltIn::from_str(given, false).map(BuiltIn::name);
        let name = name.unwrap_or(given.clone());
        position(&name).ok_or_else(|| {
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
        let only = self.only.iter();
        let only: Vec<_> =
            only.flat_map(|name| BuiltIn::from_str(name, false)).collect();
        let all = BuiltIn::value_variants().iter();
        let mut targets: Vec<_> = all
            .filter(|server| self.only.is_empty() || only.contains(server))
            .map(|&server| Target::built_in(server, self.backlog))
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

    fn chosen_scenarios(&self) -> Vec<Scenario> {
        let timed = |scenario: Scenario| {
            let duration = self.duration.unwrap_or(scenario.duration);
            Scenario { duration, ..scenario }
        };
        if let Some(users) = self.users {
            return vec![timed(self.own_load(users))];
        }
        let chosen = |scenario: &Scenario| {
            self.scenarios.iter().any(|name| stands_for(name, scenario))
        };
        SCENARIOS.into_iter().filter(chosen).map(timed).collect()
    }

    fn own_load(&self, users: usize) -> Scenario {
        let pacing = match self.rate {
            None => Pacing::ClosedLoop,
            Some(rate) => {
                let streams = (users * self.in_flight) as f64;
                Pacing::ConstantRate(Duration::from_secs_f64(streams / rate))
            }
        };
        let load = Scenario::new("own", users, [pacing; 2]);
        if self.keep_alive { load.kept(self.in_flight) } else { load }
    }
}

fn stands_for(name: &str, scenario: &Scenario) -> bool {
    let rest = scenario.name.strip_prefix(name);
    match name {
        "all" => scenario.name != "soak",
        _ => rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
    }
}
