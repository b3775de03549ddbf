//! Base64 and base32. What cannot be decoded becomes the words of Go's error, as in sprig.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::go::template::fault::Result;
use crate::go::template::function::{Call, Function, row};
use crate::go::template::value::Value;

use super::strings::text;

pub(super) static TABLE: &[Function] = &[
    row("b64enc", "s", |call, v| {
        call.string(STANDARD.encode(text(v, 0)))
    }),
    row("b64dec", "s", b64dec),
    row("b32enc", "s", |call, v| {
        call.string(base32_encode(text(v, 0).as_bytes()))
    }),
    row("b32dec", "s", b32dec),
];

fn decoded(
    call: &Call<'_>,
    bytes: std::result::Result<Vec<u8>, usize>,
    name: &str,
) -> Result<Value> {
    match bytes {
        Ok(bytes) => call.string(String::from_utf8_lossy(&bytes).into_owned()),
        Err(at) => call.string(format!("illegal {name} data at input byte {at}")),
    }
}

fn b64dec(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let joined: String = text(values, 0).split(['\r', '\n']).collect();
    let bytes = STANDARD.decode(&joined).map_err(|error| match error {
        base64::DecodeError::InvalidByte(at, _) => at,
        _ => joined.trim_end_matches('=').len(),
    });
    decoded(call, bytes, "base64")
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Base32 of RFC 4648.
fn base32_encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(5) {
        let mut block = [0; 5];
        block[..chunk.len()].copy_from_slice(chunk);
        let bits = block
            .iter()
            .fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        let digits = (chunk.len() * 8).div_ceil(5);
        for index in 0..8 {
            let value = (bits >> (35 - 5 * index)) & 31;
            let digit = ALPHABET[usize::try_from(value).unwrap_or(0)];
            out.push(if index < digits {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    out
}

fn b32dec(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    decoded(call, base32_decode(text(values, 0)), "base32")
}

fn base32_decode(text: &str) -> std::result::Result<Vec<u8>, usize> {
    let body = text.trim_end_matches('=');
    let mut out = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for (at, byte) in body.bytes().enumerate() {
        let value = ALPHABET.iter().position(|b| *b == byte).ok_or(at)?;
        bits = (bits << 5) | u32::try_from(value).unwrap_or(0);
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 255).unwrap_or(0));
        }
    }
    match text.len() % 8 {
        0 => Ok(out),
        left => Err(text.len() - left),
    }
}
