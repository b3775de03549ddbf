//! YAML as sigs.k8s.io/yaml and apimachinery read it, which controllers do: made JSON on the way.

mod read;
pub mod stream;

pub use read::{ReadError, Retyped, read, read_noting};

/// The documents of a text, those that hold nothing as null.
pub fn documents(text: &str) -> Result<Vec<serde_json::Value>, ReadError> {
    let stream = stream::read(text).map_err(|broken| ReadError(broken.words))?;
    Ok(stream
        .documents
        .into_iter()
        .map(|document| document.value)
        .collect())
}
