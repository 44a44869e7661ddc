//! `just record`: runs the book's terminal sessions anew and writes down what
//! they print, with the servers of `target/release`.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use book::Session;

fn main() -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).collect();
    match record_all(&wanted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("[!] {error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the sessions whose names begin with one of `wanted`, or all.
fn record_all(wanted: &[String]) -> io::Result<()> {
    // The folder of this program is that of the steps' binaries, too.
    let ours = env::current_exe()?.with_file_name("");
    for session in Session::all()? {
        let named = |name: &String| session.name.starts_with(name.as_str());
        if !wanted.is_empty() && !wanted.iter().any(named) {
            continue;
        }
        if let Some(tool) = session.missing_tool() {
            println!("{}: skipped, {tool} is not installed", session.name);
            continue;
        }
        println!("{}, {} terminals", session.name, session.terminals().len());
        keep(&session, &ours)?;
    }
    Ok(())
}

/// Plays `session`; keeps what its terminals show, and the picture of the same run.
fn keep(session: &Session, ours: &Path) -> io::Result<()> {
    if let Some(drawing) = session.drawing.as_ref().filter(|d| d.exists()) {
        fs::remove_file(drawing)?; // one of an earlier run
    }
    for (number, text) in book::play(session, ours)? {
        fs::write(book::transcript(&session.name, number), text)?;
    }
    if let Some(drawing) = &session.drawing {
        fs::copy(drawing, book::picture(&session.name))?;
    }
    Ok(())
}
