//! What clients may cost, at the most.
//!
//! The figures are those of the steps' own constants, written out anew, with
//! some 30 % of room beyond what was measured: `SHOW_BOUNDS=1` prints that.

use std::process::ExitCode;
use std::time::Duration;

use harness::steps::{Target, runnable};
use harness::{
    CaseError, CaseResult, NonReadingClients, Proc, Resources, Server, TIMEOUT,
    proc_unavailable, room_for, server_of_this_step,
};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// What one step's clients may cost, in KiB of resident memory.
#[derive(Clone, Copy)]
struct Bounds {
    /// A client that sends and never reads. In 01, 02 and 08: the replies to
    /// one read of 2 KiB, at most 21 bytes for each of its bytes: 42 KiB; in 02
    /// its thread as well. In 04, 07 and 09: 64 KiB of unsent replies
    /// (`OUTBOX_LIMIT`) and, on top, those to one read: 107 KiB. On top of
    /// that, what the allocator cannot use: a vector that grows is copied.
    never_reads: usize,
    /// A client that is silent: the connection's struct, or its future; in 02
    /// a thread: the pages of its stack that were used.
    idle: usize,
    /// How many clients there are at a time: none of the others costs anything.
    served: usize,
}

fn bounds(step: &str, room: usize) -> Bounds {
    match step {
        "01-blocking" => Bounds { never_reads: 57, idle: 0, served: 1 },
        "02-threads" => Bounds { never_reads: 84, idle: 18, served: room },
        "08-async" => Bounds { never_reads: 62, idle: 1, served: room },
        _ => Bounds { never_reads: 165, idle: 1, served: room },
    }
}

/// So many idle clients, where the limit on open files allows it.
const WANTED: usize = 10_000;
/// Descriptors that are not a client's.
const OURS: usize = 200;
/// Whatever the number of clients is.
const SLACK: usize = 1_024;
/// For thousands of clients, on a machine with other things to do.
const LONG: Duration = TIMEOUT.saturating_mul(6);

const IDLE: &str = "bounds_what_10000_idle_clients_cost";

type Test = fn(&Server, Bounds) -> CaseResult;

fn main() -> ExitCode {
    let (name, path) = server_of_this_step!();
    let tests: [(&str, Test); 3] = [
        ("keeps_nothing_of_a_line_of_64_megabytes", long_line),
        ("bounds_what_1000_clients_cost_that_never_read", never_read),
        (IDLE, idle),
    ];
    let trials = runnable(name)
        .flat_map(|target| tests.map(|test| trial(target, path, test)))
        .collect();
    let mut arguments = Arguments::from_args();
    // They share this process's descriptors.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(
    target: &'static Target,
    path: &'static str,
    (sentence, test): (&'static str, Test),
) -> Trial {
    let name = target.test_name(sentence);
    Trial::ignorable_test(name, move || {
        if let Some(why) = proc_unavailable() {
            return Ok(Completion::ignored_with(why));
        }
        if target.one_at_a_time && sentence == IDLE {
            return Ok(Completion::ignored_with("needs many clients at once"));
        }
        // Before the server starts: it has the same limit.
        let room = room_for(WANTED + OURS).saturating_sub(OURS);
        // A line for each of millions of messages would take its time.
        let launch = target.launch(path).args(&["--quiet"]);
        let server = launch.start(LONG)?;
        test(&server, bounds(target.name, room)).map_err(Failed::from)?;
        Ok(Completion::Completed)
    })
}

/// What the server holds; the descriptors and threads must be the same again.
struct Before {
    process: Proc,
    resident_kib: usize,
    resources: Resources,
}

impl Before {
    /// Once a client has come and gone.
    fn clients_of(server: &Server) -> Result<Self, CaseError> {
        let process = server.process()?.proc();
        let resources = Resources::of(process)?;
        server.still_serves()?;
        let before = Self { process, resident_kib: 0, resources };
        before.is_back(server.timeout())?;
        Ok(Self { resident_kib: process.resident_kib()?, ..before })
    }

    fn has_grown_by_at_most(&self, kib: usize) -> CaseResult {
        let now = self.process.resident_kib()?;
        let grown = now.saturating_sub(self.resident_kib);
        if std::env::var_os("SHOW_BOUNDS").is_some() {
            println!("{grown} KiB of {kib}");
        }
        if grown <= kib {
            return Ok(());
        }
        Err(CaseError::new("the server's memory grows past its bound")
            .expected(format!("at most {kib} KiB more"))
            .came(format!("{grown} KiB more")))
    }

    fn is_back(&self, timeout: Duration) -> CaseResult {
        self.resources.is_reached_by(self.process, timeout)
    }
}

/// The bytes of a line that is too long are dropped as they come.
fn long_line(server: &Server, _: Bounds) -> CaseResult {
    let before = Before::clients_of(server)?;
    let mut client = server.connect()?;
    let bytes = [&vec![b'a'; 64 << 20][..], b"\nping\n"].concat();
    let replies = "エラー: 1行は1000バイトまでです\npong\n";
    client.exchange(bytes, replies.as_bytes())?;
    before.has_grown_by_at_most(SLACK)?;
    drop(client);
    before.is_back(server.timeout())
}

fn never_read(server: &Server, bounds: Bounds) -> CaseResult {
    let before = Before::clients_of(server)?;
    let flood = NonReadingClients::on(server, 1_000, LONG)?;
    let served = flood.clients().min(bounds.served);
    before.has_grown_by_at_most(SLACK + served * bounds.never_reads)?;
    drop(flood);
    server.still_serves()?;
    before.is_back(LONG)
}

/// As many as the limit on open files allows, where that is less.
fn idle(server: &Server, bounds: Bounds) -> CaseResult {
    let count = bounds.served.min(WANTED);
    if count < WANTED {
        println!("{count} clients alone: see ulimit -n");
    }
    let before = Before::clients_of(server)?;
    let mut clients = server.connect_many(count)?;
    for client in &mut clients {
        client.ask(b"ping\n", b"pong\n")?;
    }
    before.has_grown_by_at_most(SLACK + count * bounds.idle)?;
    drop(clients);
    before.is_back(LONG)
}
