//! Strings as `encoding/json` prints them.

/// Appends a string in quotes, escaped for HTML as Go does unless told otherwise: `<`, `>` and `&`, the line
/// separators U+2028 and U+2029, and control characters become `\u…`.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write_contents(out, text);
    out.push(b'"');
}

/// Appends a byte string in quotes as [`write_string`] does; each byte that is not UTF-8 becomes `\ufffd`.
pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for chunk in bytes.utf8_chunks() {
        write_contents(out, chunk.valid());
        for _ in chunk.invalid() {
            out.extend_from_slice(b"\\ufffd");
        }
    }
    out.push(b'"');
}

fn write_contents(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut start = 0;
    let mut index = 0;
    while index < bytes.len() {
        let width = match bytes[index] {
            byte if byte < 0x80 && PLAIN[usize::from(byte)] => {
                index += 1;
                continue;
            }
            0xE2 if bytes[index..].starts_with(&[0xE2, 0x80, 0xA8]) => 3,
            0xE2 if bytes[index..].starts_with(&[0xE2, 0x80, 0xA9]) => 3,
            byte if byte >= 0x80 => {
                index += 1;
                continue;
            }
            _ => 1,
        };
        out.extend_from_slice(&bytes[start..index]);
        write_escape(out, bytes[index + width - 1], width);
        index += width;
        start = index;
    }
    out.extend_from_slice(&bytes[start..]);
}

/// The ASCII characters that stand for themselves.
static PLAIN: [bool; 128] = {
    let mut table = [true; 128];
    let mut control = 0;
    while control < 0x20 {
        table[control] = false;
        control += 1;
    }
    let special = b"\"\\<>&";
    let mut index = 0;
    while index < special.len() {
        table[special[index] as usize] = false;
        index += 1;
    }
    table
};

fn write_escape(out: &mut Vec<u8>, last: u8, width: usize) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    if width == 3 {
        out.extend_from_slice(if last == 0xA8 { b"\\u2028" } else { b"\\u2029" });
        return;
    }
    match last {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', last]),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0x08 => out.extend_from_slice(b"\\b"),
        0x0C => out.extend_from_slice(b"\\f"),
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(last >> 4)]);
            out.push(HEX[usize::from(last & 0xF)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> String {
        let mut out = Vec::new();
        write_string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes() {
        assert_eq!(quoted("plain é 🔒 \u{7f}"), "\"plain é 🔒 \u{7f}\"");
        assert_eq!(quoted("a\"b\\c/"), r#""a\"b\\c/""#);
        assert_eq!(quoted("<a>&b"), r#""\u003ca\u003e\u0026b""#);
        assert_eq!(
            quoted("\n\r\t\u{8}\u{c}\u{0}\u{1f}"),
            r#""\n\r\t\b\f\u0000\u001f""#
        );
        assert_eq!(
            quoted("\u{2028}x\u{2029}\u{2027}"),
            "\"\\u2028x\\u2029\u{2027}\""
        );
    }

    #[test]
    fn bytes_that_are_not_text() {
        let mut out = Vec::new();
        write_bytes(&mut out, b"a<\xff\xfe\xe2\x80z");
        assert_eq!(out, br#""a\u003c\ufffd\ufffd\ufffd\ufffdz""#);
    }
}
