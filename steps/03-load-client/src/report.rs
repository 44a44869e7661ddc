//! What a run is summed up as: the article's lines, and what they leave out.

use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;
use std::time::Duration;

use protocol::Language;

use crate::schedule::Schedule;
use crate::tally::{Latency, Tally};

/// The outcome of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The server.
    pub server: SocketAddr,
    /// The requests that were to be made.
    pub total: u64,
    /// From the start of the first thread to the end of the last.
    pub elapsed: Duration,
    /// The signal that ended the run early, if one did.
    pub signal: Option<i32>,
    /// The requests that were made, and what became of them.
    pub tally: Tally,
}

/// The lines that stand above a run, in the article's words.
// ANCHOR: heading
pub(crate) fn heading(
    total: u64,
    workers: usize,
    language: Language,
) -> String {
    let share = match Schedule::shares(total, workers) {
        (least, most) if least == most => least.to_string(),
        (least, most) => format!("{least}–{most}"),
    };
    language.pick(
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
// ANCHOR_END: heading

impl Report {
    /// Successful requests per second.
    #[must_use]
    pub fn requests_per_second(&self) -> f64 {
        self.tally.successes() as f64 / self.elapsed.as_secs_f64()
    }

    /// The results as text, each line with its newline.
    #[must_use]
    pub fn in_language(&self, language: Language) -> impl Display {
        struct Worded<'a>(&'a Report, Language);
        impl Display for Worded<'_> {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                let Self(report, language) = *self;
                report.write_stop(f, language)?;
                report.write_results(f, language)?;
                report.write_latency(f, language)?;
                report.write_problems(f, language)
            }
        }
        Worded(self, language)
    }

    fn write_stop(&self, f: &mut Formatter<'_>, l: Language) -> fmt::Result {
        let Some(signal) = self.signal else { return Ok(()) };
        let text = l.pick(
            format!("シグナル {signal} を受信。ここまでの結果を表示します"),
            format!("received signal {signal}, stopped early: results so far"),
        );
        writeln!(f, "\n[*] {text}")
    }

    // ANCHOR: results
    fn write_results(&self, f: &mut Formatter<'_>, l: Language) -> fmt::Result {
        let seconds = self.elapsed.as_secs_f64();
        let (successes, total) = (self.tally.successes(), self.total);
        let rate = self.requests_per_second();
        match l {
            Language::Japanese => {
                writeln!(f, "\n負荷テスト結果:")?;
                writeln!(f, "総経過時間: {seconds:.2} 秒")?;
                writeln!(f, "成功リクエスト: {successes} / {total}")?;
                writeln!(f, "リクエスト/秒: {rate:.2}")
            }
            Language::English => {
                writeln!(f, "\nLoad test results:")?;
                writeln!(f, "Elapsed time: {seconds:.2} s")?;
                writeln!(f, "Successful requests: {successes} / {total}")?;
                writeln!(f, "Requests/second: {rate:.2}")
            }
        }
    }
    // ANCHOR_END: results

    fn write_latency(&self, f: &mut Formatter<'_>, l: Language) -> fmt::Result {
        let Some(latency) = self.tally.latency() else { return Ok(()) };
        let Latency { mean, p50, p90, p99, p999, max } = latency;
        writeln!(f, "\n{}:", l.pick("レイテンシ (ミリ秒)", "Latency (ms)"))?;
        let rows = [
            (l.pick("平均 ", "mean "), mean),
            ("p50  ", p50),
            ("p90  ", p90),
            ("p99  ", p99),
            ("p99.9", p999),
            (l.pick("最大 ", "max  "), max),
        ];
        for (name, micros) in rows {
            writeln!(f, "  {name} {:>10.3}", micros / 1_000.0)?;
        }
        Ok(())
    }

    fn write_problems(
        &self,
        f: &mut Formatter<'_>,
        l: Language,
    ) -> fmt::Result {
        let problems = self.tally.problems();
        if !problems.is_empty() {
            let title = l.pick("失敗したリクエスト", "Failed requests");
            writeln!(f, "\n{title}:")?;
        }
        for (problem, count) in problems {
            writeln!(f, "  {count:>9}  {}", problem.worded(l))?;
        }
        Ok(())
    }

    /// One line for stderr where a request failed: the most frequent kind of
    /// failure, and what to do about it.
    #[must_use]
    pub fn complaint(&self, language: Language) -> Option<String> {
        let (problem, _) = *self.tally.problems().first()?;
        let failures = self.tally.failures();
        let cause = problem.worded(language);
        let hint = problem.hint(self.server, language);
        Some(language.pick(
            format!(
                "[!] {failures} 件のリクエストが失敗: {cause}{}",
                hint.as_ref().map_or(String::new(), |h| format!("。{h}"))
            ),
            format!(
                "[!] {failures} request{} failed: {cause}{}",
                if failures == 1 { "" } else { "s" },
                hint.as_ref().map_or(String::new(), |h| format!(": {h}"))
            ),
        ))
    }
}
