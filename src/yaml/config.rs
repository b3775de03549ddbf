//! Reading a configuration file: UTF-8, one document, no key twice.

use super::{Node, ParseOptions, parse};
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};

/// Parses a configuration file of the product.
///
/// Fails with [`Code::YamlSyntax`] on text that is not UTF-8 or not YAML, and where there is more than one
/// document; with [`Code::FieldMissing`] on an empty file.
pub fn parse_config(bytes: &[u8], source: &Source) -> Result<Node> {
    let place = || Place::file(source.place(1, 1).file);
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Diagnostic::new(Code::YamlSyntax, "the file is not UTF-8").at(place()))?;
    let mut documents = parse(text, ParseOptions::default()).map_err(|e| e.at(source))?;
    if let Some(second) = documents.get(1) {
        let mark = second.mark();
        return Err(Diagnostic::new(
            Code::YamlSyntax,
            "a second document starts here, and one is read",
        )
        .at(source.place(mark.line, mark.column)));
    }
    let missing = || Diagnostic::new(Code::FieldMissing, "the file is empty").at(place());
    documents.pop().filter(|n| !n.is_null()).ok_or_else(missing)
}
