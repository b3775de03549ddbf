//! The program `kustomize`: under its own name, or as `plugin kustomize`.
//!
//! [`COMMANDS`] is the whole of it: each command, its flags and the function that runs it. Words are read as the program
//! reads them ([`flags`]); `PRERENDER_KUSTOMIZE_VERSION` says which version's bytes are given.

mod build;
mod create;
mod edit;
mod flags;
mod version;

use std::fmt::Write as _;

use self::flags::{CommandLine, Flag, Takes, flag, short, usage};
use super::root::LEVEL_VARIABLE;
use super::{Context, Done, Outcome};
use crate::diagnostic::Result;
use crate::kustomize::Level;

/// A command, or a group of them.
struct Command {
    name: &'static str,
    about: &'static str,
    flags: &'static [Flag],
    run: Run,
}

enum Run {
    /// Runs with its words.
    Leaf(fn(&Call<'_>) -> Outcome),
    /// Is followed by one of these.
    Group(&'static [Command]),
}

/// A run of a command.
struct Call<'c> {
    context: &'c Context,
    words: CommandLine,
    level: Level,
}

const fn leaf(
    name: &'static str,
    about: &'static str,
    flags: &'static [Flag],
    run: fn(&Call<'_>) -> Outcome,
) -> Command {
    Command {
        name,
        about,
        flags,
        run: Run::Leaf(run),
    }
}

const fn group(name: &'static str, about: &'static str, commands: &'static [Command]) -> Command {
    Command {
        name,
        about,
        flags: &[],
        run: Run::Group(commands),
    }
}

/// What every command takes.
const EVERYWHERE: &[Flag] = &[
    short("help", 'h', Takes::Nothing, "Say what the command does"),
    flag("stack-trace", Takes::Nothing, "Taken, without an effect"),
];

const COMMANDS: &[Command] = &[
    leaf(
        "build",
        "Print what is built from a directory",
        build::FLAGS,
        build::run,
    ),
    leaf(
        "create",
        "Write a new kustomization",
        create::FLAGS,
        create::run,
    ),
    leaf("init", "The same as create", create::FLAGS, create::run),
    group(
        "edit",
        "Change the kustomization of the working directory",
        edit::COMMANDS,
    ),
    leaf(
        "version",
        "Print the version whose bytes are given",
        version::FLAGS,
        version::run,
    ),
    group(
        "openapi",
        "Print what is known of the schema",
        version::OPENAPI,
    ),
    group(
        "completion",
        "Print the completions of a shell",
        version::COMPLETION,
    ),
    leaf(
        "cfg",
        "Not there: cat, count, grep and tree of kustomize",
        &[],
        absent,
    ),
    leaf(
        "fn",
        "Not there: runs of functions over directories",
        &[],
        absent,
    ),
    leaf(
        "localize",
        "Not there: copies with remote files",
        &[],
        absent,
    ),
    leaf(
        "docs-fn",
        "Say how functions are run",
        &[],
        version::docs_functions,
    ),
    leaf(
        "docs-fn-spec",
        "Say what functions read and print",
        &[],
        version::docs_functions,
    ),
    leaf(
        "docs-io-annotations",
        "Say what functions read and print",
        &[],
        version::docs_functions,
    ),
    leaf(
        "docs-merge",
        "Say how patches are merged",
        &[],
        version::docs_merge,
    ),
    leaf(
        "docs-merge3",
        "Say how patches are merged",
        &[],
        version::docs_merge,
    ),
];

/// Refuses a command of kustomize that this program does not have.
fn absent(_: &Call<'_>) -> Outcome {
    Err(usage("this command of kustomize is not there; use the program itself").into())
}

/// Runs the program with its words, without its name.
pub(super) fn run(context: &Context, words: &[String]) -> Outcome {
    let level = match context.variable(LEVEL_VARIABLE) {
        Some(text) => super::root::level(text).map_err(usage)?,
        None => Level::default(),
    };
    if let [word, rest @ ..] = words
        && word == "help"
    {
        return Ok(help(&resolve(rest)?.0));
    }
    let (path, rest) = resolve(words)?;
    let command = path.last();
    let known: Vec<&[Flag]> = path.iter().map(|c| c.flags).chain([EVERYWHERE]).collect();
    let is_edit = path.first().is_some_and(|c| c.name == "edit");
    let edit: &[Flag] = if is_edit { edit::EVERYWHERE } else { &[] };
    let known: Vec<&[Flag]> = known.into_iter().chain([edit]).collect();
    let words = CommandLine::parse(&rest, &known)?;
    match command.map(|command| &command.run) {
        Some(Run::Leaf(run)) if !words.is_on("help") => run(&Call {
            context,
            words,
            level,
        }),
        // The reference answers with help; a shell that is not known is an error there too.
        _ if command.is_some_and(|c| c.name == "completion") && !words.is_on("help") => {
            Err(usage("completion needs bash, zsh, fish or powershell").into())
        }
        _ => Ok(help(&path)),
    }
}

/// The command that words name, from the outermost group on, and the words that are left.
fn resolve(words: &[String]) -> Result<(Vec<&'static Command>, Vec<String>)> {
    let mut path: Vec<&'static Command> = Vec::new();
    let mut commands = COMMANDS;
    let mut rest = Vec::new();
    let mut words = words.iter();
    for word in words.by_ref() {
        if word.starts_with('-') {
            rest.push(word.clone());
            continue;
        }
        let Some(command) = commands.iter().find(|command| command.name == word) else {
            if path.is_empty() {
                return Err(usage(format!("unknown command {word}")));
            }
            rest.push(word.clone());
            break;
        };
        path.push(command);
        match command.run {
            Run::Group(inner) => commands = inner,
            Run::Leaf(_) => break,
        }
    }
    rest.extend(words.cloned());
    Ok((path, rest))
}

/// Says what a command does.
fn help(path: &[&'static Command]) -> Done {
    let mut text = String::new();
    let names: Vec<&str> = path.iter().map(|command| command.name).collect();
    let command = path.last();
    let about = command.map_or("Build and edit kustomizations", |command| command.about);
    let (commands, flags) = match command.map(|command| &command.run) {
        None => (COMMANDS, &[][..]),
        Some(Run::Group(commands)) => (*commands, &[][..]),
        Some(Run::Leaf(_)) => (&[][..], command.map_or(&[][..], |command| command.flags)),
    };
    let _ = writeln!(text, "{about}\n\nUsage: kustomize {}", names.join(" "));
    for command in commands {
        let _ = writeln!(text, "  {:26} {}", command.name, command.about);
    }
    for flag in flags.iter().chain(EVERYWHERE) {
        let short = flag
            .short
            .map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
        let _ = writeln!(text, "  {short}--{:22} {}", flag.name, flag.about);
    }
    text.into_bytes().into()
}
