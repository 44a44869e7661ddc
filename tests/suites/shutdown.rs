//! SIGTERM under the load of a hundred clients, ten times in a row.
//!
//! Half of the clients ask one line after the other, half have 16 in flight. In
//! every other round the signal comes while all goes on; then no reply may be
//! torn. In the others the server is stopped first (SIGSTOP), until every line
//! has arrived that any client would send. All that had arrived by then must be
//! answered, although the clients go on to send more when their replies come.

use std::process::ExitCode;

use conformance::{LaunchOptions, ServerUnderTest};
use harness::{
    CaseError, CaseResult, PipeliningClient, Server, Signal, eventually,
    nothing_on_the_way_to, server_of_this_step, steps,
};
use libtest_mimic::{Arguments, Failed, Trial};

const CLIENTS: usize = 100;
const ROUNDS: usize = 10;

fn main() -> ExitCode {
    let (name, path) = server_of_this_step!();
    let trials = steps::runnable(name).map(|target| {
        let sentence = "answers_all_that_had_come_ten_times_in_a_row";
        let server = ServerUnderTest::step(target, path);
        // Step 01 talks to one of them, and the others wait in its queue.
        let all = !target.one_at_a_time;
        Trial::test(target.test_name(sentence), move || {
            let mut rounds = 0..ROUNDS;
            rounds
                .try_for_each(|n| round(&server, all, n))
                .map_err(Failed::from)
        })
    });
    let trials = trials.collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn round(subject: &ServerUnderTest, all: bool, number: usize) -> CaseResult {
    let told = |failure: CaseError| failure.with("round", number.to_string());
    let server = subject.start(&LaunchOptions::default())?;
    let clients: Vec<_> = server
        .connect_many(CLIENTS)?
        .into_iter()
        .enumerate()
        .map(|(n, client)| {
            PipeliningClient::start(client, if n % 2 == 0 { 1 } else { 16 })
        })
        .collect();
    under_load(&server, &clients, all)?;
    let process = server.process()?;
    let stop = !number.is_multiple_of(2);
    let due =
        if stop { stopped(&server, &clients)? } else { vec![0; clients.len()] };
    process.signal(Signal::SIGTERM)?;
    if stop {
        process.signal(Signal::SIGCONT)?;
    }
    process.has_ended_in_order().map_err(told)?;
    answered(clients, &due).map_err(told)
}

/// Waits until all of the clients have had replies, or one where the others
/// have to wait.
fn under_load(
    server: &Server,
    clients: &[PipeliningClient],
    all: bool,
) -> CaseResult {
    eventually(server.timeout(), || {
        let mut served = clients.iter().map(|client| client.answered() > 0);
        let enough =
            if all { served.all(|yes| yes) } else { served.any(|yes| yes) };
        if enough {
            Ok(())
        } else {
            Err(CaseError::new("clients get no reply"))
        }
    })
}

/// Stops the server, waits until each client waits for it, and gives the number
/// of lines of each that the server has to answer: none of one that it has not
/// accepted yet.
fn stopped(
    server: &Server,
    clients: &[PipeliningClient],
) -> Result<Vec<usize>, CaseError> {
    let process = server.process()?;
    process.signal(Signal::SIGSTOP)?;
    eventually(server.timeout(), || {
        let wait = process.proc().is_stopped()
            && clients.iter().all(PipeliningClient::waits);
        if wait && nothing_on_the_way_to(server.address().port()) {
            return Ok(());
        }
        Err(CaseError::new("the clients' lines do not arrive"))
    })?;
    let due = |client: &PipeliningClient| match client.answered() {
        0 => 0,
        _ => client.sent(),
    };
    Ok(clients.iter().map(due).collect())
}

fn answered(clients: Vec<PipeliningClient>, due: &[usize]) -> CaseResult {
    for (client, &due) in clients.into_iter().zip(due) {
        let answered = client.end()?;
        if answered < due {
            return Err(CaseError::new("what had come was not answered")
                .expected(format!("{due} replies"))
                .came(format!("{answered}")));
        }
    }
    Ok(())
}
