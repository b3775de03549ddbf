//! Base64 as Go's `encoding/base64.StdEncoding` reads it: padded, line breaks allowed, nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Decodes a text; `None` when it is not base64.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    match text.contains(['\n', '\r']) {
        true => STANDARD.decode(text.replace(['\n', '\r'], "")).ok(),
        false => STANDARD.decode(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn line_breaks_are_skipped_and_nothing_else() {
        assert_eq!(decode("aGVs\nbG8=\n"), Some(b"hello".to_vec()));
        for text in ["aGVs bG8=", "aGVsbG8", "_-8="] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
