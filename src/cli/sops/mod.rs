//! The program `sops`: called by that name, or as `plugin sops …`.
//!
//! Follows cmd/sops/main.go of sops 3.13: the same commands, flags and exit codes, for age keys. What did not change
//! keeps its ciphertext unless `--fresh` asks for sops's way. Pinned by the recorded runs of the program (suite
//! `sops-cli`). Start with [`run`].

mod change;
mod codes;
mod commands;
mod edit;
mod exec;
mod flags;
mod keys;
mod one;

use std::io::Write as _;
use std::path::PathBuf;

use super::decrypt::FormatName;
use super::encrypt::Selection;
use super::{Context, Done, Outcome, decrypt, encrypt, output};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::secrets::sealing::Format;
use codes::Work;
use commands::{ABSENT, COMMANDS, Command, GLOBAL, SERVICES};
use flags::{Given, Position};
use one::LockedFile;

/// The version of sops that this does as.
const VERSION: &str = "3.13.3";

/// How a command ended: what is left to print, and the exit code where the report does not say it.
struct Ended {
    outcome: Outcome,
    code: Option<u8>,
    work: Work,
}

impl Ended {
    fn opens(outcome: Outcome) -> Self {
        Self {
            outcome,
            code: None,
            work: Work::Opens,
        }
    }

    fn seals(outcome: Outcome) -> Self {
        Self {
            work: Work::Seals,
            ..Self::opens(outcome)
        }
    }

    fn with_code(self, code: u8) -> Self {
        Self {
            code: Some(code),
            ..self
        }
    }
}

impl From<Diagnostic> for Ended {
    fn from(error: Diagnostic) -> Self {
        Self::opens(Err(error.into()))
    }
}

/// The flags before a command, and a command with its own.
struct Call<'a> {
    context: &'a Context,
    global: Given,
    given: Given,
}

/// Runs the words after the program's name, and returns the exit code.
pub(super) fn run(context: &Context, words: &[String]) -> u8 {
    let ended = dispatch(context, words).unwrap_or_else(Ended::from);
    let code = match (ended.code, &ended.outcome) {
        (Some(code), _) => Some(code),
        (None, Ok(done)) => Some(codes::of(&done.report, ended.work)).filter(|code| *code > 0),
        (None, Err(report)) => Some(codes::of(report, ended.work).max(1)),
    };
    let status = output::finish(ended.outcome);
    code.unwrap_or(status as u8)
}

fn dispatch(context: &Context, words: &[String]) -> Result<Ended> {
    let global = Given::parse(words, GLOBAL.flags, Position::First)?;
    let name = global.arguments.first().map(String::as_str);
    if let Some(name) = name.filter(|name| ABSENT.contains(name)) {
        let phrase = format!("`sops {name}` is not part of this program");
        return Err(Diagnostic::new(Code::Usage, phrase));
    }
    let command = COMMANDS.iter().find(|command| name == Some(command.name));
    if global.help || name == Some("help") {
        return Ok(Ended::opens(Ok(Done::from(help(None)))));
    }
    if global.is("version") {
        let version = format!("sops {VERSION} (prerender {})\n", env!("CARGO_PKG_VERSION"));
        return Ok(Ended::opens(Ok(Done::from(version.into_bytes()))));
    }
    let Some(command) = command else {
        warn_of(&global, &GLOBAL);
        let global = global.with_environment(context, GLOBAL.flags);
        return without_command(context, global);
    };
    let rest = global.arguments.get(1..).unwrap_or_default();
    let given = Given::parse(rest, command.flags, Position::Anywhere)?;
    if given.help {
        return Ok(Ended::opens(Ok(Done::from(help(Some(command))))));
    }
    warn_of(&given, command);
    let given = match command.name {
        "encrypt" | "edit" => given.with_environment(context, command.flags),
        _ => given,
    };
    let call = Call {
        context,
        global,
        given,
    };
    call.run(command.name)
}

/// Says once what a flag does not do.
fn warn_of(given: &Given, command: &Command) {
    for name in &given.ignored {
        output::say(&format!(
            "--{name} has no effect on `{}` here",
            called(command)
        ));
    }
}

fn called(command: &Command) -> String {
    format!("sops {}", command.name).trim_end().to_owned()
}

/// The old way: flags that are commands, and a file that is edited where there is none.
fn without_command(context: &Context, global: Given) -> Result<Ended> {
    let modes = [
        (global.is("encrypt"), "encrypt"),
        (global.is("decrypt"), "decrypt"),
        (global.is("rotate"), "rotate"),
        (global.word("set").is_some(), "set"),
    ];
    let mut named = modes
        .iter()
        .filter(|(given, _)| *given)
        .map(|(_, name)| *name);
    let name = named.next().unwrap_or("edit");
    if named.next().is_some() {
        let phrase = "more than one of --encrypt, --decrypt, --rotate and --set is given";
        return Ok(Ended::from(Diagnostic::new(Code::Usage, phrase)).with_code(codes::CONFLICTING));
    }
    let mut call = Call {
        context,
        given: global,
        global: Given::default(),
    };
    if call.given.arguments.is_empty() {
        return Ok(call.no_file());
    }
    call.given.arguments.truncate(1);
    if let ("set", Some(set)) = (name, call.given.word("set")) {
        // The path ends with the first bracket that a blank follows.
        let Some((path, value)) = set.split_once("] ") else {
            let phrase = "--set is not of the form '[\"key\"] JSON'";
            let error = Diagnostic::new(Code::Usage, phrase);
            return Ok(Ended::from(error).with_code(codes::INVALID_SET));
        };
        let words = [format!("{path}]"), value.to_owned()];
        call.given.arguments.extend(words);
    }
    call.run(name)
}

fn help(command: Option<&Command>) -> Vec<u8> {
    let mut text = Vec::new();
    let shown = command.unwrap_or(&GLOBAL);
    // Writing to memory does not fail.
    let _ = writeln!(
        text,
        "{}\n\nUsage: {} [FLAGS] {}\n",
        shown.help,
        called(shown),
        shown.arguments
    );
    if command.is_none() {
        let _ = writeln!(text, "Commands:");
        for command in &COMMANDS {
            let _ = writeln!(text, "  {:<12} {}", command.name, command.help);
        }
        let _ = writeln!(text);
    }
    let _ = writeln!(text, "Flags:");
    for flag in shown.flags {
        let names: Vec<String> = flag.names.iter().map(|name| format!("--{name}")).collect();
        let _ = writeln!(text, "  {:<40} {}", names.join(", "), flag.help);
    }
    text
}

impl Call<'_> {
    fn run(&self, name: &str) -> Result<Ended> {
        match name {
            "encrypt" => self.encrypt(),
            "decrypt" => self.decrypt(),
            "set" => self.set(),
            "unset" => self.unset(),
            "rotate" => self.rotate(),
            "updatekeys" => self.update_keys(),
            "groups" => self.groups(),
            "edit" => self.edit(),
            "filestatus" => self.file_status(),
            "exec-env" => self.exec_env(),
            _ => self.exec_file(),
        }
    }

    fn no_file(&self) -> Ended {
        Ended::from(Diagnostic::new(Code::Usage, "no file is named")).with_code(codes::NO_FILE)
    }

    fn file(&self) -> Option<PathBuf> {
        self.given.arguments.first().map(PathBuf::from)
    }

    /// A flag of the command, or of those before it.
    fn word(&self, name: &str) -> Option<&str> {
        self.given.word(name).or_else(|| self.global.word(name))
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.word(name).map(PathBuf::from)
    }

    fn config(&self) -> Option<PathBuf> {
        let variable = || self.context.variable("SOPS_CONFIG").map(PathBuf::from);
        self.path("config").or_else(variable)
    }

    fn indent(&self) -> Result<Option<usize>> {
        match self.given.number("indent")? {
            Some(indent) => Ok(Some(indent)),
            None => self.global.number("indent"),
        }
    }

    /// The format of a flag. Like sops, a name that it does not know is binary.
    fn format(&self, name: &str) -> Option<Format> {
        let word = self.given.word(name)?;
        Some(Format::from_name(word).unwrap_or(Format::Binary))
    }

    fn format_name(&self, name: &str) -> Option<FormatName> {
        self.format(name).map(FormatName::from)
    }

    /// The keys of services that flags name, by the fields of a rule; `prefix` is `add-`, `rm-` or nothing.
    fn services(&self, prefix: &str) -> Vec<(String, String)> {
        let lists = SERVICES.iter().map(|(field, flag)| {
            let words = self.given.words(&format!("{prefix}{flag}"));
            ((*field).to_owned(), words.join(","))
        });
        lists.filter(|(_, list)| !list.is_empty()).collect()
    }

    /// Ends with 100 where the file that is named is not there, and with 8 where it shall go to two places.
    fn refuse_early(&self) -> Option<Ended> {
        if self.given.is("in-place") && self.given.word("output").is_some() {
            let error =
                Diagnostic::new(Code::Usage, "--in-place and --output contradict each other");
            return Some(Ended::from(error).with_code(codes::CONFLICTING));
        }
        let missing = self
            .file()
            .filter(|path| !self.context.trusted.exists(path))?;
        let phrase = format!("{} does not exist", missing.display());
        let error = Diagnostic::new(Code::FileMissing, phrase);
        Some(Ended::from(error).with_code(codes::NO_FILE))
    }

    fn decrypt(&self) -> Result<Ended> {
        if let Some(ended) = self.refuse_early() {
            return Ok(ended);
        }
        let arguments = decrypt::Arguments {
            file: self.file(),
            input_type: self.format_name("input-type"),
            output_type: self.format_name("output-type"),
            extract: self.given.word("extract").map(str::to_owned),
            ignore_mac: self.given.is("ignore-mac"),
            output: self.path("output").filter(|_| !self.given.is("in-place")),
            in_place: self.given.is("in-place"),
            filename_override: self.path("filename-override"),
            config: self.config(),
            indent: self.indent()?,
        };
        let ended = Ended::opens(decrypt::run(self.context, &arguments));
        let code = match &ended.outcome {
            Err(report) if is_usage(report) && arguments.extract.is_some() => codes::INVALID_PATH,
            Err(report) if is_usage(report) => codes::CONFLICTING,
            _ => return Ok(ended),
        };
        Ok(ended.with_code(code))
    }

    fn encrypt(&self) -> Result<Ended> {
        if let Some(ended) = self.refuse_early() {
            return Ok(ended);
        }
        let arguments = self.encrypt_arguments()?;
        let ended = Ended::seals(encrypt::run(self.context, &arguments));
        Ok(match &ended.outcome {
            Err(report) if is_usage(report) => ended.with_code(codes::CONFLICTING),
            _ => ended,
        })
    }

    /// What `encrypt` and the first edit of a file need.
    fn encrypt_arguments(&self) -> Result<encrypt::Arguments> {
        let word = |name: &str| self.given.word(name).map(str::to_owned);
        Ok(encrypt::Arguments {
            file: self.file(),
            input_type: self.format_name("input-type"),
            output_type: self.format_name("output-type"),
            output: self.path("output").filter(|_| !self.given.is("in-place")),
            in_place: self.given.is("in-place"),
            fresh: self.given.is("fresh"),
            filename_override: self.path("filename-override"),
            config: self.config(),
            age: word("age"),
            selection: Selection {
                unencrypted_suffix: word("unencrypted-suffix"),
                encrypted_suffix: word("encrypted-suffix"),
                unencrypted_regex: word("unencrypted-regex"),
                encrypted_regex: word("encrypted-regex"),
                unencrypted_comment_regex: word("unencrypted-comment-regex"),
                encrypted_comment_regex: word("encrypted-comment-regex"),
            },
            mac_only_encrypted: self.global.is("mac-only-encrypted")
                || self.given.is("mac-only-encrypted"),
            services: self.services(""),
            threshold: self.given.number("shamir-secret-sharing-threshold")?,
            indent: self.indent()?,
            overwrite: true,
        })
    }

    fn file_status(&self) -> Result<Ended> {
        let Some(file) = self.file() else {
            return Ok(self.no_file());
        };
        let target = LockedFile::read(self, &file)?;
        let sealed = match target.keys() {
            Ok(keys) => keys.has_mac(),
            Err(error) if error.code() == Code::SopsNotSealed => false,
            Err(error) => return Err(error),
        };
        let text = format!("{{\"encrypted\":{sealed}}}\n");
        Ok(Ended::opens(Ok(Done::from(text.into_bytes()))))
    }
}

fn is_usage(report: &Report) -> bool {
    report
        .findings
        .iter()
        .any(|error| error.code() == Code::Usage)
}
