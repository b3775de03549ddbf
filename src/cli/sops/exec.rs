//! `exec-env` and `exec-file`: a command of the invoker, given what a sealed file holds.
//!
//! Follows cmd/sops/subcommand/exec of sops 3.13: `/bin/sh -c`, the values as variables or the opened file as a pipe in the
//! place of `{}`; the exit code is that of the command.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path};

use super::one::LockedFile;
use super::{Call, Ended};
use crate::cli::Done;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::programs::{Attached, Left, PlainFile, Unstarted};

/// What the file is called where nothing says it, as in sops.
const FALLBACK_NAME: &str = "tmp-file";

impl Call<'_> {
    pub(super) fn exec_env(&self) -> Result<Ended> {
        let (file, command) = self.file_and_command()?;
        let variables = match LockedFile::read(self, file)?.open()?.to_variables() {
            Ok(variables) => variables,
            Err(error) => return Ok(Ended::from(error).with_code(1)),
        };
        let mut environment = match self.given.is("pristine") {
            true => Vec::new(),
            false => self.context.whole_environment(),
        };
        for (name, value) in variables {
            if value.contains(&0) || name.contains('\0') {
                let phrase = format!("no variable can hold a null byte, as `{name}` does");
                return Err(Diagnostic::new(Code::SopsOutput, phrase));
            }
            environment.push((name.into(), OsString::from_vec(value.to_vec())));
        }
        let command = shell(command.into(), environment);
        if self.given.is("same-process") {
            return Ok(unstarted(command.take_over()));
        }
        if self.given.is("background") {
            let left = command.leave();
            return Ok(left.map_or_else(unstarted, |()| Ended::opens(Ok(Done::default()))));
        }
        Ok(finished(&command))
    }

    pub(super) fn exec_file(&self) -> Result<Ended> {
        let (file, command) = self.file_and_command()?;
        let target = LockedFile::read(self, file)?;
        let plain = target.open()?.to_plain(target.output, &target.indents)?;
        drop(target);
        let name = self.given.word("filename").unwrap_or(FALLBACK_NAME);
        let mut parts = Path::new(name).components();
        if !matches!(
            (parts.next(), parts.next()),
            (Some(Component::Normal(_)), None)
        ) {
            return Err(Diagnostic::new(
                Code::Usage,
                "--filename is not the name of a file",
            ));
        }
        let laid = match self.given.is("no-fifo") {
            true => PlainFile::regular(OsStr::new(name), &plain)?,
            false => PlainFile::pipe(OsStr::new(name), plain)?,
        };
        let path = laid.path().display().to_string();
        let command = command.replace("{}", &path);
        Ok(finished(&shell(
            command.into(),
            self.context.whole_environment(),
        )))
    }

    fn file_and_command(&self) -> Result<(&Path, &str)> {
        match self.given.arguments.as_slice() {
            [file, command] => Ok((Path::new(file), command)),
            _ => {
                let phrase = "a sealed file and a command are needed, the command as one word";
                Err(Diagnostic::new(Code::Usage, phrase))
            }
        }
    }
}

fn shell(command: OsString, environment: Vec<(OsString, OsString)>) -> Attached {
    Attached {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), command],
        environment,
    }
}

fn finished(command: &Attached) -> Ended {
    let ended = |code| Ended::opens(Ok(Done::default())).with_code(code);
    match command.run() {
        Ok(Left::Exited(code)) => ended(code),
        Ok(Left::Killed) => ended(1),
        Err(error) => unstarted(error),
    }
}

fn unstarted(error: Unstarted) -> Ended {
    match error {
        Unstarted::Missing => {
            Ended::from(Diagnostic::new(Code::ProgramFailed, "there is no /bin/sh"))
        }
        Unstarted::Failed(error) => Ended::from(error),
    }
}
