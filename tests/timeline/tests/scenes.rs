//! The figures are those of their scenes: the recording says what the scene
//! says, the figure is drawn from it, its lines of source are still there, and
//! the scene played again makes the same calls.
//!
//! The servers are this very program, started under their names: so they can
//! never be out of date.

#[path = "../../suites/programs.rs"]
mod programs;

use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

use clap::Parser;
use libtest_mimic::{Arguments, Failed, Trial};
use programs::{Program, SERVERS};
use timeline::{
    Scene, Timeline, check, figure, figure_file, play, root, scenes,
};

/// The programs that this one can be besides, by the name it was started with.
const OTHERS: [Program; 2] = [
    ("08-async", || {
        protocol::exit_code(async_server::run(&async_server::Options::parse()))
    }),
    ("09-uring", || protocol::exit_code(uring::run(&uring::Options::parse()))),
];

/// On a busy machine a client that has to wait for a core may come too late for
/// its scene: it is played again. Where the code has changed, none is right.
const PLAYS: usize = 3;

fn main() -> ExitCode {
    programs::run(&[&SERVERS[..], &OTHERS].concat(), test_all)
}

fn test_all(servers: &Path) -> io::Result<ExitCode> {
    let mut trials = Vec::new();
    for scene in Scene::all(&scenes())? {
        let name = scene.name.replace('-', "_");
        let kept = scene.clone();
        trials.push(Trial::test(format!("{name}_is_drawn_as_recorded"), {
            move || verdict(is_drawn_as_recorded(&kept))
        }));
        let folder = servers.to_owned();
        trials.push(Trial::test(format!("{name}_plays_as_recorded"), {
            move || verdict(plays_as_recorded(&scene, &folder))
        }));
    }
    let arguments = Arguments::from_args();
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

fn verdict(problems: io::Result<Vec<String>>) -> Result<(), Failed> {
    let problems = problems?;
    if problems.is_empty() {
        return Ok(());
    }
    let advice = "If the scene is right: `just record`.";
    Err(Failed::from(format!("{}\n{advice}", problems.join("\n"))))
}

fn is_drawn_as_recorded(scene: &Scene) -> io::Result<Vec<String>> {
    let kept = Timeline::read(&scene.name)?;
    let mut problems = check::against_scene(&kept, scene);
    let drawn = fs::read_to_string(figure_file(&scene.name))?;
    if drawn != figure(&kept)? {
        problems.push("the figure is not the one of its data".into());
    }
    for code in kept.parts.iter().flat_map(|part| &part.code) {
        let text = fs::read_to_string(root().join(&code.file));
        let text = text.unwrap_or_default();
        if !text.lines().any(|line| line.trim() == code.text) {
            problems.push(format!("{} has no {:?}", code.file, code.text));
        }
    }
    Ok(problems)
}

fn plays_as_recorded(scene: &Scene, servers: &Path) -> io::Result<Vec<String>> {
    if let Some(reason) = harness::strace_unavailable() {
        if harness::in_ci() {
            return Err(io::Error::other(reason));
        }
        println!("skipped {}: {reason}", scene.name);
        return Ok(Vec::new());
    }
    for server in &scene.servers {
        if let Some(reason) = harness::steps::rings_unavailable(server) {
            println!("skipped {}: {reason}", scene.name);
            return Ok(Vec::new());
        }
    }
    let kept = Timeline::read(&scene.name)?;
    let mut problems = Vec::new();
    for _ in 0..PLAYS {
        let now = match play(scene, servers, false) {
            Err(error) if error.kind() == io::ErrorKind::QuotaExceeded => {
                println!("skipped {}: {error}", scene.name);
                return Ok(Vec::new());
            }
            played => played?,
        };
        problems = check::against_scene(&now, scene);
        problems.extend(check::differences(&kept, &now));
        if problems.is_empty() {
            break;
        }
    }
    Ok(problems)
}
