//! Characters that YAML does not allow, wherever they stand.

use super::cursor::to_u32;
use super::error::SyntaxError;
use super::scanner::Result;
use crate::yaml::Mark;

/// Refuses control characters but tab, line feed, carriage return and U+0085, and the two non-characters.
pub(super) fn check(text: &str, first_line: u32) -> Result<()> {
    let is_suspect = |byte: &u8| *byte < 0x20 || *byte >= 0x7F;
    let bytes = text.as_bytes();
    // Whole blocks without a rare byte are passed over at once.
    for (index, block) in bytes.chunks(64).enumerate() {
        let rare = block.iter().fold(0, |sum, byte| {
            sum | u8::from(is_suspect(byte) & (*byte != b'\n'))
        });
        if rare == 0 {
            continue;
        }
        let start = index * 64;
        for (offset, byte) in block.iter().enumerate() {
            if is_suspect(byte) && is_forbidden(&bytes[start + offset..]) {
                return Err(refuse(text, start + offset, first_line));
            }
        }
    }
    Ok(())
}

fn is_forbidden(rest: &[u8]) -> bool {
    match rest {
        [b'\t' | b'\n' | b'\r', ..] => false,
        [0..0x20 | 0x7F, ..] => true,
        [0xC2, 0x80..0xA0, ..] => rest[1] != 0x85,
        [0xEF, 0xBF, 0xBE | 0xBF, ..] => true,
        _ => false,
    }
}

fn refuse(text: &str, offset: usize, first_line: u32) -> Box<SyntaxError> {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let breaks = before.bytes().filter(|b| *b == b'\n').count();
    let mark = Mark {
        line: first_line.saturating_add(to_u32(breaks)),
        column: to_u32(before[line_start..].chars().count()) + 1,
    };
    SyntaxError::new(
        mark,
        "a control character is not allowed here; write it as an escape in double quotes",
    )
}
