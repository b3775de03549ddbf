//! Generators that are built in: what the KSOPS and SopsSecretGenerator plugins make, without running them.
//!
//! Each is a function of the object under `generators:` and of the files it names, which the caller opens.

mod env_file;
mod ksops;
mod object;
mod sops_secret_generator;

use std::sync::Arc;

use secrecy::SecretString;

use crate::diagnostic::{Code, Diagnostic, Origin, Result, Source};
use crate::files::File;
use crate::sops;
use crate::yaml::{Mapping, Node, write_manifest};
use object::Object;

/// Opens a file that a generator names, relative to the kustomization: a sealed one as its plaintext, or as
/// it is where sealed files pass through.
pub type Open<'a> = dyn Fn(&str) -> Result<Arc<File>> + 'a;

/// What a generator made.
#[derive(Debug, Default)]
pub struct Generated {
    /// Manifests, joined by `---`.
    pub bytes: Vec<u8>,
    /// The secrets in them.
    pub secrets: Vec<SecretString>,
}

/// Makes what an object asks for; `None` when it is of no kind that is built in.
///
/// `source` is the file of the object, for places. Fails with [`Code::GeneratorInvalid`] and with what
/// opening a file fails with.
pub fn generate(object: &Node, source: &Source, open: &Open<'_>) -> Result<Option<Generated>> {
    let text = |key| object.get(key).and_then(Node::as_str).unwrap_or_default();
    let (group, kind) = (
        text("apiVersion").split('/').next().unwrap_or_default(),
        text("kind"),
    );
    let object = Object::new(object, source);
    match (group, kind) {
        ("viaduct.ai", "ksops") => ksops::generate(&object, open).map(Some),
        ("goabout.com", "SopsSecretGenerator" | "SopsSecret") => {
            sops_secret_generator::generate(&object, open).map(Some)
        }
        _ => Ok(None),
    }
}

/// Opens files and remembers their secrets.
struct Opener<'a> {
    open: &'a Open<'a>,
    object: &'a Object<'a>,
    secrets: Vec<SecretString>,
}

impl<'a> Opener<'a> {
    fn new(object: &'a Object<'a>, open: &'a Open<'a>) -> Self {
        Self {
            open,
            object,
            secrets: Vec::new(),
        }
    }

    /// Opens a file that must be sealed, as both plugins ask for.
    fn open(&mut self, path: &str, named_at: &Node) -> Result<Arc<File>> {
        let file = (self.open)(path).map_err(|error| error.via(self.object.place(named_at)))?;
        let is_sealed = file.source.origin == Origin::Decrypted
            || sops::detect(&file.bytes, file.path.file_name()).is_some();
        if !is_sealed {
            let phrase =
                format!("{path} is not sealed, and this generator takes sealed files only");
            return Err(Diagnostic::new(Code::GeneratorInvalid, phrase)
                .at(self.object.place(named_at))
                .help("seal it with `sops` or `plugin encrypt`, or name it in `secretGenerator`"));
        }
        self.secrets.extend(file.source.secrets.iter().cloned());
        Ok(file)
    }

    /// Opens `path` or `key=path`; the key of a path alone is its last part.
    fn open_keyed(&mut self, argument: &str, named_at: &Node) -> Result<(String, Arc<File>)> {
        let parts: Vec<&str> = argument.split('=').collect();
        let (key, path) = match parts.as_slice() {
            [path] => (
                path.trim_end_matches('/')
                    .rsplit('/')
                    .next()
                    .unwrap_or(path),
                *path,
            ),
            [key, path] if !path.is_empty() && !key.is_empty() => (*key, *path),
            _ => {
                let phrase = "a file is named by `path` or by `key=path`";
                return Err(
                    Diagnostic::new(Code::GeneratorInvalid, phrase).at(self.object.place(named_at))
                );
            }
        };
        Ok((key.to_owned(), self.open(path, named_at)?))
    }
}

/// A Secret, its metadata and maps where they hold anything.
fn secret(metadata: Node, kind: &str, maps: [(&str, Mapping); 2]) -> Node {
    let mut node = Node::mapping();
    if let Some(fields) = node.as_mapping_mut() {
        fields.insert("apiVersion", Node::string("v1"));
        fields.insert("kind", Node::string("Secret"));
        fields.insert("metadata", metadata);
        if !kind.is_empty() {
            fields.insert("type", Node::string(kind));
        }
        for (name, entries) in maps {
            if !entries.is_empty() {
                let mut map = Node::mapping();
                if let Some(slot) = map.as_mapping_mut() {
                    *slot = entries;
                }
                fields.insert(name, map);
            }
        }
    }
    node
}

/// Writes an object that was made here.
fn write(out: &mut Vec<u8>, node: &Node, object: &Object<'_>) -> Result<()> {
    write_manifest(out, node)
        .map_err(|_| object.wrong(object.node(), "a value has no form in YAML"))
}

/// Text as JSON carries it: each byte that is not UTF-8 becomes U+FFFD.
fn to_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

#[cfg(test)]
mod tests;
