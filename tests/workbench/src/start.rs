//! A new folder with the smallest server. What was there is moved aside.

use std::fs;
use std::path::{Path, PathBuf};

use crate::course::{Step, absolute, repository};
use crate::language::{Language, package_name};
use crate::{Result, say};

/// Makes the folder, and says what to do next.
///
/// # Errors
/// There is no such program, or the folder cannot be written.
pub(crate) fn start(
    root: &Path,
    step: Step,
    language: Language,
    at: usize,
) -> Result<()> {
    let program = program(step, language, at)?;
    let folder = root.join(step.name());
    move_aside(&folder)?;
    let source = folder.join(language.source());
    create(source.parent().unwrap_or(&folder))?;
    let text = read(&program)?;
    write(&source, &text)?;
    match language {
        Language::Rust => write_package(step, &folder)?,
        Language::Go => {
            write(&folder.join("go.mod"), "module server\n\ngo 1.19\n")?;
        }
        Language::Python | Language::C | Language::Node => {}
    }
    say(&format!("[*] your server: {}", absolute(&source)));
    say("[*] check it, now and at every save: just mine --watch");
    if let Err(error) = language.is_installed() {
        say(&format!("[!] {error}"));
    }
    Ok(())
}

/// What to begin with.
fn program(step: Step, language: Language, at: usize) -> Result<PathBuf> {
    if at > 0 && language != Language::Rust {
        return Err("stages later than 0 are there in Rust alone: \
                    leave out --at or --in"
            .into());
    }
    if at > 0 {
        return Ok(step.stage(at)?.0);
    }
    let program = step.stages_folder().join(language.starter());
    if program.exists() {
        return Ok(program);
    }
    Err("Node runs all clients on one event loop: it has step 04 alone".into())
}

/// Nothing of the reader's is ever overwritten.
fn move_aside(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let aside = (1..)
        .map(|number| folder.with_extension(number.to_string()))
        .find(|aside| !aside.exists());
    let Some(aside) = aside else { return Ok(()) };
    fs::rename(folder, &aside)
        .map_err(|e| format!("cannot move {}: {e}", absolute(folder)))?;
    say(&format!("[*] what was there is now in {}", absolute(&aside)));
    Ok(())
}

/// A package of its own, with the book's versions of the crates.
fn write_package(step: Step, folder: &Path) -> Result<()> {
    let workspace = read(&repository().join("Cargo.toml"))?;
    let line = workspace.lines().find(|line| line.starts_with("nix ="));
    let version = line.and_then(|line| line.split('"').nth(1));
    let Some(version) = version else {
        return Err("the Cargo.toml of the workspace names no nix".into());
    };
    let name = package_name(step);
    let features = "[\"event\", \"fs\", \"net\", \"poll\", \"process\", \
                    \"signal\", \"socket\"]";
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n\
         edition = \"2024\"\npublish = false\n\n[dependencies]\n\
         nix = {{ version = \"{version}\", default-features = false, \
         features = {features} }}\n\n\
         # Not a part of the workspace around it.\n[workspace]\n"
    );
    write(&folder.join("Cargo.toml"), &manifest)?;
    // Cargo drops from it what is not needed here.
    let lock = read(&repository().join("Cargo.lock"))?;
    write(&folder.join("Cargo.lock"), &lock)
}

fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)
        .map_err(|e| format!("cannot make {}: {e}", absolute(folder)))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path)
        .map_err(|e| format!("cannot read {}: {e}", absolute(path)))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)
        .map_err(|e| format!("cannot write {}: {e}", absolute(path)))
}
