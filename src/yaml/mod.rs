//! The document model: nodes that keep order, style, comments and places.
//!
//! [`parse`] reads YAML as go-yaml v3 does (the reader of kustomize and sops) and resolves scalars to
//! [`Tag`]s; the `emit` functions write what kustomize and sops print. The room knows nothing of
//! Kubernetes, SOPS or any rule of the product. Start with [`Node`].

mod config;
mod emit;
mod links;
mod node;
mod parser;
mod resolve;
pub mod sigs;
mod typed;

pub use config::parse_config;
pub use emit::{
    Form, JsonStyle, ValueError, ValueErrorKind, WriteOptions, fits_block, style_of_string,
    to_go_yaml, write_document, write_documents, write_json, write_manifest,
};
pub use links::{Link, settle};
pub use node::{Comments, Entry, Mapping, Mark, Node, Style, Tag, Text, Value};
pub use parser::{
    Aliases, DuplicateKeys, MAX_DEPTH, MergeKeys, ParseOptions, Reread, Schema, SyntaxError,
    SyntaxKind, may_reread, parse, parse_first, reread, reread_in,
};
pub use resolve::{Number, Timestamp, resolve};
pub use typed::{Spanned, from_node};
