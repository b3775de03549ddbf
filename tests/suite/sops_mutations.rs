//! Changes sealed files in every way that a hand, a merge or an attacker would, and looks at what happens.
//!
//! Over the cases of `testdata/sops` that open: a flipped bit in the data, iv or tag of any value or of the
//! MAC is refused; whatever else is changed gives an error or a document, never a panic; and no error holds
//! a plaintext or an identity.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use prerender::sops::{
    Ask, Config, CreationRule, Format, Identities, IdentityText, Indents, MacCheck, Options,
    PlainFile, RuleOverride, SealedFile, Sealer, decrypt, detect, encrypt,
};
use secrecy::ExposeSecret;

/// A sealed file that opens, and what must stay secret of it.
struct Sealed {
    name: String,
    bytes: Vec<u8>,
    format: Format,
    identities: Identities,
    secrets: Vec<String>,
    plain: Vec<u8>,
}

/// Made for the cases; its identity is among them.
const RECIPIENT: &str = "age1tw8f6m4muahx46ye4cjtjandvs2cd87rhhphg97aem3staa27c9sxuray8";

fn identities(text: &str) -> Identities {
    let ask: Ask = Arc::new(|_: &str| Err("nobody is there".to_owned()));
    let mut identities = Identities::new();
    identities.add("the case", text.as_bytes(), IdentityText::Words, &ask);
    identities
}

fn cases() -> Vec<Sealed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/sops");
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let case = entry.unwrap().path();
        let opens = ["yaml", "json", "txt"]
            .iter()
            .any(|e| case.join(format!("expected.{e}")).exists());
        let env = fs::read_to_string(case.join("env")).unwrap_or_default();
        let Some(key) = env.lines().find_map(|l| l.strip_prefix("SOPS_AGE_KEY=")) else {
            continue;
        };
        if !opens || !case.join("input").is_dir() {
            continue;
        }
        for file in fs::read_dir(case.join("input")).unwrap() {
            let path = file.unwrap().path();
            let Ok(bytes) = fs::read(&path) else { continue };
            let name = path.display().to_string();
            let Some(format) = detect(&bytes, &name) else {
                continue;
            };
            let identities = identities(key);
            let sealed = SealedFile {
                name: &name,
                bytes: &bytes,
                format,
            };
            let Ok(opened) = decrypt(&sealed, &identities, &Options::plain(format)) else {
                continue;
            };
            let mut secrets: Vec<String> = opened
                .secrets
                .iter()
                .map(|s| s.expose_secret().to_owned())
                .collect();
            // Words of any message are told, whatever a file seals.
            let is_word =
                |s: &str| matches!(s.trim(), "true" | "false" | "note" | "value" | "text");
            secrets.retain(|s| s.chars().count() >= 4 && !is_word(s));
            secrets.push(key.to_owned());
            found.push(Sealed {
                name,
                bytes,
                format,
                identities,
                secrets,
                plain: opened.bytes.to_vec(),
            });
        }
    }
    assert!(found.len() >= 8, "the cases of testdata/sops are there");
    found
}

/// Opens a changed file; gives the plain bytes, or checks that the error tells no secret.
fn open(case: &Sealed, bytes: &[u8], mac: MacCheck) -> Option<Vec<u8>> {
    let file = SealedFile {
        name: "secret",
        bytes,
        format: case.format,
    };
    let options = Options {
        mac,
        ..Options::plain(case.format)
    };
    match decrypt(&file, &case.identities, &options) {
        Ok(opened) => Some(opened.bytes.to_vec()),
        Err(error) => {
            let text = format!("{error} {error:?}");
            for secret in &case.secrets {
                assert!(
                    !text.contains(secret.as_str()),
                    "{}: an error tells a secret",
                    case.name
                );
            }
            None
        }
    }
}

/// Where the base64 of a part of each sealed value stands.
fn parts(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices("ENC[AES256_GCM,") {
        let end = start + text[start..].find(']').unwrap();
        for part in ["data:", ",iv:", ",tag:"] {
            let from = start + text[start..end].find(part).unwrap() + part.len();
            let to = from + text[from..end].find(',').unwrap();
            found.push((from, to));
        }
    }
    found
}

#[test]
fn a_flipped_bit_in_any_sealed_part_is_refused() {
    let mut tried = 0;
    for case in cases() {
        let text = String::from_utf8(case.bytes.clone()).unwrap();
        // A comment that does not open is taken for one that was never sealed, as in sops.
        let is_comment = |at: usize| {
            let rest = &text[at..];
            rest[..rest.find(']').unwrap()].ends_with("type:comment")
        };
        // The metadata that later documents repeat are not read, as in sops.
        let is_repeated = |from: usize, to: usize| text.find(&text[from..to]) != Some(from);
        for (from, to) in parts(&text)
            .into_iter()
            .filter(|(from, to)| !is_comment(*from) && !is_repeated(*from, *to))
        {
            let plain = BASE64_STANDARD.decode(&text[from..to]).unwrap();
            for bit in [0, plain.len() * 4, plain.len() * 8 - 1] {
                let mut flipped = plain.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let changed = format!(
                    "{}{}{}",
                    &text[..from],
                    BASE64_STANDARD.encode(flipped),
                    &text[to..]
                );
                assert!(
                    open(&case, changed.as_bytes(), MacCheck::Verify).is_none(),
                    "{}",
                    case.name
                );
                open(&case, changed.as_bytes(), MacCheck::Ignore);
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "only {tried} bits were flipped");
}

#[test]
fn a_file_that_ends_anywhere_gives_no_secret() {
    for case in cases() {
        let step = (case.bytes.len() / 150).max(1);
        for end in (0..case.bytes.len()).step_by(step) {
            open(&case, &case.bytes[..end], MacCheck::Verify);
        }
    }
}

/// Bytes that mean something to a parser.
const SIGNS: &[u8] = b"\n :-#&*!|>'\"%@`{}[],?=\\\0\xff;$<";

/// A generator of numbers that gives the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

/// Changes a few places of a file: a bit, a sign, a piece left out, a piece copied.
fn mutate(bytes: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=numbers.below(3) {
        let length = bytes.len();
        let at = numbers.below(length);
        match numbers.below(4) {
            _ if length == 0 => bytes.push(b'x'),
            0 => bytes[at] ^= 1 << numbers.below(8),
            1 => bytes[at] = SIGNS[numbers.below(SIGNS.len())],
            2 => drop(bytes.drain(at..(at + numbers.below(40)).min(length))),
            _ => {
                let from = numbers.below(length);
                let copy = bytes[from..(from + numbers.below(80)).min(length)].to_vec();
                bytes.splice(at..at, copy);
            }
        }
    }
    bytes
}

/// Reads a changed plain file, and seals it when it can be read; and reads it as a `.sops.yaml`.
fn seal(case: &Sealed, plain: &[u8], rule: &CreationRule) {
    let file = PlainFile {
        name: "plain",
        bytes: plain,
        format: case.format,
        output: case.format,
    };
    let mut sealer = Sealer {
        now: "2026-01-02T03:04:05Z".to_owned(),
        random: &mut |bytes| bytes.fill(7),
    };
    let mut texts = Vec::new();
    if let Err(error) = encrypt(&file, None, rule, &Indents::default(), &mut sealer) {
        texts.push(error.to_string());
    }
    if let Err(error) = Config::parse(plain, ".sops.yaml").and_then(|c| c.rule_for("a.yaml")) {
        texts.push(error.to_string());
    }
    for (text, secret) in texts
        .iter()
        .flat_map(|t| case.secrets.iter().map(move |s| (t, s)))
    {
        assert!(
            !text.contains(secret.as_str()),
            "{}: an error tells a secret",
            case.name
        );
    }
}

/// `FUZZ=1` goes on for half an hour; otherwise each case is changed a few hundred times.
#[test]
fn changed_bytes_give_an_error_or_a_document() {
    let cases = cases();
    let long = std::env::var_os("FUZZ").is_some();
    let start = std::time::Instant::now();
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let mut executions = 0_u64;
    let given = RuleOverride {
        age: Some(RECIPIENT.to_owned()),
        ..RuleOverride::default()
    };
    let rule = CreationRule::with(None, &given).unwrap().unwrap();
    loop {
        for case in &cases {
            for _ in 0..200 {
                let bytes = mutate(&case.bytes, &mut numbers);
                open(case, &bytes, MacCheck::Verify);
                open(case, &bytes, MacCheck::Ignore);
                detect(&bytes, "secret");
                executions += 1;
            }
            for _ in 0..20 {
                seal(case, &mutate(&case.plain, &mut numbers), &rule);
                executions += 1;
            }
        }
        if !long || start.elapsed().as_secs() >= 1800 {
            break;
        }
    }
    println!("{executions} executions in {} s", start.elapsed().as_secs());
}
