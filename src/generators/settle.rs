//! What is done to objects before their names follow their content: SOPS files below `data` of a Secret are
//! opened, and with `--secrets redact` what was sealed is replaced.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::outside::Outside;
use crate::diagnostic::{Code, Result};
use crate::files::{File, Files, TreePath};
use crate::kube::{ResMap, Resource};
use crate::kustomize::{self, ChartCall, Generators, ProgramCall, RepositoryAddress};
use crate::secrets::Mask;
use crate::secrets::has_token;
use crate::secrets::{Opened, Secrets};
use crate::sops::{self, Format, SealedFile};
use crate::validate;
use crate::yaml::{Node, Value};

/// The work of a build that is done outside of it, and what becomes of its secrets.
pub struct Settling<'a> {
    outside: &'a Outside,
    opened: &'a Opened,
    /// What the values hold that was sealed, where objects other than Secrets may not show it.
    values: Mask,
}

impl<'a> Settling<'a> {
    /// Takes what is allowed, the view of opened files, and the sealed values of the project.
    pub fn new(outside: &'a Outside, opened: &'a Opened, values: &[SecretString]) -> Self {
        let telling = match opened.secrets() {
            Secrets::Redact => values,
            Secrets::Plain | Secrets::Keep | Secrets::Openable => &[],
        };
        let telling = telling.iter().filter(|v| validate::is_telling(v));
        Self {
            outside,
            opened,
            values: Mask::new(telling),
        }
    }

    fn settle_secret(&self, resource: &mut Resource) -> Result<()> {
        let at = format!("{}/{}", resource.namespace(), resource.name());
        let mut failure = None;
        let shown = resource.place().map_or_else(
            || resource.original_id().to_string(),
            |place| place.file.to_string(),
        );
        resource.change(|node| {
            for field in ["data", "stringData"] {
                let Some(map) = node.get_mut(field).and_then(Node::as_mapping_mut) else {
                    continue;
                };
                for entry in map.entries_mut() {
                    let key = entry.key.scalar_text().unwrap_or_default().to_owned();
                    let is_packed = field == "data";
                    if is_packed && let Err(error) = self.open(&mut entry.value, &key, &shown) {
                        failure.get_or_insert(error);
                    }
                    self.redact(&mut entry.value, &format!("{at}/{key}"), is_packed);
                }
            }
        });
        match failure {
            Some(error) => Err(error.or_at(resource.place())),
            None => Ok(()),
        }
    }

    /// Opens a SOPS file that is a value of a Secret, as Flux does.
    fn open(&self, node: &mut Node, key: &str, shown: &str) -> Result<()> {
        let Some(bytes) = node.as_str().and_then(unpacked) else {
            return Ok(());
        };
        let Some(format) = sops::detect(&bytes, key) else {
            return Ok(());
        };
        if self.opened.secrets() == Secrets::Keep {
            return Ok(());
        }
        let name = format!("{shown} (data.{key})");
        let sealed = SealedFile {
            name: &name,
            bytes: &bytes,
            format,
        };
        match self.opened.open_bytes(&sealed, output_of(key, format)) {
            Ok(plain) => {
                *node = Node::string(BASE64_STANDARD.encode(&*plain));
                Ok(())
            }
            Err(error)
                if self.opened.secrets() == Secrets::Openable
                    && error.code() == Code::SopsNoIdentity =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Replaces a value of a Secret that no file's own key has replaced.
    fn redact(&self, node: &mut Node, at: &str, is_packed: bool) {
        if self.opened.secrets() != Secrets::Redact {
            return;
        }
        let Some(text) = node.scalar_text().filter(|text| !text.is_empty()) else {
            return;
        };
        let inner = if is_packed { unpacked(text) } else { None };
        let is_done = has_token(text.as_bytes()) || inner.as_ref().is_some_and(|i| has_token(i));
        if is_done {
            return;
        }
        let value = inner.as_deref().map_or(text.as_bytes(), Vec::as_slice);
        let token = self.opened.token(at, value);
        *node = Node::string(if is_packed {
            BASE64_STANDARD.encode(token)
        } else {
            token
        });
    }

    /// Replaces sealed values in the texts of any other object.
    fn redact_texts(&self, node: &mut Node, at: &str) {
        if let Some(mapping) = node.as_mapping_mut() {
            for entry in mapping.entries_mut() {
                self.redact_texts(&mut entry.value, at);
            }
        } else if let Some(items) = node.as_sequence_mut() {
            for item in items {
                self.redact_texts(item, at);
            }
        } else if let (Some(text), Value::Scalar(_)) = (node.as_str(), node.value()) {
            let redacted = self
                .values
                .replaced(text, |value| self.opened.token(at, value.as_bytes()));
            if redacted != text {
                *node = Node::string(redacted);
            }
        }
    }
}

/// The format in which the value of a key is wanted: that of its name, else the one it was sealed in.
fn output_of(key: &str, sealed: Format) -> Format {
    match Format::of_path(key) {
        Format::Binary if key == ".dockerconfigjson" => Format::Json,
        Format::Binary => sealed,
        by_name => by_name,
    }
}

fn unpacked(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let packed: String = text.split_ascii_whitespace().collect();
    BASE64_STANDARD.decode(packed).ok().map(Zeroizing::new)
}

impl Generators for Settling<'_> {
    fn fetch(&self, address: &str) -> Result<Arc<File>> {
        self.outside.fetch(address)
    }

    fn clone_repository(&self, address: &RepositoryAddress) -> Result<Arc<dyn Files>> {
        self.outside.clone_repository(address)
    }

    fn generate(
        &self,
        object: &Resource,
        files: &dyn Files,
        directory: &TreePath,
    ) -> Result<Option<Arc<File>>> {
        self.outside.generate(object, files, directory)
    }

    fn run(&self, call: &ProgramCall<'_>) -> Result<Vec<u8>> {
        self.outside.run(call)
    }

    fn chart<'a>(&'a self, call: &'a ChartCall<'a>) -> Result<Box<dyn kustomize::Chart + 'a>> {
        self.outside.chart(call)
    }

    fn settle(&self, resources: &mut ResMap) -> Result<()> {
        let is_redacted = self.opened.secrets() == Secrets::Redact && !self.values.is_empty();
        for resource in resources.iter_mut() {
            if resource.gvk().is("", "Secret") {
                self.settle_secret(resource)?;
            } else if is_redacted {
                let at = resource.original_id().to_string();
                resource.change(|node| self.redact_texts(node, &at));
            }
        }
        Ok(())
    }
}
