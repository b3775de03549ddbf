//! `set`, `unset` and `rotate`: a sealed file in, the same file changed.

use std::path::Path;

use zeroize::Zeroizing;

use super::one::{LockedFile, sealing};
use super::{Call, Ended, codes};
use crate::cli::Done;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::secrets::sealing::{KeyPath, NewValue, RuleOverride};

impl Call<'_> {
    pub(super) fn set(&self) -> Result<Ended> {
        let from_input = self.given.is("value-stdin");
        let [file, path, value @ ..] = self.given.arguments.as_slice() else {
            return Ok(self.lacks("set needs a file, a path and a value"));
        };
        if value.len() != usize::from(!from_input) {
            return Ok(self.lacks("set needs a file, a path and a value"));
        }
        let json = match (value.first(), self.given.is("value-file")) {
            (None, _) => self.context.trusted.read_stream(Path::new("/dev/stdin"))?,
            (Some(file), true) => self.context.trusted.read_stream(Path::new(file))?,
            (Some(json), false) => json.clone().into_bytes(),
        };
        let json = Zeroizing::new(json);
        let parsed = KeyPath::parse(path).and_then(|path| Ok((path, NewValue::parse(&json)?)));
        let (path, value) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => return Ok(Ended::from(error).with_code(codes::INVALID_SET)),
        };
        let target = LockedFile::read(self, Path::new(file))?;
        let mut document = target.open()?;
        let changed = document.set(&path, value)?;
        if changed || !self.given.is("idempotent") {
            let sealed = sealing(|sealer| document.seal(target.output, &target.indents, sealer))?;
            target.replace(&sealed)?;
        }
        Ok(Ended::opens(Ok(Done::default())))
    }

    pub(super) fn unset(&self) -> Result<Ended> {
        let [file, path] = self.given.arguments.as_slice() else {
            return Ok(self.lacks("unset needs a file and a path"));
        };
        let path = match KeyPath::parse(path) {
            Ok(path) => path,
            Err(error) => return Ok(Ended::from(error).with_code(codes::INVALID_SET)),
        };
        let target = LockedFile::read(self, Path::new(file))?;
        let mut document = target.open()?;
        if !document.unset(&path)? {
            if self.given.is("idempotent") {
                return Ok(Ended::opens(Ok(Done::default())));
            }
            let phrase = "there is nothing at the path that is to be removed";
            return Err(Diagnostic::new(Code::SopsExtract, phrase));
        }
        let sealed = sealing(|sealer| document.seal(target.output, &target.indents, sealer))?;
        target.replace(&sealed)?;
        Ok(Ended::opens(Ok(Done::default())))
    }

    fn lacks(&self, phrase: &str) -> Ended {
        Ended::from(Diagnostic::new(Code::Usage, phrase)).with_code(codes::NO_FILE)
    }

    pub(super) fn rotate(&self) -> Result<Ended> {
        let Some(file) = self.file() else {
            return Ok(self.no_file());
        };
        let keys = |prefix: &str| RuleOverride {
            age: self.given.word(&format!("{prefix}age")).map(str::to_owned),
            services: self.services(prefix),
            ..RuleOverride::default()
        };
        let target = LockedFile::read(self, &file)?;
        let mut document = target.open()?;
        let sealed = sealing(|sealer| {
            document.rotate(&keys("add-"), &keys("rm-"), sealer)?;
            document.seal(target.output, &target.indents, sealer)
        })?;
        match (self.given.is("in-place"), self.path("output")) {
            (true, _) => target.replace(&sealed)?,
            (false, Some(path)) => {
                let audience = crate::files::Audience::All;
                self.context.trusted.replace(&path, &sealed, audience)?;
            }
            (false, None) => return Ok(Ended::opens(Ok(Done::from(sealed)))),
        }
        Ok(Ended::opens(Ok(Done::default())))
    }
}
