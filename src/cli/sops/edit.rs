//! `edit`: a sealed file in an editor, sealed again when it ends.
//!
//! Follows cmd/sops/edit.go of sops 3.13. On purpose the plaintext lies in memory where the machine has such a place
//! (`/dev/shm`), it is said where, and the file stays locked for other writers of this program.

use std::ffi::OsString;
use std::io::BufRead as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::one::{LockedFile, sealing};
use super::{Call, Ended, codes};
use crate::cli::decrypt::{configuration, indents};
use crate::cli::{Done, output};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::Audience;
use crate::programs::{Attached, Left, PlainFile, Unstarted};
use crate::secrets::sealing::{
    self as pipeline, EncryptRequest, Format, Identities, PlainFile as Plain,
};

/// Editors that are tried where no variable names one.
const EDITORS: [&str; 3] = ["vim", "nano", "vi"];

/// How often a text that cannot be sealed goes back to the editor: an editor that never ends well is no person.
const MAX_TURNS: usize = 100;

/// What is edited, and how often an editor made nothing of it.
enum Turn<T> {
    /// It can be sealed.
    Edited(T),
    /// The editor left it as it was, failed, or a signal ended it.
    Ended(Ended),
}

impl Call<'_> {
    pub(super) fn edit(&self) -> Result<Ended> {
        let Some(file) = self.file() else {
            return Ok(self.no_file());
        };
        match self.context.trusted.exists(&file) {
            true => self.edit_sealed(&file),
            false => self.edit_new(&file),
        }
    }

    fn edit_sealed(&self, file: &Path) -> Result<Ended> {
        let target = LockedFile::read(self, file)?;
        let mut document = target.open()?;
        let plain = document.to_plain(target.output, &target.indents)?;
        let taken = |edited: &[u8]| document.take_plain(edited, target.format());
        match self.turns(file, &plain, taken)? {
            Turn::Ended(ended) => return Ok(ended),
            Turn::Edited(()) => {}
        }
        let sealed = sealing(|sealer| document.seal(target.output, &target.indents, sealer))?;
        target.replace(&sealed)?;
        Ok(Ended::opens(Ok(Done::default())))
    }

    fn edit_new(&self, file: &Path) -> Result<Ended> {
        let arguments = self.encrypt_arguments()?;
        let config = configuration(self.context, arguments.config.as_deref())?;
        let path = self.context.working_directory.join(file);
        let by_name = Format::of_path(&path.to_string_lossy());
        let given = arguments.given();
        let at = config.as_ref().map(|(config, at)| (config, at.as_path()));
        // Before anything is typed that cannot be sealed.
        pipeline::rule_of(&path, at, &given, &Identities::new())?;
        let name = file.display().to_string();
        let seal = |edited: &[u8]| {
            let request = EncryptRequest {
                file: Plain {
                    name: &name,
                    bytes: edited,
                    format: self.format("input-type").unwrap_or(by_name),
                    output: self.format("output-type").unwrap_or(by_name),
                },
                path: &path,
                config: at,
                given: given.clone(),
                indents: indents(config.as_ref(), arguments.indent),
                previous: None,
            };
            sealing(|sealer| pipeline::encrypt(&request, &Identities::new(), sealer))
        };
        let (sealed, report) = match self.turns(file, example(by_name), seal)? {
            Turn::Edited(sealed) => sealed,
            Turn::Ended(ended) => return Ok(ended),
        };
        self.context.trusted.replace(file, &sealed, Audience::All)?;
        Ok(Ended::opens(Ok(Done {
            report,
            ..Done::default()
        })))
    }

    /// Lets the user edit a text until it can be taken.
    fn turns<T>(
        &self,
        file: &Path,
        plain: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<T>,
    ) -> Result<Turn<T>> {
        let name = file.file_name().unwrap_or(file.as_os_str());
        let laid = PlainFile::regular(name, plain)?;
        let where_it_is = match laid.is_in_memory() {
            true => "in memory",
            false => "on a disk, since there is no /dev/shm",
        };
        output::say(&format!(
            "the plaintext is {where_it_is} while the editor runs: {}",
            laid.path().display()
        ));
        for _ in 0..MAX_TURNS {
            if let Err(ended) = self.run_editor(laid.path()) {
                return Ok(Turn::Ended(ended));
            }
            let edited: Zeroizing<Vec<u8>> = laid.read()?;
            if *edited == plain {
                output::say("the file did not change");
                let unchanged = Ended::opens(Ok(Done::default()));
                return Ok(Turn::Ended(unchanged.with_code(codes::UNCHANGED)));
            }
            match take(&edited) {
                Ok(taken) => return Ok(Turn::Edited(taken)),
                Err(error) => {
                    output::tell(&error.into());
                    output::say(
                        "press Enter to go back to the editor, Ctrl-C to leave the file as it was",
                    );
                    let mut line = String::new();
                    // Where nobody can press anything, the editor is asked again.
                    let _ = std::io::stdin().lock().read_line(&mut line);
                }
            }
        }
        let phrase = "what the editor leaves can still not be sealed, and it is no longer asked";
        Err(Diagnostic::new(Code::ProgramFailed, phrase))
    }

    fn run_editor(&self, path: &Path) -> Result<(), Ended> {
        let failed = |phrase: String| {
            Ended::from(Diagnostic::new(Code::ProgramFailed, phrase)).with_code(codes::NO_EDITOR)
        };
        for editor in self.editors().map_err(failed)? {
            let [program, arguments @ ..] = editor.as_slice() else {
                continue;
            };
            let mut arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
            arguments.push(path.into());
            let editor = Attached {
                program: program.into(),
                arguments,
                environment: self.context.whole_environment(),
            };
            return match editor.run() {
                Err(Unstarted::Missing) => continue,
                Err(Unstarted::Failed(error)) => {
                    Err(Ended::from(error).with_code(codes::NO_EDITOR))
                }
                Ok(Left::Exited(0)) => Ok(()),
                Ok(Left::Exited(code)) => {
                    Err(failed(format!("the editor failed with exit status {code}")))
                }
                Ok(Left::Killed) => Err(failed("the editor was ended by a signal".to_owned())),
            };
        }
        Err(failed(
            "there is no editor: set SOPS_EDITOR or EDITOR".to_owned(),
        ))
    }

    /// The editors to try, as words.
    fn editors(&self) -> Result<Vec<Vec<String>>, String> {
        for name in ["SOPS_EDITOR", "EDITOR"] {
            if let Some(line) = self.context.variable(name) {
                let words = shlex::split(line).filter(|words| !words.is_empty());
                let words = words.ok_or_else(|| format!("{name} is not a command line"))?;
                return Ok(vec![words]);
            }
        }
        Ok(EDITORS
            .iter()
            .map(|editor| vec![(*editor).to_owned()])
            .collect())
    }
}

/// What a new file starts with.
fn example(format: Format) -> &'static [u8] {
    match format {
        Format::Yaml => b"# Put your values here: they are sealed when the editor ends.\nexample_key: example_value\n",
        Format::Json => b"{\n\t\"example_key\": \"example_value\"\n}\n",
        Format::Dotenv => b"# Put your values here: they are sealed when the editor ends.\nEXAMPLE_KEY=example_value\n",
        Format::Ini => b"; Put your values here: they are sealed when the editor ends.\n[example]\nkey = value\n",
        Format::Binary => b"Put your text here: it is sealed when the editor ends.\n",
    }
}
