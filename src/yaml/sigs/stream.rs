//! Streams of documents: what a plugin, helm or kustomize printed, and files of YAML.
//!
//! Follows `NewYAMLOrJSONDecoder` of k8s.io/apimachinery 0.36 and `SplitYAML` of gitops-engine: a stream that
//! begins with `{` is one of JSON values for as long as they are JSON, and goes on as YAML from there; lines of
//! `---` part documents, with a comment behind or nothing, and with anything else are an error; what is null
//! is dropped. Each document is then read once more, as YAML, so that JSON with escapes that YAML does not
//! have (`\ud83d\ude00`) is refused.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{ReadError, Retyped, read_noting};

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// The documents, in order, without those that hold nothing.
    pub documents: Vec<Document>,
    /// How many held nothing.
    pub empty: usize,
}

/// One document.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its value.
    pub value: Value,
    /// What the reader made of words that are text to kustomize.
    pub retyped: Vec<Retyped>,
}

/// Why a stream is refused, and what was read before.
#[derive(Debug, Clone)]
pub struct Broken {
    /// What was read up to there.
    pub before: Stream,
    /// The host's kind of words.
    pub words: String,
    /// Whether it is the first reader that fails, which is the plugin's server where a plugin printed it.
    pub is_first_reading: bool,
}

/// Reads a stream.
pub fn read(text: &str) -> Result<Stream, Broken> {
    let mut stream = Stream::default();
    let broken = |stream: &Stream, error: ReadError, is_first_reading| Broken {
        before: stream.clone(),
        words: format!("failed to unmarshal manifest: {}", error.0),
        is_first_reading,
    };
    let (json, rest) = json_values(text);
    for value in json {
        // Read once more, as YAML.
        stream
            .take(value)
            .map_err(|error| broken(&stream, error, false))?;
    }
    for piece in pieces(rest) {
        let piece = piece.map_err(|error| broken(&stream, error, true))?;
        stream
            .take(&piece)
            .map_err(|error| broken(&stream, error, true))?;
    }
    Ok(stream)
}

impl Stream {
    fn take(&mut self, text: &str) -> Result<(), ReadError> {
        let mut retyped = Vec::new();
        let value = read_noting(text, &mut retyped)?;
        match value.is_null() {
            true => self.empty += 1,
            false => self.documents.push(Document { value, retyped }),
        }
        Ok(())
    }
}

/// The JSON values that a stream begins with, where it begins with one, and the text after them.
fn json_values(text: &str) -> (Vec<&str>, &str) {
    if !text.trim_start().starts_with('{') {
        return (Vec::new(), text);
    }
    let mut values = Vec::new();
    let mut rest = text;
    loop {
        let mut reader = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        match reader.next() {
            Some(Ok(_)) => {
                let (value, after) = rest.split_at(reader.byte_offset());
                values.push(value);
                rest = after;
            }
            Some(Err(_)) => return (values, rest),
            None => return (values, ""),
        }
    }
}

/// The text between separators. A piece of which there is nothing is not one; each of its lines ends in one
/// newline, the last one too, whatever it ended in.
fn pieces(text: &str) -> Vec<Result<String, ReadError>> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for line in text.lines() {
        let Some(after) = line.strip_prefix("---") else {
            piece.push_str(line);
            piece.push('\n');
            continue;
        };
        let after = after.trim();
        if !piece.is_empty() {
            pieces.push(Ok(std::mem::take(&mut piece)));
        }
        if !after.is_empty() && !after.starts_with('#') {
            let words = "invalid Yaml document separator";
            pieces.push(Err(ReadError(words.to_owned())));
            return pieces;
        }
    }
    if !piece.is_empty() {
        pieces.push(Ok(piece));
    }
    pieces
}

/// Reads the one JSON value that a file holds, as Go's decoder does; whether more follows.
pub fn first_json(text: &str) -> Option<(Value, bool)> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Value::deserialize(&mut reader).ok()?;
    Some((value, reader.end().is_err()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Result<Vec<String>, String> {
        let stream = read(text).map_err(|broken| broken.words)?;
        let kind = |d: &Document| d.value["kind"].as_str().unwrap_or_default().to_owned();
        Ok(stream.documents.iter().map(kind).collect())
    }

    #[test]
    fn separators_may_carry_a_comment_and_nothing_else() {
        let text = "---\nkind: A\n---\n\n---\n# nothing\n---\nnull\n---\n# c\n--- # more\nkind: B\n---# c\nkind: C\n";
        assert_eq!(kinds(text).unwrap(), ["A", "B", "C"]);
        assert_eq!(read(text).unwrap().empty, 4);
        for bad in ["kind: A\n--- kind: B\n", "kind: A\n----\n", "--- !!map\n"] {
            assert!(kinds(bad).unwrap_err().contains("separator"), "{bad}");
        }
    }

    #[test]
    fn what_starts_as_json_may_go_on_as_yaml() {
        for text in [
            "{\"kind\": \"A\"}\n{\"kind\": \"B\"}",
            "{\"kind\": \"A\"}\n---\n{\"kind\": \"B\"}\n",
            "{\"kind\": \"A\"}\nkind: B\n",
            "{\"kind\": \"A\",}\n---\n{kind: B}\n",
        ] {
            assert_eq!(kinds(text).unwrap(), ["A", "B"], "{text}");
        }
        assert!(kinds("{\"kind\": ").is_err());
        assert!(kinds(r#"{"kind": "\ud83d\ude00"}"#).is_err());
    }
}
