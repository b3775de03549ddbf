//! `updatekeys` and `groups`: whom a file is sealed for.

use std::io::BufRead as _;
use std::path::Path;

use super::one::{LockedFile, sealing};
use super::{Call, Ended};
use crate::cli::decrypt::configuration;
use crate::cli::{Done, output};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::secrets::sealing::{self as pipeline, KeyChanges, RuleOverride, Threshold};

impl Call<'_> {
    pub(super) fn update_keys(&self) -> Result<Ended> {
        let files = self.given.arguments.as_slice();
        let [only] = files else {
            return Ok(match files {
                [] => self.no_file(),
                several => self.update_several(several),
            });
        };
        self.update_file(Path::new(only))
            .map(|()| Ended::opens(Ok(Done::default())))
    }

    /// Goes on after a file that fails.
    fn update_several(&self, files: &[String]) -> Ended {
        let mut report = Report::default();
        for file in files {
            report
                .findings
                .extend(self.update_file(Path::new(file)).err());
        }
        match report.is_empty() {
            true => Ended::opens(Ok(Done::default())),
            false => Ended::opens(Err(report)).with_code(1),
        }
    }

    fn update_file(&self, file: &Path) -> Result<()> {
        let target = LockedFile::read(self, file)?;
        let keys = target.keys()?;
        let path = self.context.working_directory.join(file);
        let config = configuration(self.context, self.config().as_deref())?;
        let config = config.as_ref().map(|(config, at)| (config, at.as_path()));
        let identities = target.identities();
        let rule = pipeline::rule_of(&path, config, &RuleOverride::default(), &identities)?;
        let changes = keys.compare(&rule, Threshold::OfTheFile);
        if changes.is_empty() {
            return Ok(());
        }
        output::show(&shown(&changes));
        if !self.given.is("yes") && !agrees()? {
            output::say(&format!("{} stays as it is", file.display()));
            return Ok(());
        }
        let sealed = sealing(|sealer| {
            let how = (&target.indents, sealer);
            keys.update(&rule, Threshold::OfTheFile, &identities, how)
        })?;
        target.replace(&sealed)
    }

    pub(super) fn groups(&self) -> Result<Ended> {
        let (verb, rest) = match self.given.arguments.as_slice() {
            [verb, rest @ ..] => (verb.as_str(), rest),
            [] => ("", &[][..]),
        };
        let usage = |phrase: &str| Err(Diagnostic::new(Code::Usage, phrase));
        let Some(file) = self.path("file") else {
            return usage("groups needs --file");
        };
        let target = LockedFile::read(self, &file)?;
        let keys = target.keys()?;
        let identities = target.identities();
        let threshold = self.given.number("shamir-secret-sharing-threshold")?;
        let sealed = match (verb, rest) {
            ("add", []) => {
                let given = RuleOverride {
                    age: Some(self.given.words("age").join(",")),
                    services: self.services(""),
                    threshold,
                    ..RuleOverride::default()
                };
                sealing(|sealer| keys.add_group(&given, &identities, (&target.indents, sealer)))?
            }
            ("delete", [index]) => {
                let Ok(index) = index.parse() else {
                    return usage("the index of a key group is a number");
                };
                sealing(|sealer| {
                    let how = (&target.indents, sealer);
                    keys.delete_group(index, threshold, &identities, how)
                })?
            }
            _ => return usage("groups takes `add`, or `delete` and an index"),
        };
        if self.given.is("in-place") {
            target.replace(&sealed)?;
            return Ok(Ended::opens(Ok(Done::default())));
        }
        Ok(Ended::opens(Ok(Done::from(sealed))))
    }
}

/// What changes, as sops prints it.
pub(in crate::cli) fn shown(changes: &KeyChanges) -> String {
    let mut text = "The following changes will be made to the file's groups:\n".to_owned();
    match changes.threshold {
        (0, 0) => {}
        (old, new) if old == new => text.push_str(&format!("shamir_threshold: {new}\n")),
        (old, new) => {
            if new > 0 {
                text.push_str(&format!("+++ shamir_threshold: {new}\n"));
            }
            if old > 0 {
                text.push_str(&format!("--- shamir_threshold: {old}\n"));
            }
        }
    }
    for (index, group) in changes.groups.iter().enumerate() {
        text.push_str(&format!("Group {}\n", index + 1));
        let marked = [
            ("   ", &group.common),
            ("+++", &group.added),
            ("---", &group.removed),
        ];
        for (mark, names) in marked {
            names
                .iter()
                .for_each(|name| text.push_str(&format!("{mark} {name}\n")));
        }
    }
    text
}

/// Asks until there is an answer. Fails where standard input ends.
fn agrees() -> Result<bool> {
    let input = std::io::stdin();
    loop {
        output::show("Is this okay? (y/n):");
        let mut answer = String::new();
        if input.lock().read_line(&mut answer).unwrap_or(0) == 0 {
            let phrase = "nobody answers, and nothing was changed: --yes needs no answer";
            return Err(Diagnostic::new(Code::Usage, phrase));
        }
        match answer.trim() {
            "y" => return Ok(true),
            "n" => return Ok(false),
            _ => {}
        }
    }
}
