//! What a run is summed up as: the article's lines, and what they leave out.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use protocol::Language;
use serde::Serialize;

use crate::latency::{Latency, micros};
use crate::run::Run;
use crate::stats::Stats;
use crate::{ErrorKind, Options};

/// Where less than this of the rate was reached, that is said.
const REACHED: f64 = 0.95;
/// Fewer requests than this make no rate: one that is late counts for too much.
const MIN_MADE: u64 = 10;

/// The outcome of a run. `--json` prints these fields: scripts read them.
#[derive(Serialize)]
pub(crate) struct Report {
    /// Requests that were to be made.
    total: u64,
    /// Requests that got their `pong`, and those that did not.
    succeeded: u64,
    failed: u64,
    /// A signal came: fewer were made.
    stopped_early: bool,
    /// Failed requests by kind.
    errors: BTreeMap<String, u64>,
    /// From the start until the last request was over.
    seconds: f64,
    /// Requests that succeeded, per second.
    requests_per_second: f64,
    /// The rate that was asked for, if one was, and the one that was reached.
    rate: Option<f64>,
    sent_per_second: Option<f64>,
    /// Microseconds of each request: until its reply, or until it failed.
    latency_us: Option<Latency>,
    /// Since some failed or were cut, figures from here on are lower bounds.
    lower_bounds_from_us: Option<f64>,
    /// By how much the client itself was late to send what was due. It is a
    /// part of the latency.
    sent_late_us: Option<Latency>,
    /// How long a request waited on average for a core of the client.
    waited_for_core_us: f64,
    #[serde(skip)]
    server: SocketAddr,
    #[serde(skip)]
    signal: Option<i32>,
    #[serde(skip)]
    kinds: Vec<(ErrorKind, u64)>,
}

/// The lines that stand above a run, in the article's words.
pub(crate) fn heading(options: &Options, l: Language) -> String {
    let (total, workers) = (options.total, options.workers());
    let share = match (total / workers, total.div_ceil(workers)) {
        (least, most) if least == most => least.to_string(),
        (least, most) => format!("{least}–{most}"),
    };
    l.pick(
        format!(
            "TCPサーバーに対して負荷テストを実行します...\n総リクエスト数: \
             {total} (スレッドあたり {share} リクエスト x {workers} スレッド)\n"
        ),
        format!(
            "Load testing the TCP server...\nTotal requests: {total} ({share} \
             requests per thread x {workers} threads)\n"
        ),
    )
}

impl Report {
    pub(crate) fn new(run: &Run<'_>, stats: &Stats) -> Self {
        let options = run.options;
        let signal = run.cancelled.get().copied().flatten();
        let kinds = stats.errors();
        let failed = kinds.iter().map(|(_, count)| count).sum();
        let made = stats.latencies.len();
        let succeeded = made.saturating_sub(failed + stats.cut);
        let since_start = |time: Instant| (time - run.start).as_secs_f64();
        let seconds = since_start(stats.last_over.unwrap_or_else(Instant::now));
        let sent = stats.lateness.len() as f64; // of those with a schedule
        // The first is sent at the start, and takes no time of its own.
        let sending = stats.last_sent.map(since_start).filter(|_| sent > 1.0);
        let sent_per_second = sending.map(|seconds| (sent - 1.0) / seconds);
        let us = |time: Duration| micros(time.as_nanos() as f64);
        let waited = stats.waited_for_core.div_f64(made.max(1) as f64);
        Self {
            total: options.total,
            succeeded,
            failed,
            stopped_early: signal.is_some(),
            errors: kinds.iter().map(|(kind, n)| (kind.key(), *n)).collect(),
            seconds,
            requests_per_second: succeeded as f64 / seconds,
            rate: options.rate,
            sent_per_second: options.rate.and(sent_per_second),
            latency_us: Latency::of(&stats.latencies, micros)
                .filter(|_| succeeded > 0),
            lower_bounds_from_us: stats.shortest_failure.map(us),
            sent_late_us: Latency::of(&stats.lateness, micros),
            waited_for_core_us: us(waited),
            server: options.address(),
            signal,
            kinds,
        }
    }

    /// The results as one line of JSON, with its newline.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// The results as text, each line with its newline.
    pub(crate) fn to_text(&self, l: Language) -> String {
        [Self::stop, Self::results, Self::rate, Self::latency, Self::errors]
            .map(|part| part(self, l))
            .concat()
    }

    fn stop(&self, l: Language) -> String {
        let Some(signal) = self.signal else { return String::new() };
        l.pick(
            format!(
                "\n[*] シグナル {signal} を受信。ここまでの結果を表示します\n"
            ),
            format!(
                "\n[*] received signal {signal}, stopped early: results so \
                 far\n"
            ),
        )
    }

    fn results(&self, l: Language) -> String {
        let Self { seconds, succeeded, total, requests_per_second, .. } = self;
        l.pick(
            format!(
                "\n負荷テスト結果:\n総経過時間: {seconds:.2} 秒\n\
                 成功リクエスト: {succeeded} / {total}\n\
                 リクエスト/秒: {requests_per_second:.2}\n"
            ),
            format!(
                "\nLoad test results:\nElapsed time: {seconds:.2} s\n\
                 Successful requests: {succeeded} / {total}\n\
                 Requests/second: {requests_per_second:.2}\n"
            ),
        )
    }

    /// The rate that was asked for, and whether it was reached.
    fn rate(&self, l: Language) -> String {
        let Some(rate) = self.rate else { return String::new() };
        let sent = self.sent_per_second.unwrap_or(rate);
        let mut text = l.pick(
            format!("送信/秒: {sent:.2} (指定: {rate})\n"),
            format!("Sent/second: {sent:.2} (asked for: {rate})\n"),
        );
        if sent < rate * REACHED && self.succeeded + self.failed >= MIN_MADE {
            text += l.pick(
                "指定の速度に達していません: 空きスレッドがありませんでした。\
                 --threads を増やしてください\n",
                "The rate was not reached, since no thread was free: use more \
                 --threads\n",
            );
        }
        text
    }

    fn latency(&self, l: Language) -> String {
        let Some(latency) = self.latency_us else { return String::new() };
        let title = l.pick("レイテンシ (ミリ秒)", "Latency (ms)");
        let bound = self.lower_bounds_from_us.unwrap_or(f64::INFINITY);
        let mut text = format!("\n{title}:\n") + &latency.rows(bound, l);
        if bound.is_finite() {
            text += l.pick(
                "  ≥ 下限: 応答のないリクエストはそれまでの時間で数えています\n",
                "  ≥ at least: a request without a reply counts with its time \
                 until then\n",
            );
        }
        let waited = self.waited_for_core_us / 1_000.0;
        text += &l.pick(
            format!("  平均のうちクライアントのCPU待ち {waited:.3}\n"),
            format!(
                "  of the mean, the client's wait for a core {waited:.3}\n"
            ),
        );
        if let Some(late) = self.sent_late_us {
            let title = l.pick(
                "クライアント自身の送信の遅れ (ミリ秒、上に含む)",
                "Sent late by the client itself (ms, part of the above)",
            );
            text += &format!("\n{title}:\n{}", late.rows(f64::INFINITY, l));
        }
        text
    }

    fn errors(&self, l: Language) -> String {
        if self.kinds.is_empty() {
            return String::new();
        }
        let lines = self
            .kinds
            .iter()
            .map(|(kind, n)| format!("  {n:>9}  {}\n", kind.describe(l)));
        let title = l.pick("失敗したリクエスト", "Failed requests");
        format!("\n{title}:\n{}", lines.collect::<String>())
    }

    /// One line for stderr where a request failed: the most frequent kind of
    /// failure, and what to do about it.
    pub(crate) fn error_summary(&self, l: Language) -> Option<String> {
        let (kind, _) = *self.kinds.first()?;
        let (failed, cause) = (self.failed, kind.describe(l));
        let plural = if failed == 1 { "" } else { "s" };
        let hint = kind.hint(self.server, l);
        Some(l.pick(
            format!("[!] {failed} 件のリクエストが失敗: {cause}{hint}"),
            format!("[!] {failed} request{plural} failed: {cause}{hint}"),
        ))
    }
}

/// Prints `text` at once. `println!` would panic where it is not read. Fails on
/// a full disk (ENOSPC), but not where the reader, such as `head -1`, has read
/// enough (EPIPE). `man 2 write`.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
