//! `schema`, `completions` and `man`: what the program says of itself.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Arguments, Outcome};
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

/// Prints the manual page.
pub(super) fn man() -> Outcome {
    let mut page = Vec::new();
    let written = clap_mangen::Man::new(Arguments::command()).render(&mut page);
    written.map_err(|_| Diagnostic::new(Code::Internal, "the manual page cannot be made"))?;
    Ok(page.into())
}
