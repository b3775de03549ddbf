//! Flags as the program `kustomize` reads them (pflag, cobra): `--name value`, `--name=value`, `-n value`, `-nvalue`,
//! switches with and without `=true`, anywhere among the words; `--` ends them. No abbreviations.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Result};

/// What follows a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing, or `=true` and its like.
    Nothing,
    /// A value; the last one counts.
    Value,
    /// A value; all of them count.
    Values,
    /// Values that are separated by commas; all of them count.
    List,
}

/// A flag of a command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) short: Option<char>,
    pub(super) takes: Takes,
    pub(super) about: &'static str,
}

/// A flag without a short name.
pub(super) const fn flag(name: &'static str, takes: Takes, about: &'static str) -> Flag {
    Flag {
        name,
        short: None,
        takes,
        about,
    }
}

/// A flag with a short name.
pub(super) const fn short(
    name: &'static str,
    short: char,
    takes: Takes,
    about: &'static str,
) -> Flag {
    Flag {
        name,
        short: Some(short),
        takes,
        about,
    }
}

/// The words of a command line, taken apart.
#[derive(Debug, Default)]
pub(super) struct CommandLine {
    flags: BTreeMap<&'static str, Vec<String>>,
    /// What is no flag, in order.
    pub(super) rest: Vec<String>,
}

impl CommandLine {
    /// Takes words apart. Fails on a flag that is not known, and on one without its value.
    pub(super) fn parse(words: &[String], known: &[&[Flag]]) -> Result<Self> {
        let mut parsed = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.strip_prefix("--") {
                Some("") => {
                    parsed.rest.extend(words.cloned());
                    break;
                }
                Some(long) => parsed.long(long, known, &mut words)?,
                None if word.len() > 1 && word.starts_with('-') => {
                    parsed.short(&word[1..], known, &mut words)?;
                }
                None => parsed.rest.push(word.clone()),
            }
        }
        Ok(parsed)
    }

    fn long<'w>(
        &mut self,
        word: &str,
        known: &[&[Flag]],
        words: &mut impl Iterator<Item = &'w String>,
    ) -> Result<()> {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let found = known
            .iter()
            .copied()
            .flatten()
            .find(|flag| flag.name == name);
        let Some(flag) = found else {
            return Err(usage(format!("unknown flag: --{name}")));
        };
        self.take(flag, value.map(str::to_owned), words)
    }

    fn short<'w>(
        &mut self,
        group: &str,
        known: &[&[Flag]],
        words: &mut impl Iterator<Item = &'w String>,
    ) -> Result<()> {
        let mut letters = group.chars();
        while let Some(letter) = letters.next() {
            let found = known
                .iter()
                .copied()
                .flatten()
                .find(|flag| flag.short == Some(letter));
            let Some(flag) = found else {
                return Err(usage(format!("unknown flag: -{letter}")));
            };
            let rest = letters.as_str();
            if let Some(value) = rest.strip_prefix('=') {
                return self.take(flag, Some(value.to_owned()), words);
            }
            if flag.takes != Takes::Nothing && !rest.is_empty() {
                return self.take(flag, Some(rest.to_owned()), words);
            }
            self.take(flag, None, words)?;
            if flag.takes != Takes::Nothing {
                return Ok(());
            }
        }
        Ok(())
    }

    fn take<'w>(
        &mut self,
        flag: &Flag,
        value: Option<String>,
        words: &mut impl Iterator<Item = &'w String>,
    ) -> Result<()> {
        let value = match (flag.takes, value) {
            (Takes::Nothing, None) => "true".to_owned(),
            (Takes::Nothing, Some(value)) => truth(&value)
                .ok_or_else(|| usage(format!("--{} takes true or false, not {value}", flag.name)))?
                .to_string(),
            (_, Some(value)) => value,
            (_, None) => words
                .next()
                .cloned()
                .ok_or_else(|| usage(format!("--{} needs a value", flag.name)))?,
        };
        let values = self.flags.entry(flag.name).or_default();
        match flag.takes {
            Takes::Nothing | Takes::Value => *values = vec![value],
            Takes::Values => values.push(value),
            Takes::List if value.is_empty() => {}
            Takes::List => values.extend(value.split(',').map(str::to_owned)),
        }
        Ok(())
    }

    /// Whether a switch is on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.value(name) == Some("true")
    }

    /// The value of a flag, where it is given.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.flags.get(name)?.last().map(String::as_str)
    }

    /// The value of a flag; empty where it is not given.
    pub(super) fn text(&self, name: &str) -> String {
        self.value(name).unwrap_or_default().to_owned()
    }

    /// The values of a flag.
    pub(super) fn values(&self, name: &str) -> &[String] {
        self.flags.get(name).map_or(&[], Vec::as_slice)
    }

    /// The one word that is no flag. Fails where there are none or more.
    pub(super) fn one(&self, what: &str) -> Result<&str> {
        match &self.rest[..] {
            [one] => Ok(one),
            _ => Err(usage(format!("this needs exactly one {what}"))),
        }
    }

    /// The words that are no flags. Fails where there are none.
    pub(super) fn some(&self, what: &str) -> Result<&[String]> {
        match &self.rest[..] {
            [] => Err(usage(format!("this needs at least one {what}"))),
            some => Ok(some),
        }
    }
}

/// The error of a command line.
pub(super) fn usage(phrase: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::Usage, phrase.into())
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{CommandLine, Takes, flag, short};

    #[test]
    fn reads_flags_as_pflag_does() {
        let known = [
            short("output", 'o', Takes::Value, ""),
            short("force", 'f', Takes::Nothing, ""),
            flag("from", Takes::List, ""),
        ];
        let words: Vec<String> = [
            "a",
            "-fo",
            "x",
            "--from=a,b",
            "--from",
            "c",
            "-oy",
            "--force=F",
            "--",
            "-z",
        ]
        .map(str::to_owned)
        .to_vec();
        let parsed = CommandLine::parse(&words, &[&known]).expect("all of them are known");
        assert_eq!(parsed.value("output"), Some("y"));
        assert_eq!(parsed.values("from"), ["a", "b", "c"]);
        assert!(!parsed.is_on("force"));
        assert_eq!(parsed.rest, ["a", "-z"]);
        for word in ["--frob", "-x", "--output", "--force=yes", "--forc"] {
            assert!(
                CommandLine::parse(&[word.to_owned()], &[&known]).is_err(),
                "{word}"
            );
        }
    }
}
