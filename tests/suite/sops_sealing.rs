//! Seals documents and opens them again: what comes back, what stays, and what is never there.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use prerender::sops::{
    Ask, Ciphertext, Config, CreationRule, Format, Identities, IdentityText, Indents, KeyPath,
    MacCheck, NewValue, Options, OtherValues, PlainFile, RuleOverride, SealedFile, Sealer,
    Unsealed, Values, decrypt, detect, encrypt, merge,
};

// Made for these tests, public, and protecting nothing.
const RECIPIENT: &str = "age1tw8f6m4muahx46ye4cjtjandvs2cd87rhhphg97aem3staa27c9sxuray8";
const IDENTITY: &str = "AGE-SECRET-KEY-19EFFRR268KCQE7T7XLWS09AVTRWR6Y0WGVV480NT2DCSK75L5NHQ0UMLXF";
const OTHER_RECIPIENT: &str = "age16e7lwvd4cw9jex40qln8kr6exjj8ztu40dkk4x7k2jsrwdvmadtqctrxwj";
const OTHER_IDENTITY: &str =
    "AGE-SECRET-KEY-1R8KKWNTPH9D36YFQ9KS6KNXX2FZ5UWWCKT28XEWC2U2926UZTU7QUP53VV";

const DOCUMENTS: [(Format, &str); 5] = [
    (
        Format::Yaml,
        "# head\na: text\nb:\n    # in\n    - 1\n    - 2.5\n    - true\n    - null\nc: \"\"\nd: 2024-01-02T03:04:05Z\n---\ne: {}\n",
    ),
    (
        Format::Json,
        "{\n\t\"a\": \"text\",\n\t\"b\": [\n\t\t1,\n\t\tfalse\n\t]\n}\n",
    ),
    (Format::Dotenv, "#head\nA=text\nB=two words\n"),
    (Format::Ini, "[s]\na = text\n; head\nb = 2\n"),
    (Format::Binary, "text\u{1}\u{2}"),
];

fn identities(text: &str) -> Identities {
    let ask: Ask = Arc::new(|_: &str| Err("nobody is there".to_owned()));
    let mut identities = Identities::new();
    identities.add("the test", text.as_bytes(), IdentityText::Words, &ask);
    identities
}

fn rule(recipients: &str) -> CreationRule {
    let given = RuleOverride {
        age: Some(recipients.to_owned()),
        ..RuleOverride::default()
    };
    CreationRule::with(None, &given).unwrap().unwrap()
}

fn rule_of(config: &str) -> CreationRule {
    Config::parse(config.as_bytes(), ".sops.yaml")
        .unwrap()
        .rule_for("secret.yaml")
        .unwrap()
}

fn seal(
    format: Format,
    text: &str,
    previous: Option<&[u8]>,
    rule: &CreationRule,
    now: &str,
) -> Vec<u8> {
    let mut seed = now
        .bytes()
        .fold(1u64, |n, b| n.wrapping_mul(31).wrapping_add(u64::from(b)));
    let mut random = |bytes: &mut [u8]| {
        for byte in bytes {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = u8::try_from(seed >> 56).unwrap();
        }
    };
    let mut sealer = Sealer {
        now: now.to_owned(),
        random: &mut random,
    };
    let file = PlainFile {
        name: "plain",
        bytes: text.as_bytes(),
        format,
        output: format,
    };
    let keys = identities(&format!("{IDENTITY} {OTHER_IDENTITY}"));
    let previous = previous.map(|bytes| SealedFile {
        name: "sealed",
        bytes,
        format,
    });
    let previous = previous.as_ref().map(|sealed| (sealed, &keys));
    encrypt(&file, previous, rule, &Indents::default(), &mut sealer).unwrap()
}

fn open(format: Format, bytes: &[u8], keys: &str, values: Values<'_>) -> Option<String> {
    let file = SealedFile {
        name: "sealed",
        bytes,
        format,
    };
    let options = Options {
        values,
        ..Options::plain(format)
    };
    let opened = decrypt(&file, &identities(keys), &options).ok()?;
    Some(String::from_utf8(opened.bytes.to_vec()).unwrap())
}

const NOW: &str = "2026-01-02T03:04:05Z";
const LATER: &str = "2026-01-02T03:04:06Z";

/// The lines of `after` that `before` does not have.
fn new_lines<'a>(before: &str, after: &'a str) -> Vec<&'a str> {
    after
        .lines()
        .filter(|line| !before.lines().any(|b| b == *line))
        .collect()
}

#[test]
fn what_is_sealed_opens_again_in_every_format() {
    for (format, text) in DOCUMENTS {
        let sealed = seal(format, text, None, &rule(RECIPIENT), NOW);
        assert!(
            !String::from_utf8_lossy(&sealed).contains("text"),
            "{format:?}"
        );
        assert_eq!(detect(&sealed, "any"), Some(format));
        assert_eq!(
            open(format, &sealed, IDENTITY, Values::Plain).as_deref(),
            Some(text)
        );
        assert_eq!(open(format, &sealed, OTHER_IDENTITY, Values::Plain), None);
    }
}

#[test]
fn sealing_an_unchanged_document_changes_no_byte() {
    for (format, text) in DOCUMENTS {
        let sealed = seal(format, text, None, &rule(RECIPIENT), NOW);
        assert_eq!(
            seal(format, text, Some(&sealed), &rule(RECIPIENT), LATER),
            sealed
        );
    }
}

#[test]
fn an_empty_comment_in_a_list_opens_as_no_item() {
    let text = "a:\n    - 1\n    #\n    # told\n    - 2\n";
    let sealed = seal(
        Format::Yaml,
        text,
        None,
        &rule(RECIPIENT),
        "2026-01-01T00:00:00Z",
    );
    let opened = open(Format::Yaml, &sealed, IDENTITY, Values::Plain).unwrap();
    assert_eq!(opened, "a:\n    - 1\n    # told\n    - 2\n");
    let again = seal(
        Format::Yaml,
        text,
        Some(&sealed),
        &rule(RECIPIENT),
        "2026-01-02T00:00:00Z",
    );
    assert_eq!(again, sealed);
}

#[test]
fn a_comment_at_the_end_is_not_written_twice() {
    let text = "a:\n    - [1, {b: 2}]\n      # end\n";
    let wide = Indents {
        yaml: 6,
        ..Indents::default()
    };
    let plain = PlainFile {
        name: "plain",
        bytes: text.as_bytes(),
        format: Format::Yaml,
        output: Format::Yaml,
    };
    let mut random = |bytes: &mut [u8]| bytes.fill(7);
    let mut seal = |previous: Option<&[u8]>| {
        let mut sealer = Sealer {
            now: NOW.to_owned(),
            random: &mut random,
        };
        let sealed = previous.map(|bytes| SealedFile {
            name: "sealed",
            bytes,
            format: Format::Yaml,
        });
        let keys = identities(IDENTITY);
        let previous = sealed.as_ref().map(|sealed| (sealed, &keys));
        encrypt(&plain, previous, &rule(RECIPIENT), &wide, &mut sealer).unwrap()
    };
    let first = seal(None);
    assert_eq!(seal(Some(&first)), first);
}

#[test]
fn a_changed_value_leaves_the_others_as_they_are() {
    for (format, text) in DOCUMENTS.into_iter().filter(|(f, _)| *f != Format::Binary) {
        let sealed = seal(format, text, None, &rule(RECIPIENT), NOW);
        let changed = text.replace("text", "other");
        let again = seal(format, &changed, Some(&sealed), &rule(RECIPIENT), LATER);
        assert_eq!(
            open(format, &again, IDENTITY, Values::Plain).as_deref(),
            Some(changed.as_str())
        );
        let (before, after) = (
            String::from_utf8(sealed).unwrap(),
            String::from_utf8(again).unwrap(),
        );
        let new = new_lines(&before, &after);
        let (metadata, values): (Vec<&str>, Vec<&str>) = new
            .iter()
            .copied()
            .partition(|l| l.contains("mac") || l.contains("lastmodified"));
        assert_eq!(
            (values.len(), metadata.is_empty()),
            (1, false),
            "{format:?}: {new:?}"
        );
    }
}

#[test]
fn other_recipients_get_another_data_key() {
    let (format, text) = DOCUMENTS[0];
    let sealed = seal(format, text, None, &rule(RECIPIENT), NOW);
    let both = rule(&format!("{RECIPIENT}, {OTHER_RECIPIENT}"));
    let again = seal(format, text, Some(&sealed), &both, LATER);
    for keys in [IDENTITY, OTHER_IDENTITY] {
        assert_eq!(
            open(format, &again, keys, Values::Plain).as_deref(),
            Some(text)
        );
    }
    let (before, after) = (
        String::from_utf8(sealed).unwrap(),
        String::from_utf8(again).unwrap(),
    );
    let values = after.lines().filter(|l| l.contains("ENC[")).count();
    let new = new_lines(&before, &after);
    assert_eq!(new.iter().filter(|l| l.contains("ENC[")).count(), values);
}

#[test]
fn another_rule_keeps_the_data_key_and_says_so() {
    let (format, text) = (Format::Yaml, "data:\n    a: text\nkind: Secret\n");
    let sealed = seal(format, text, None, &rule(RECIPIENT), NOW);
    let narrow = rule_of(&format!(
        "creation_rules: [{{age: {RECIPIENT}, encrypted_regex: ^data$, mac_only_encrypted: true}}]"
    ));
    let again = seal(format, text, Some(&sealed), &narrow, LATER);
    assert_eq!(
        open(format, &again, IDENTITY, Values::Plain).as_deref(),
        Some(text)
    );
    let (before, after) = (
        String::from_utf8(sealed).unwrap(),
        String::from_utf8(again).unwrap(),
    );
    assert!(after.contains("kind: Secret") && after.contains("encrypted_regex: ^data$"));
    assert!(!after.contains("unencrypted_suffix") && after.contains("mac_only_encrypted: true"));
    assert!(
        !new_lines(&before, &after)
            .iter()
            .any(|l| l.starts_with("    a: ENC["))
    );
}

#[test]
fn two_of_three_key_groups_open() {
    let config = format!(
        "creation_rules:\n- shamir_threshold: 2\n  key_groups:\n  - age: [{RECIPIENT}]\n  - age: [{OTHER_RECIPIENT}]\n  - age: [PQ]\n"
    );
    let rule = rule_of(&config.replace("PQ", include_str!("sops_sealing.pub").trim()));
    for (format, text) in DOCUMENTS {
        let sealed = seal(format, text, None, &rule, NOW);
        let both = format!("{IDENTITY} {OTHER_IDENTITY}");
        assert_eq!(
            open(format, &sealed, &both, Values::Plain).as_deref(),
            Some(text)
        );
        assert_eq!(open(format, &sealed, IDENTITY, Values::Plain), None);
    }
}

#[test]
fn other_worlds_keep_the_shape_and_nothing_of_the_value() {
    let text = "a: text\nb: Text-12\nc: [text, text, 5]\nd_unencrypted: clear\n";
    let sealed = seal(Format::Yaml, text, None, &rule(RECIPIENT), NOW);
    let in_world = |sealed: &[u8], world| {
        let all = |_: &str, _: &str| true;
        open(Format::Yaml, sealed, IDENTITY, Values::Other(world, &all)).unwrap()
    };
    let first = in_world(&sealed, OtherValues::First);
    let second = in_world(&sealed, OtherValues::Second);
    assert!(!first.contains("text") && first.contains("d_unencrypted: clear"));
    let real = open(Format::Yaml, &sealed, IDENTITY, Values::Plain).unwrap();
    assert_eq!(first.len(), real.len());
    assert_eq!(new_lines(&first, &second).len(), 5);

    let other = text.replace("b: Text-12", "b: Word-98");
    let again = seal(Format::Yaml, &other, Some(&sealed), &rule(RECIPIENT), LATER);
    assert_eq!(
        in_world(&again, OtherValues::First),
        first,
        "only the shape counts"
    );
    let only = |path: &str, _: &str| path == "b";
    let one = open(
        Format::Yaml,
        &sealed,
        IDENTITY,
        Values::Other(OtherValues::First, &only),
    );
    assert_eq!(new_lines(&real, &one.unwrap()).len(), 1);
}

/// Time that grows with the square of the size would end no test.
#[test]
fn many_keys_and_long_metadata_names_take_no_long() {
    let keys = |line: fn(usize) -> String| (0..40_000).map(line).collect::<String>();
    let ini = format!("[s]\n{}[sops]\nmac = x\n", keys(|n| format!("k{n} = v\n")));
    let name = "__map_a".repeat(200_000);
    let dotenv = format!("A=1\nsops_a{name}=x\nsops_mac=x\n");
    for (format, text) in [(Format::Ini, ini), (Format::Dotenv, dotenv)] {
        let began = std::time::Instant::now();
        assert!(open(format, text.as_bytes(), IDENTITY, Values::Plain).is_none());
        assert!(
            began.elapsed() < std::time::Duration::from_secs(60),
            "{format:?}"
        );
    }
}

#[test]
fn documents_as_deep_as_the_limit_fit_the_stack_of_a_thread() {
    let depth = 254;
    let json = format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
    let yaml = format!("a: {}x{}\n", "[".repeat(depth), "]".repeat(depth));
    for (format, text) in [(Format::Json, json), (Format::Yaml, yaml)] {
        let sealed = seal(format, &text, None, &rule(RECIPIENT), NOW);
        assert!(open(format, &sealed, IDENTITY, Values::Plain).is_some());
    }
}

fn sealed(bytes: &[u8]) -> SealedFile<'_> {
    SealedFile {
        name: "secret.yaml",
        bytes,
        format: Format::Yaml,
    }
}

fn with_random<R>(now: &str, then: impl FnOnce(&mut Sealer<'_>) -> R) -> R {
    let mut count = 0u8;
    let mut random = |bytes: &mut [u8]| {
        count = count.wrapping_add(1);
        bytes.fill(count.wrapping_add(u8::try_from(now.len()).unwrap()));
    };
    then(&mut Sealer {
        now: now.to_owned(),
        random: &mut random,
    })
}

fn set(bytes: &[u8], path: &str, json: &str, now: &str) -> Vec<u8> {
    let held = identities(IDENTITY);
    let file = sealed(bytes);
    let mut document = Unsealed::open(&file, &held, MacCheck::Verify, Ciphertext::Kept).unwrap();
    let value = NewValue::parse(json.as_bytes()).unwrap();
    document.set(&KeyPath::parse(path).unwrap(), value).unwrap();
    with_random(now, |sealer| {
        document.seal(Format::Yaml, &Indents::default(), sealer)
    })
    .unwrap()
}

fn plain(bytes: &[u8]) -> String {
    let opened = decrypt(
        &sealed(bytes),
        &identities(IDENTITY),
        &Options::plain(Format::Yaml),
    );
    String::from_utf8(opened.unwrap().bytes.to_vec()).unwrap()
}

#[test]
fn a_value_that_is_set_changes_its_own_line_and_the_metadata_alone() {
    let text = "# head\na: x\nb:\n    - 1\n    # in\n    - two\nc: z\n";
    let before = seal(
        Format::Yaml,
        text,
        None,
        &rule(RECIPIENT),
        "2026-01-01T00:00:00Z",
    );
    let after = set(&before, "[\"c\"]", "\"new\"", "2026-01-02T00:00:00Z");
    assert_eq!(plain(&after), text.replace("c: z", "c: new"));
    let lines = |bytes: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(bytes)
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let (before, after) = (lines(&before), lines(&after));
    assert_eq!(before.len(), after.len());
    let changed = before.iter().zip(&after).filter(|(a, b)| a != b);
    let changed: Vec<&str> = changed
        .map(|(_, b)| b.trim().split(':').next().unwrap())
        .collect();
    assert_eq!(changed, ["c", "lastmodified", "mac"]);
}

#[test]
fn two_sides_are_merged_by_their_keys_and_what_both_changed_stays_sealed() {
    let text = "a: x\nb:\n    c: 1\n    d: 2\n";
    let base = seal(
        Format::Yaml,
        text,
        None,
        &rule(RECIPIENT),
        "2026-01-01T00:00:00Z",
    );
    let ours = set(&base, "[\"a\"]", "\"ours\"", "2026-01-02T00:00:00Z");
    let theirs = set(
        &base,
        "[\"b\"][\"c\"]",
        "\"theirs\"",
        "2026-01-03T00:00:00Z",
    );
    let merged = |base: &[u8], ours: &[u8], theirs: &[u8]| {
        let held = identities(IDENTITY);
        let sides = (&sealed(ours), &sealed(theirs));
        with_random("2026-01-04T00:00:00Z", |sealer| {
            merge(
                Some(&sealed(base)),
                sides,
                &held,
                (&Indents::default(), sealer),
            )
            .unwrap()
        })
    };
    let both = merged(&base, &ours, &theirs);
    assert_eq!(plain(&both.bytes), "a: ours\nb:\n    c: theirs\n    d: 2\n");
    assert!(both.conflicts.is_empty());
    let other = set(&base, "[\"a\"]", "\"other\"", "2026-01-03T00:00:00Z");
    let conflict = merged(&base, &ours, &other);
    assert_eq!(conflict.conflicts, ["a"]);
    let shown = String::from_utf8_lossy(&conflict.bytes);
    assert!(!shown.contains("other") && shown.contains("<<<<<<< ours: ENC["));
    let wanted = "a:\n    <<<<<<< ours: ours\n    '>>>>>>> theirs': other\n";
    assert!(plain(&conflict.bytes).starts_with(wanted));
}
