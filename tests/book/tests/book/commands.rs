//! Commands in the text: the task, the binary and the option must exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use clap::CommandFactory;

use crate::pages::Pages;

/// The options of each binary that the book may name.
fn options() -> BTreeMap<&'static str, BTreeSet<String>> {
    let commands = [
        ("01-blocking", blocking::Options::command()),
        ("02-threads", threads::Options::command()),
        ("03-load-client", load_client::Options::command()),
        ("04-epoll", epoll::Options::command()),
        ("05-compare", compare::Options::command()),
        ("06-labs", labs::Options::command()),
        ("07-cores", cores::Options::command()),
        ("08-async", async_server::Options::command()),
        ("09-uring", uring::Options::command()),
        ("check", conformance::check::Options::command()),
        ("wrong", faulty::Options::command()),
    ];
    commands.map(|(name, command)| (name, options_of(command))).into()
}

fn options_of(command: clap::Command) -> BTreeSet<String> {
    let mut command = command;
    command.build();
    let mut names = BTreeSet::new();
    let sub = command.get_subcommands().flat_map(clap::Command::get_arguments);
    for argument in command.get_arguments().chain(sub) {
        names.extend(argument.get_long().map(|name| format!("--{name}")));
        names.extend(argument.get_short().map(|name| format!("-{name}")));
    }
    names
}

/// The tasks of the justfile.
fn tasks(pages: &Pages) -> BTreeSet<String> {
    let justfile = pages.source.join("../../justfile");
    let text = fs::read_to_string(justfile).unwrap_or_default();
    let recipes = text.lines().filter(|line| {
        line.contains(':') && line.starts_with(char::is_alphabetic)
    });
    recipes
        .filter_map(|line| line.split([' ', ':']).next())
        .map(Into::into)
        .collect()
}

pub(crate) fn exist(pages: &Pages) -> Vec<String> {
    let (tasks, options) = (tasks(pages), options());
    let mut problems = Vec::new();
    for page in &pages.all {
        let blocks = page.blocks();
        let shell = blocks.iter().filter(|b| b.language == "sh");
        let lines = shell.flat_map(|b| b.text.lines().map(|l| (b.line, l)));
        for (line, text) in page.code_spans().into_iter().chain(lines) {
            if let Some(problem) = examine(text, &tasks, &options) {
                let at = format!("{}:{line}", page.name);
                problems.push(format!("{at}: `{text}`: {problem}"));
            }
        }
    }
    problems
}

/// What is wrong with a command, if it is one of ours.
fn examine(
    text: &str,
    tasks: &BTreeSet<String>,
    options: &BTreeMap<&str, BTreeSet<String>>,
) -> Option<String> {
    // What is quoted is another program's command line.
    let ours = text.split('\'').next().unwrap_or_default();
    let words: Vec<_> = ours.split_whitespace().collect();
    let (first, second) = (*words.first()?, words.get(1).copied());
    if first == "just" && !tasks.contains(second?) {
        return Some("the justfile has no such task".into());
    }
    if first.starts_with("--") && first != "--" {
        return lone_option(first, options);
    }
    let binary = match (first, second) {
        ("just", Some("load")) => "03-load-client",
        ("just", Some("compare")) => "05-compare",
        ("just", Some("lab")) => "06-labs",
        ("just", Some("wrong")) => "wrong",
        ("just" | "cargo", Some("run")) => *words
            .iter()
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?,
        _ => first.rsplit('/').next()?,
    };
    let Some(known) = options.get(binary) else {
        let ours = binary.starts_with("0") && binary.contains('-');
        return (ours && binary != "00-protocol")
            .then(|| format!("no binary {binary}"));
    };
    let named = |word: &&&str| {
        word.ends_with(binary) || ["load", "compare", "lab"].contains(*word)
    };
    let after = words.iter().skip_while(|word| !named(word));
    after
        .take_while(|word| !["|", ">", "2>", "&"].contains(word))
        .filter(|word| word.starts_with('-') && **word != "--")
        .map(|word| word.split('=').next().unwrap_or_default())
        .find(|&option| !known.contains(option))
        .map(|option| format!("{binary} has no option {option}"))
}

/// An option named alone: one binary at least must have it.
fn lone_option(
    option: &str,
    options: &BTreeMap<&str, BTreeSet<String>>,
) -> Option<String> {
    let known = options.values().any(|names| names.contains(option));
    (!known).then(|| format!("no server and no client has {option}"))
}
