//! What sprig makes anew at each call. Here it comes from a fixed series, so that a render can be repeated:
//! of the same shape, and of no use as a secret. Keys and certificates are refused.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::go::template::fault::{Fault, Result};
use crate::go::template::function::{Call, Function, row};
use crate::go::template::value::Value;

use super::strings::{int, text};

/// Steps that deriving a password is worth: it takes 64 MiB and a tenth of a second.
const DERIVATION: u64 = 2_000_000;

pub(super) static TABLE: &[Function] = &[
    row("randAlphaNum", "i", |call, v| {
        series(call, int(v, 0), ALPHANUMERIC)
    }),
    row("randAlpha", "i", |call, v| {
        series(call, int(v, 0), &ALPHANUMERIC[10..])
    }),
    row("randNumeric", "i", |call, v| {
        series(call, int(v, 0), &ALPHANUMERIC[..10])
    }),
    row("randAscii", "i", |call, v| {
        series(call, int(v, 0), ALPHANUMERIC)
    }),
    row("randBytes", "i", |call, v| {
        series(call, int(v, 0).saturating_add(2) / 3 * 4, ALPHANUMERIC)
    }),
    row("randInt", "ii", rand_int),
    row("uuidv4", "", uuid),
    row("shuffle", "s", |_, v| Ok(v[0].clone())),
    row("bcrypt", "s", |call, _| bcrypt(call, "")),
    row("htpasswd", "ss", |call, v| {
        if text(v, 0).contains(':') {
            return Ok(Value::string("invalid username: "));
        }
        bcrypt(call, &format!("{}:", text(v, 0)))
    }),
    row("derivePassword", "issss", derive_password),
    row("genPrivateKey", "s", refused),
    row("genCA", "si", refused),
    row("genCAWithKey", "sis", refused),
    row("genSelfSignedCert", "saai", refused),
    row("genSelfSignedCertWithKey", "saais", refused),
    row("genSignedCert", "saaia", refused),
    row("genSignedCertWithKey", "saaias", refused),
    row("buildCustomCert", "ss", refused),
    row("encryptAES", "ss", refused),
    row("decryptAES", "ss", refused),
];

const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn refused(_: &Call<'_>, _: &[Value]) -> Result<Value> {
    Err(Fault::new(
        "it makes another key at each call, which cannot be rendered ahead",
    ))
}

/// The next number of the fixed series (SplitMix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn characters(call: &Call<'_>, count: usize, alphabet: &[u8]) -> String {
    let mut state = call.serial;
    let length = alphabet.len() as u64;
    let pick = |number: u64| usize::try_from(number % length).unwrap_or(0);
    (0..count)
        .map(|_| char::from(alphabet[pick(next(&mut state))]))
        .collect()
}

fn series(call: &Call<'_>, count: i64, alphabet: &[u8]) -> Result<Value> {
    let count = usize::try_from(count).map_err(|_| Fault::new("the count is negative"))?;
    call.budget.bytes(count)?;
    call.budget.step(count as u64)?;
    Ok(Value::string(characters(call, count, alphabet)))
}

fn rand_int(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let (low, high) = (int(values, 0), int(values, 1));
    if high <= low {
        return Err(Fault::new("the range is empty"));
    }
    let mut state = call.serial;
    let offset = next(&mut state) % high.abs_diff(low);
    Ok(Value::int(low.saturating_add_unsigned(offset)))
}

fn uuid(call: &Call<'_>, _: &[Value]) -> Result<Value> {
    let hex = characters(call, 32, b"0123456789abcdef");
    call.string(format!(
        "{}-{}-4{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    ))
}

fn bcrypt(call: &Call<'_>, before: &str) -> Result<Value> {
    call.string(format!(
        "{before}$2a$10${}",
        characters(call, 53, ALPHANUMERIC)
    ))
}

/// The SHA-1 of `sha1sum`.
pub(super) fn sha1(bytes: &[u8]) -> Vec<u8> {
    use sha1::Digest as _;
    sha1::Sha1::digest(bytes).to_vec()
}

const CONSONANTS: &str = "bcdfghjklmnpqrstvwxyz";

/// The templates of Master Password by type.
const PASSWORDS: &[(&str, &[&str])] = &[
    ("maximum", &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"]),
    (
        "long",
        &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
    ),
    ("medium", &["CvcnoCvc", "CvcCvcno"]),
    ("short", &["Cvcn"]),
    ("basic", &["aaanaaan", "aannaaan", "aaannaaa"]),
    ("pin", &["nnnn"]),
];

/// What a letter of a template stands for.
fn letters(of: char) -> String {
    let capitals = CONSONANTS.to_uppercase();
    let all = format!("AEIOUaeiou{capitals}{CONSONANTS}");
    match of {
        'V' => "AEIOU".to_owned(),
        'C' => capitals,
        'v' => "aeiou".to_owned(),
        'c' => CONSONANTS.to_owned(),
        'A' => format!("AEIOU{capitals}"),
        'a' => all,
        'n' => "0123456789".to_owned(),
        'o' => "@&%?,=[]_:-+*$#!'^~;()/.".to_owned(),
        _ => format!("{all}0123456789!@#$%^&*()"),
    }
}

/// Master Password: scrypt of the password and the name, HMAC-SHA256 of the site and the counter.
fn derive_password(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    const SEED: &[u8] = b"com.lyndir.masterpassword";
    call.budget.step(DERIVATION)?;
    let found = PASSWORDS.iter().find(|(name, _)| *name == text(values, 1));
    let Some((_, templates)) = found else {
        return Ok(Value::string("cannot find password template "));
    };
    let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
    let (user, site) = (text(values, 3), text(values, 4));
    let salt = [SEED, &length(user), user.as_bytes()].concat();
    let mut key = [0; 64];
    scrypt::Params::new(15, 8, 2, 64)
        .ok()
        .and_then(|params| {
            scrypt::scrypt(text(values, 2).as_bytes(), &salt, &params, &mut key).ok()
        })
        .ok_or_else(|| Fault::new("the password cannot be derived"))?;
    let counter = u32::try_from(int(values, 0)).unwrap_or(0).to_be_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key)
        .map_err(|_| Fault::new("the password cannot be derived"))?;
    mac.update(&[SEED, &length(site), site.as_bytes(), &counter].concat());
    let seed = mac.finalize().into_bytes();
    let template = templates[usize::from(seed[0]) % templates.len()];
    let picked = template.chars().enumerate().map(|(index, letter)| {
        let set = letters(letter);
        char::from(set.as_bytes()[usize::from(seed[index + 1]) % set.len()])
    });
    call.string(picked.collect())
}
