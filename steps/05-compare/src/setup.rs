//! How and where it is measured, as the results record it.

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use humantime::format_rfc3339_seconds;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use procfs::{CpuInfo, Current, CurrentSI, KernelStats};

use crate::results::row::Setup;
use crate::runner::Plan;
use crate::target::proc::ticks;

/// What is known before the first round. `man 5 proc`.
pub(crate) fn setup(plan: &Plan) -> Setup {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease");
    let cpus = CpuInfo::current().ok();
    let model = cpus.as_ref().and_then(|cpus| cpus.model_name(0));
    let commands = plan.targets.iter();
    let commands = commands.map(|t| (t.name.clone(), t.command.clone()));
    Setup {
        date: format_rfc3339_seconds(SystemTime::now()).to_string(),
        version: env!("CARGO_PKG_VERSION").into(),
        kernel: kernel.unwrap_or_default().trim().into(),
        processor: model.unwrap_or("unknown").into(),
        processors: cpus.as_ref().map_or(0, CpuInfo::num_cores),
        affinity: plan.affinity.describe(),
        other_load: 0.0,
        rounds: plan.rounds,
        timeout: plan.timeout.as_secs_f64(),
        backlog: plan.backlog,
        // `args` would panic where one is not UTF-8: a folder may be so named.
        options: std::env::args_os()
            .skip(1)
            .map(|option| option.to_string_lossy().into_owned())
            .collect(),
        commands: commands.collect(),
    }
}

/// The processors that others have used since `begin`, on average, where
/// `before` is what they had used until then.
///
/// The load average would look back a minute or more, to the build before this,
/// and count what this comparison itself does.
pub(crate) fn other_load(begin: Instant, before: Duration) -> f64 {
    let used = used_by_others().saturating_sub(before);
    used.div_duration_f64(begin.elapsed())
}

/// CPU time of all that runs, with what a hypervisor has taken, and without
/// this program, the servers that have ended, and interrupts.
pub(crate) fn used_by_others() -> Duration {
    let own = [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN].map(|who| {
        getrusage(who).map_or(Duration::ZERO, |usage| {
            let time = usage.user_time() + usage.system_time();
            let microseconds = time.num_microseconds().cast_unsigned();
            Duration::from_micros(microseconds)
        })
    });
    let busy = KernelStats::current().map_or(0, |stats| {
        let cpus = stats.total;
        cpus.user + cpus.nice + cpus.system + cpus.steal.unwrap_or(0)
    });
    ticks(busy).saturating_sub(own.iter().sum())
}
