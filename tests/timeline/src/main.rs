//! `just record` plays the scenes anew and draws their figures; `just trace`
//! draws what a server does for a reader.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use clap::{Parser, Subcommand};
use timeline::{
    Scene, Timeline, check, data_file, figure, figure_file, play, scenes,
    target, trace,
};

/// Time lines of servers, recorded with strace
#[derive(Debug, Parser)]
#[command(name = "timeline")]
struct Options {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Play the scenes of the book anew, and keep what they show
    Record {
        /// Those whose names begin so; all, if none is named
        names: Vec<String>,
    },
    /// Run a server and write a page of what it did, once it has ended
    Trace {
        /// A step, such as 04-epoll, or any command
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Draw the figures anew from what was recorded
    Draw,
}

fn main() -> ExitCode {
    let done = match Options::parse().task {
        Task::Record { names } => record(&names),
        Task::Trace { command } => trace_own(&command),
        Task::Draw => draw_all(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("[!] {error}");
            ExitCode::FAILURE
        }
    }
}

fn trace_own(command: &[OsString]) -> io::Result<()> {
    let ours = env::current_exe()?.with_file_name("");
    let [page, perfetto] = trace(command, &ours, &target())?;
    println!("\nthe time line:  {}", page.display());
    println!("for ui.perfetto.dev:  {}", perfetto.display());
    Ok(())
}

fn record(names: &[String]) -> io::Result<()> {
    // The folder of this program is that of the servers', too.
    let ours = env::current_exe()?.with_file_name("");
    for scene in Scene::all(&scenes())? {
        let named = |name: &String| scene.name.starts_with(name.as_str());
        if !names.is_empty() && !names.iter().any(named) {
            continue;
        }
        println!("time line {}", scene.name);
        let timeline = record_one(&scene, &ours)?;
        keep(&timeline)?;
    }
    Ok(())
}

fn record_one(scene: &Scene, ours: &Path) -> io::Result<Timeline> {
    let timeline = play(scene, ours, true)?;
    match check::against_scene(&timeline, scene).as_slice() {
        [] => Ok(timeline),
        problems => Err(io::Error::other(problems.join("\n"))),
    }
}

fn draw_all() -> io::Result<()> {
    for scene in Scene::all(&scenes())? {
        let mut timeline = Timeline::read(&scene.name)?;
        timeline.title = scene.title;
        timeline.caption = scene.caption;
        timeline.story = scene.story;
        timeline.clock = scene.clock;
        keep(&timeline)?;
    }
    Ok(())
}

/// Writes down the data and the figure.
fn keep(timeline: &Timeline) -> io::Result<()> {
    let json = serde_json::to_string_pretty(timeline)?;
    fs::write(data_file(&timeline.name), json + "\n")?;
    fs::write(figure_file(&timeline.name), figure(timeline)?)
}
