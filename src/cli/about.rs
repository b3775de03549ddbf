//! `schema`, `completions` and `man`: what the program says of itself.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Arguments, Outcome, examples};
use crate::diagnostic::{Code, Diagnostic};

/// The JSON Schema of the project file.
const SCHEMA: &str = include_str!("../../plugin/schemas/prerender.json");

/// Prints the JSON Schema of the project file.
pub(super) fn schema() -> Outcome {
    Ok(SCHEMA.as_bytes().to_vec().into())
}

/// Prints the completions of a shell.
pub(super) fn completions(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "plugin", &mut script);
    Ok(script.into())
}

/// Prints the manual page of the program, or of a command.
///
/// Fails with [`Code::Usage`] on a command that does not exist.
pub(super) fn man(words: &[String]) -> Outcome {
    let mut command = examples::command().disable_help_subcommand(true);
    let mut name = "plugin".to_owned();
    // `flux-build` as the pages write it, or two words.
    for word in words.iter().flat_map(|word| word.split('-')) {
        let found = command.find_subcommand(word).cloned();
        command = found.ok_or_else(|| {
            Diagnostic::new(
                Code::Usage,
                format!("there is no command {}", words.join(" ")),
            )
            .help("plugin --help lists the commands")
        })?;
        name = format!("{name}-{word}");
    }
    let command = command.display_name(name);
    let mut page = Vec::new();
    let written = clap_mangen::Man::new(command).render(&mut page);
    written.map_err(|_| Diagnostic::new(Code::Internal, "the manual page cannot be made"))?;
    Ok(page.into())
}
