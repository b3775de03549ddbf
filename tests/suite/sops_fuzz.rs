//! Feeds changed files to every store, to the metadata, to `.sops.yaml` and to identity files.
//!
//! Starts from the files of `testdata/sops/corpus/<target>`; the changes follow from a seed, so that a run can
//! be repeated. Nothing panics, nothing takes long, no error tells a secret, and what was sealed here opens
//! here. `FUZZ=SECONDS cargo test --test sops_fuzz -- --nocapture` runs each target for so long and prints how
//! many changes it tried; without it each tries a few hundred.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test runner"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prerender::sops::{
    Ask, Config, CreationRule, Format, Identities, IdentityText, Indents, MacCheck, Options,
    PlainFile, RuleOverride, SealedFile, Sealer, decrypt, encrypt,
};
use secrecy::ExposeSecret;

/// Made for the corpus, public, and protecting nothing.
const IDENTITY: &str = include_str!("sops_fuzz.key");
const RECIPIENT: &str = include_str!("sops_fuzz.pub");

/// How many changes a target tries where the environment does not say for how long.
const TRIES: u32 = 300;

/// The longest that one try may take, of an unoptimised build on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// Pieces that mean something to some reader.
const WORDS: [&str; 44] = [
    "sops:",
    "sops_",
    "[sops]",
    "\"sops\": {",
    "ENC[AES256_GCM,data:",
    ",iv:",
    ",tag:",
    ",type:str]",
    ",type:comment]",
    "type:int",
    "&a ",
    "*a",
    "<<: *a",
    "- ",
    "? ",
    ": ",
    "---\n",
    "...\n",
    "!!binary ",
    "!!merge ",
    "!x ",
    "|4-\n",
    ">+\n",
    "%YAML 1.1\n",
    "# ",
    ";",
    "\"\"\"",
    "`",
    "'",
    "\"",
    "\\",
    "\\u00",
    "\\ud83d",
    "{",
    "}",
    "[",
    "]",
    ",",
    "=",
    "\u{2028}",
    "\u{feff}",
    "\r\n",
    "\t",
    "18446744073709551616",
];

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % (limit.max(1) as u64)).unwrap()
    }

    /// A stretch of some bytes, most often a short one.
    fn stretch(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = [4, 16, 64, 4096][self.below(4)];
        start..length.min(start + self.below(most + 1))
    }

    fn change(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(bytes.len() + 1);
        match self.below(10) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = u8::try_from(self.below(256)).unwrap(),
            2 => drop(bytes.drain(self.stretch(bytes.len()))),
            3 => {
                let copy = bytes[self.stretch(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
            4 => drop(bytes.splice(at..at, other[self.stretch(other.len())].to_vec())),
            5 | 6 => {
                let word = WORDS[self.below(WORDS.len())].bytes();
                bytes.splice(at..at, word);
            }
            7 => {
                let word = WORDS[self.below(WORDS.len())].repeat(1 + self.below(2000));
                bytes.splice(at..at, word.into_bytes());
            }
            8 => {
                let mut lines: Vec<Vec<u8>> =
                    bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
                let (a, b) = (self.below(lines.len()), self.below(lines.len()));
                lines.swap(a, b);
                *bytes = lines.join(&b'\n');
            }
            _ => bytes.truncate(at),
        }
    }
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/sops/corpus");
    let mut paths: Vec<_> = fs::read_dir(directory.join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has a corpus");
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Runs one target: the corpus as it is, then changes of it.
fn fuzz(target: &str, mut run: impl FnMut(&[u8])) {
    let corpus = corpus(target);
    let limit = std::env::var("FUZZ")
        .ok()
        .map(|seconds| Duration::from_secs(seconds.parse().unwrap()));
    let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ target.len() as u64);
    if limit.is_some() {
        random.0 ^= u64::from(std::process::id()) << 17;
    }
    let started = Instant::now();
    let mut tries = 0;
    let mut timed = |bytes: &[u8]| {
        let began = Instant::now();
        // Where a run fails, this is what it failed on.
        if limit.is_some() {
            fs::write(
                std::env::temp_dir().join(format!("sops-fuzz-{target}")),
                bytes,
            )
            .unwrap();
        }
        run(bytes);
        assert!(
            began.elapsed() < LIMIT,
            "{target}: one try took {:?}",
            began.elapsed()
        );
    };
    corpus.iter().for_each(|bytes| timed(bytes));
    while limit.map_or(tries < TRIES, |limit| started.elapsed() < limit) {
        let mut bytes = corpus[random.below(corpus.len())].clone();
        for _ in 0..=random.below(4) {
            let other = &corpus[random.below(corpus.len())];
            random.change(&mut bytes, other);
        }
        timed(&bytes);
        tries += 1;
    }
    println!("{target}: {tries} changes in {:.0?}", started.elapsed());
}

fn nobody() -> Ask {
    Arc::new(|_: &str| Err("nobody is there".to_owned()))
}

fn identities() -> Identities {
    let mut identities = Identities::new();
    identities.add(
        "the corpus",
        IDENTITY.trim().as_bytes(),
        IdentityText::Lines,
        &nobody(),
    );
    identities
}

/// The values that the corpus of a target seals.
fn secrets(target: &str, format: Format, identities: &Identities) -> Vec<String> {
    let mut secrets = vec![IDENTITY.trim().to_owned()];
    for bytes in corpus(target) {
        let file = SealedFile {
            name: "corpus",
            bytes: &bytes,
            format,
        };
        let opened = decrypt(&file, identities, &Options::plain(format));
        let found = opened.iter().flat_map(|opened| &opened.secrets);
        secrets.extend(found.map(|secret| secret.expose_secret().to_owned()));
    }
    // Shorter ones are words of any message.
    secrets.retain(|secret| secret.chars().count() >= 8);
    secrets
}

/// Opens a file in every way, and seals it as a plain one.
fn store(target: &str, format: Format) {
    let identities = identities();
    let secrets = secrets(target, format, &identities);
    assert!(secrets.len() > 1, "the corpus of {target} opens");
    let rule = CreationRule::with(
        None,
        &RuleOverride {
            age: Some(RECIPIENT.trim().to_owned()),
            ..RuleOverride::default()
        },
    )
    .unwrap()
    .unwrap();
    let mut turn = 0_u32;
    fuzz(target, |bytes| {
        turn += 1;
        let file = SealedFile {
            name: "file",
            bytes,
            format,
        };
        for mac in [MacCheck::Verify, MacCheck::Ignore] {
            let options = Options {
                mac,
                ..Options::plain(format)
            };
            if let Err(error) = decrypt(&file, &identities, &options) {
                let text = error.to_string();
                let told = secrets.iter().find(|secret| text.contains(secret.as_str()));
                assert!(
                    told.is_none(),
                    "{target}: an error tells a secret: {:?}",
                    error.code()
                );
            }
        }
        if turn.is_multiple_of(8) {
            seals_and_opens(bytes, format, &identities, &rule);
        }
    });
}

/// What can be sealed opens, and reads as it was.
fn seals_and_opens(bytes: &[u8], format: Format, identities: &Identities, rule: &CreationRule) {
    let plain = PlainFile {
        name: "plain",
        bytes,
        format,
        output: format,
    };
    let mut count = 0_u8;
    let mut random = |bytes: &mut [u8]| {
        for byte in bytes {
            count = count.wrapping_mul(5).wrapping_add(3);
            *byte = count;
        }
    };
    let mut sealer = Sealer {
        now: "2026-01-01T00:00:00Z".to_owned(),
        random: &mut random,
    };
    let Ok(sealed) = encrypt(&plain, None, rule, &Indents::default(), &mut sealer) else {
        return;
    };
    let file = SealedFile {
        name: "sealed",
        bytes: &sealed,
        format,
    };
    if let Ok(opened) = decrypt(&file, identities, &Options::plain(format)) {
        if format == Format::Binary {
            assert_eq!(*opened.bytes, bytes);
        }
    } else {
        // Comments that look sealed, and texts that no format brings back, are the known exceptions.
        let text = String::from_utf8_lossy(bytes);
        let known = text.contains("ENC[")
            || text.contains(['\r', '\u{2028}', '<', '!', '#', ';', '`', '"', '\'']);
        assert!(
            known || format != Format::Json,
            "what was sealed here does not open here"
        );
    }
}

#[test]
fn yaml() {
    store("yaml", Format::Yaml);
}

#[test]
fn json() {
    store("json", Format::Json);
}

#[test]
fn dotenv() {
    store("dotenv", Format::Dotenv);
}

#[test]
fn ini() {
    store("ini", Format::Ini);
}

#[test]
fn binary() {
    store("binary", Format::Binary);
}

#[test]
fn metadata() {
    store("metadata", Format::Yaml);
}

#[test]
fn config() {
    fuzz("config", |bytes| {
        if let Ok(config) = Config::parse(bytes, ".sops.yaml") {
            for path in ["secret.yaml", "a/b/c.env", ""] {
                // An error is as good as a rule.
                let _ = config.rule_for(path);
            }
        }
    });
}

#[test]
fn identity() {
    fuzz("identity", |bytes| {
        for kind in [IdentityText::Lines, IdentityText::Words, IdentityText::Ssh] {
            let mut identities = Identities::new();
            identities.add("a file", bytes, kind, &nobody());
            let told = format!("{:?}", identities.sources());
            assert!(
                !told.contains("AGE-SECRET-KEY-1"),
                "a source tells an identity"
            );
        }
    });
}
