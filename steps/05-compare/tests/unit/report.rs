//! What is written into files, and what is not.

use crate::report::{self, page, unreliable};
use crate::results::round::Round;
use crate::results::row::{Load, Results, Row, Setup};

#[test]
fn an_interrupted_run_replaces_no_complete_result() {
    let folder = std::env::temp_dir();
    let folder = folder.join(format!("05-compare.{}", std::process::id()));
    let write = |interrupted, backlog| {
        let setup = Setup { backlog, ..<_>::default() };
        let results = Results { interrupted, setup, ..<_>::default() };
        report::write(&results, &folder).map_err(|error| error.to_string())
    };
    let written = [write(true, 1), write(true, 2), write(false, 3)];
    let refused = write(true, 4);
    let found = report::read(&folder.join("results.json"));
    let _ = std::fs::remove_dir_all(&folder);
    assert_eq!(written, [Ok(()), Ok(()), Ok(())]);
    assert!(refused.is_err_and(|error| error.contains("was interrupted")));
    assert_eq!(found.expect("results").setup.backlog, 3);
}

#[test]
fn what_a_server_said_is_no_markup() {
    let said = "it said: *that* <module> `x`\n# and | & more";
    let row = Row {
        load: "low".into(),
        server: "a|b".into(),
        skipped: Some(said.into()),
        client_failed: true,
        ..Row::default()
    };
    let loads = vec![Load { name: "low".into(), ..Load::default() }];
    let results = Results { loads, rows: vec![row], ..Results::default() };
    let page = page(&results);
    for text in ["*that* &lt;module&gt; `x` # and | &amp; more", "a|b</td>"] {
        assert!(page.contains(text), "{text} is not in {page}");
    }
}

#[test]
fn what_was_not_asked_is_not_left_unanswered() {
    let round = Round { seconds: 0.1, ..Round::default() };
    let row = Row { rounds: vec![round], ..Row::default() };
    let said = unreliable(&row).expect("a sentence");
    assert!(said.contains("no request was due"), "{said}");
}

#[test]
fn a_round_that_failed_whole_is_a_failure_in_the_csv() {
    let failure = Some("exit status 1".into());
    let rounds = vec![Round { failure, ..Round::default() }; 2];
    let row = Row {
        load: "low".into(),
        server: "a".into(),
        rounds,
        ..Row::default()
    };
    let results = Results { rows: vec![row], ..Results::default() };
    let csv = report::stats(&results);
    assert!(csv.contains("\nTCP,\"low a\",2,2,N/A,N/A,"), "{csv}");
}
