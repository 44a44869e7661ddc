//! `just listings`: writes what the book says about its listings.

use std::process::ExitCode;
use std::{fs, io};

fn main() -> ExitCode {
    match write_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("[!] {error}");
            ExitCode::FAILURE
        }
    }
}

fn write_all() -> io::Result<()> {
    let listings = book::listings::expected()?;
    for (path, text) in listings.files {
        if fs::read_to_string(&path).is_ok_and(|now| now == text) {
            continue;
        }
        println!("{}", path.display());
        fs::create_dir_all(path.with_file_name(""))?;
        fs::write(&path, text)?;
    }
    for problem in listings.problems {
        println!("{problem}");
    }
    Ok(())
}
