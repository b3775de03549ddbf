//! Binary files: any bytes, as the one entry `data`; sealed, they stand in a JSON envelope.

use super::super::document::{Branch, Branches, Value, entry, find};
use super::StoreError;

const DATA: &str = "data";

/// Takes the whole file for one value.
pub(super) fn read(bytes: &[u8]) -> Branch {
    vec![entry(DATA, Value::text(bytes))]
}

/// Gives the bytes back. Fails for a document that has none.
pub(super) fn write(branches: &Branches) -> Result<Vec<u8>, StoreError> {
    let [branch] = branches.as_slice() else {
        return Err(StoreError::at(0, "a binary file is made of one document"));
    };
    match find(branch, DATA).map(|e| &e.value) {
        Some(Value::Text(bytes)) => Ok(bytes.to_vec()),
        Some(_) => Err(StoreError::at(
            0,
            "`data` is not text, so this is not a binary file",
        )),
        None => Err(StoreError::at(
            0,
            "there is no `data`, so this is not a binary file",
        )),
    }
}
