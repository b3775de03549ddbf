//! The flags of the program sops, read as Go reads them: one dash or two, `name=value` or a word after it.
//!
//! Follows package `flag` of Go and urfave/cli v1, which sops uses: the flags of a command may stand behind its
//! arguments, those before the command may not. What each flag is for is in [`super::commands`].

use std::collections::BTreeMap;

use crate::cli::Context;
use crate::diagnostic::{Code, Diagnostic, Result};

/// A flag of a command.
#[derive(Debug)]
pub(super) struct Flag {
    /// Its names, the one that the code uses first.
    pub(super) names: &'static [&'static str],
    /// What follows it.
    pub(super) takes: Takes,
    /// The variable that is read where the flag is not given.
    pub(super) variable: Option<&'static str>,
    /// What becomes of it here.
    pub(super) effect: Effect,
    /// What `--help` says.
    pub(super) help: &'static str,
}

/// What follows a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing.
    Nothing,
    /// A word; where it is given several times, the last one counts, or all of them.
    Word,
}

/// What becomes of a flag here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// What sops makes of it.
    Used,
    /// Nothing, and nothing would be different: it is said once.
    None,
    /// It would change the result in a way that is not there.
    Refused,
}

/// The command line of a command, taken apart.
#[derive(Debug, Default)]
pub(super) struct Given {
    words: BTreeMap<&'static str, Vec<String>>,
    /// What is no flag, in order.
    pub(super) arguments: Vec<String>,
    /// Flags that have no effect here.
    pub(super) ignored: Vec<&'static str>,
    /// Whether help is asked for.
    pub(super) help: bool,
}

/// Where flags may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// Before the first argument.
    First,
    /// Anywhere.
    Anywhere,
}

impl Given {
    /// Takes words apart. Fails with [`Code::Usage`] for a flag that is unknown, lacks its word, or is refused.
    pub(super) fn parse(
        words: &[String],
        flags: &[&'static Flag],
        position: Position,
    ) -> Result<Self> {
        let mut given = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            }
            let Some(name) = flag_name(word) else {
                given.arguments.push(word.clone());
                match position {
                    Position::Anywhere => continue,
                    Position::First => break,
                }
            };
            given.take(name, &mut words, flags)?;
        }
        given.arguments.extend(words.cloned());
        Ok(given)
    }

    fn take<'a>(
        &mut self,
        word: &str,
        rest: &mut impl Iterator<Item = &'a String>,
        flags: &[&'static Flag],
    ) -> Result<()> {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word, None),
        };
        let usage = |phrase: String| Diagnostic::new(Code::Usage, phrase);
        let Some(flag) = flags.iter().find(|flag| flag.names.contains(&name)) else {
            if matches!(name, "h" | "help") {
                self.help = true;
                return Ok(());
            }
            return Err(usage(format!("there is no flag --{name} here")));
        };
        let value = match (flag.takes, value) {
            (_, Some(value)) => value,
            (Takes::Nothing, None) => "true".to_owned(),
            (Takes::Word, None) => rest
                .next()
                .cloned()
                .ok_or_else(|| usage(format!("--{name} lacks its value")))?,
        };
        match flag.effect {
            Effect::Used => {}
            Effect::None => self.ignored.push(flag.names[0]),
            Effect::Refused => {
                let phrase = format!("--{name} is not supported, and would change the result");
                return Err(usage(phrase));
            }
        }
        self.words.entry(flag.names[0]).or_default().push(value);
        Ok(())
    }

    /// Takes what the environment says for flags that are not given.
    pub(super) fn with_environment(mut self, context: &Context, flags: &[&'static Flag]) -> Self {
        for flag in flags {
            if let (Some(variable), Effect::Used) = (flag.variable, flag.effect)
                && let Some(value) = context.variable(variable)
            {
                let slot = self.words.entry(flag.names[0]);
                slot.or_insert_with(|| vec![value.to_owned()]);
            }
        }
        self
    }

    /// Whether a flag that takes nothing is given.
    pub(super) fn is(&self, name: &str) -> bool {
        let last = self.words.get(name).and_then(|words| words.last());
        last.is_some_and(|word| matches!(word.as_str(), "true" | "1" | "t" | "T" | "TRUE" | "True"))
    }

    /// The word of a flag, when it is given and not empty.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        let last = self.words.get(name).and_then(|words| words.last());
        last.map(String::as_str).filter(|word| !word.is_empty())
    }

    /// Every word of a flag.
    pub(super) fn words(&self, name: &str) -> &[String] {
        self.words.get(name).map_or(&[], Vec::as_slice)
    }

    /// The number of a flag, when it is given and not 0. Fails with [`Code::Usage`].
    pub(super) fn number(&self, name: &str) -> Result<Option<usize>> {
        let Some(word) = self.word(name) else {
            return Ok(None);
        };
        let number: usize = word
            .parse()
            .map_err(|_| Diagnostic::new(Code::Usage, format!("--{name} is not a number")))?;
        Ok((number > 0).then_some(number))
    }
}

/// The name in `-name` or `--name`; `None` for what is no flag.
fn flag_name(word: &str) -> Option<&str> {
    let name = word.strip_prefix('-')?;
    let name = name.strip_prefix('-').unwrap_or(name);
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{Effect, Flag, Given, Position, Takes};

    const SWITCH: Flag = Flag {
        names: &["in-place", "i"],
        takes: Takes::Nothing,
        variable: None,
        effect: Effect::Used,
        help: "",
    };
    const WORD: Flag = Flag {
        names: &["output"],
        takes: Takes::Word,
        ..SWITCH
    };

    fn parse(words: &[&str], position: Position) -> Option<Given> {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        Given::parse(&words, &[&SWITCH, &WORD], position).ok()
    }

    #[test]
    fn flags_are_read_as_go_reads_them() {
        let given = parse(
            &["-i", "--output=a", "f", "-output", "b"],
            Position::Anywhere,
        );
        let given = given.expect("every flag is known");
        assert!(given.is("in-place"));
        assert_eq!(
            (given.word("output"), given.arguments.as_slice()),
            (Some("b"), &["f".to_owned()][..])
        );
        let given = parse(&["f", "-i"], Position::First).expect("what follows is no flag");
        assert!(!given.is("in-place"));
        assert_eq!(given.arguments, ["f", "-i"]);
        for words in [&["--nope"][..], &["--output"]] {
            assert!(parse(words, Position::First).is_none(), "{words:?}");
        }
    }
}
