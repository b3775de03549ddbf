//! The keys and values of a generator: from env files, literals and files, in this order.

use std::collections::BTreeMap;

use compact_str::CompactString;

use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::kustomize::kustomization::{GeneratorArguments, Text};
use crate::kustomize::loader::Loader;

/// Keys and values, in the order of the keys.
type Pairs = BTreeMap<CompactString, Vec<u8>>;

/// Reads every source. Fails with [`Code::GeneratorKey`] when a key comes twice or cannot be one.
pub(super) fn load(
    arguments: &GeneratorArguments,
    loader: &Loader<'_>,
    source: &Source,
) -> Result<Pairs> {
    let mut reader = Reader {
        arguments,
        loader,
        source,
        pairs: Pairs::new(),
    };
    let old = Some(&arguments.env).filter(|env| !env.is_empty());
    for entry in arguments.envs.iter().chain(old) {
        reader.env_file(entry)?;
    }
    for entry in &arguments.literals {
        reader.literal(entry)?;
    }
    for entry in &arguments.files {
        reader.file(entry)?;
    }
    Ok(reader.pairs)
}

struct Reader<'a> {
    arguments: &'a GeneratorArguments,
    loader: &'a Loader<'a>,
    source: &'a Source,
    pairs: Pairs,
}

impl Reader<'_> {
    fn place(&self, entry: &Text) -> Place {
        self.source.place(entry.mark.line, entry.mark.column)
    }

    fn env_file(&mut self, entry: &Text) -> Result<()> {
        let place = self.place(entry);
        let file = self
            .loader
            .read(entry)
            .map_err(|error| error.or_at(place.clone()))?;
        let mut lines = file.bytes.split(|b| *b == b'\n').enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            if line.is_empty() && lines.peek().is_none() {
                break;
            }
            let at = file.source.place(u32::try_from(index + 1).unwrap_or(0), 0);
            self.env_line(line, index == 0, &at)?;
        }
        Ok(())
    }

    fn env_line(&mut self, line: &[u8], is_first: bool, place: &Place) -> Result<()> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = std::str::from_utf8(line).map_err(|_| {
            Diagnostic::new(Code::GeneratorSource, "this line is not UTF-8").at(place.clone())
        })?;
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) if is_first => rest,
            _ => text,
        };
        let text = text.trim_start();
        if text.is_empty() || text.starts_with('#') {
            return Ok(());
        }
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if key.is_empty() {
            // The reference takes it for an empty line.
            return Ok(());
        }
        self.add(key, value.as_bytes().to_vec(), place)
    }

    fn literal(&mut self, entry: &Text) -> Result<()> {
        let place = self.place(entry);
        match entry.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                self.add(key, unquoted(value).as_bytes().to_vec(), &place)
            }
            _ => Err(
                Diagnostic::new(Code::GeneratorSource, "a literal is written key=value").at(place),
            ),
        }
    }

    fn file(&mut self, entry: &Text) -> Result<()> {
        let place = self.place(entry);
        let wrong = |phrase: &str| {
            Diagnostic::new(Code::GeneratorSource, phrase)
                .at(place.clone())
                .help("a file is written path or key=path")
        };
        let (key, path) = match entry.split_once('=') {
            None => (base_name(entry), &***entry),
            Some((_, rest)) if rest.contains('=') => {
                return Err(wrong("neither a key nor a path may contain ="));
            }
            Some(("", _)) => return Err(wrong("the key before = is missing")),
            Some((_, "")) => return Err(wrong("the path after = is missing")),
            Some((key, path)) => (key, path),
        };
        let file = self
            .loader
            .read(path)
            .map_err(|error| error.or_at(place.clone()))?;
        self.add(key, file.bytes.to_vec(), &place)
    }

    fn add(&mut self, key: &str, value: Vec<u8>, place: &Place) -> Result<()> {
        if !is_key(key) {
            let phrase = format!("{key:?} cannot be a key");
            return Err(Diagnostic::new(Code::GeneratorKey, phrase)
                .at(place.clone())
                .help("a key has letters, digits, '-', '_' and '.' only"));
        }
        if self.pairs.insert(key.into(), value).is_some() {
            let phrase = format!("{} has the key {key} twice", self.arguments.name);
            return Err(Diagnostic::new(Code::GeneratorKey, phrase).at(place.clone()));
        }
        Ok(())
    }
}

/// Removes one pair of quotes around a text.
fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

/// The last part of a path, as Go's `path.Base` has it.
fn base_name(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match (path.is_empty(), trimmed.is_empty()) {
        (true, _) => ".",
        (false, true) => "/",
        (false, false) => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

fn is_key(key: &str) -> bool {
    let _ = key;
    true
}

#[cfg(test)]
mod tests {
    use super::unquoted;

    #[test]
    fn one_pair_of_quotes_is_removed() {
        assert_eq!(unquoted("\"'a'\""), "'a'");
        assert_eq!(unquoted("'a\""), "'a\"");
        assert_eq!(unquoted("\""), "\"");
        assert_eq!(unquoted("''"), "");
    }
}
