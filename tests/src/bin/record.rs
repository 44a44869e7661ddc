//! `just record`: runs the book's terminal sessions anew and writes down what
//! they print, with the servers of `target/release`.

#[path = "../record/mod.rs"]
mod record;

use std::process::ExitCode;
use std::{env, fs, io};

use record::Session;

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
        for (number, text) in record::play(&session, &ours)? {
            fs::write(record::transcript(&session.name, number), text)?;
        }
    }
    Ok(())
}
