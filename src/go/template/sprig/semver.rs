//! Versions and constraints of Masterminds/semver v3.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::go::template::fault::{Fault, Result};
use crate::go::template::function::{Function, row};
use crate::go::template::value::{Object, Value};

use super::numbers::unsigned;
use super::strings::text;

pub(super) static TABLE: &[Function] = &[
    row("semver", "s", |_, v| {
        Ok(Value::Object(Rc::new(Version::parse(text(v, 0))?)))
    }),
    row("semverCompare", "ss", |_, v| {
        let version = Version::parse(text(v, 1))?;
        let alternatives = constraint(text(v, 0))?;
        let fits = |terms: &Vec<Term>| terms.iter().all(|term| term.admits(&version));
        Ok(Value::Bool(alternatives.iter().any(fits)))
    }),
];

/// A version. Parts that are not written are zero.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    original: String,
    numbers: [u64; 3],
    prerelease: String,
    metadata: String,
}

impl Version {
    fn parse(text: &str) -> Result<Self> {
        let fault = || Fault::new("it is not a semantic version");
        let body = text.strip_prefix('v').unwrap_or(text);
        let (body, metadata) = body.split_once('+').unwrap_or((body, ""));
        let (body, prerelease) = body.split_once('-').unwrap_or((body, ""));
        let parts: Vec<&str> = body.split('.').collect();
        if parts.len() > 3 {
            return Err(fault());
        }
        let mut numbers = [0; 3];
        for (slot, part) in numbers.iter_mut().zip(parts) {
            let is_number = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            *slot = part.parse().ok().filter(|_| is_number).ok_or_else(fault)?;
        }
        Ok(Self {
            original: text.to_owned(),
            numbers,
            prerelease: prerelease.to_owned(),
            metadata: metadata.to_owned(),
        })
    }

    fn compare(&self, other: &Self) -> Ordering {
        let numbers = self.numbers.cmp(&other.numbers);
        numbers.then_with(|| compare_prerelease(&self.prerelease, &other.prerelease))
    }
}

fn compare_prerelease(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let mut x = a.split('.');
    let mut y = b.split('.');
    loop {
        let order = match (x.next(), y.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(p), Some(q)) => match (p.parse::<u64>(), q.parse::<u64>()) {
                (Ok(p), Ok(q)) => p.cmp(&q),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => p.cmp(q),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

impl Object for Version {
    fn type_name(&self) -> &'static str {
        "*semver.Version"
    }

    fn print(&self) -> String {
        let [major, minor, patch] = self.numbers;
        let mut out = format!("{major}.{minor}.{patch}");
        for (mark, part) in [('-', &self.prerelease), ('+', &self.metadata)] {
            if !part.is_empty() {
                out.push(mark);
                out.push_str(part);
            }
        }
        out
    }

    fn call(&self, method: &str, arguments: &[Value]) -> Option<Result<Value>> {
        let other = || match arguments.first() {
            Some(Value::Object(object)) => object.as_any().downcast_ref::<Self>(),
            _ => None,
        };
        let [major, minor, patch] = self.numbers;
        let next = |numbers: [u64; 3]| {
            Value::Object(Rc::new(Self {
                original: String::new(),
                numbers,
                prerelease: String::new(),
                metadata: String::new(),
            }))
        };
        Some(Ok(match method {
            "Major" => unsigned(major),
            "Minor" => unsigned(minor),
            "Patch" => unsigned(patch),
            "Prerelease" => Value::string(&self.prerelease),
            "Metadata" => Value::string(&self.metadata),
            "Original" => Value::string(&self.original),
            "String" => Value::string(self.print()),
            "IncMajor" => next([major + 1, 0, 0]),
            "IncMinor" => next([major, minor + 1, 0]),
            "IncPatch" if self.prerelease.is_empty() => next([major, minor, patch + 1]),
            "IncPatch" => next(self.numbers),
            "Compare" => Value::int(self.compare(other()?) as i64),
            "Equal" => Value::Bool(self.compare(other()?) == Ordering::Equal),
            "LessThan" => Value::Bool(self.compare(other()?) == Ordering::Less),
            "GreaterThan" => Value::Bool(self.compare(other()?) == Ordering::Greater),
            _ => return None,
        }))
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// One comparison: an operator, a version, and how many of its parts are written.
#[derive(Debug)]
struct Term {
    operator: Operator,
    version: Version,
    /// 0 for `*`, 3 for a whole version.
    parts: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    AtLeast,
    AtMost,
    Tilde,
    Caret,
}

const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::NotEqual),
    (">=", Operator::AtLeast),
    ("=>", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=<", Operator::AtMost),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

/// Reads `a, b || c`: alternatives of terms that must all hold.
fn constraint(text: &str) -> Result<Vec<Vec<Term>>> {
    text.split("||").map(|part| terms(part.trim())).collect()
}

fn terms(text: &str) -> Result<Vec<Term>> {
    if let Some((low, high)) = text.split_once(" - ") {
        return Ok(vec![
            term(&format!(">={}", low.trim()))?,
            term(&format!("<={}", high.trim()))?,
        ]);
    }
    // A blank may stand between an operator and its version, and instead of a comma.
    let mut out = Vec::new();
    let mut pending = String::new();
    for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
        pending.push_str(word);
        if !word.ends_with(['=', '>', '<', '~', '^', '!']) {
            out.push(term(&pending)?);
            pending.clear();
        }
    }
    if out.is_empty() || !pending.is_empty() {
        return Err(Fault::new("it is not a constraint on versions"));
    }
    Ok(out)
}

fn term(text: &str) -> Result<Term> {
    let found = OPERATORS.iter().find(|(mark, _)| text.starts_with(mark));
    let (operator, body) = match found {
        Some((mark, operator)) => (*operator, &text[mark.len()..]),
        None => (Operator::Equal, text),
    };
    let bare = body.strip_prefix('v').unwrap_or(body);
    let core = bare.split(['-', '+']).next().unwrap_or_default();
    let is_wild = |part: &str| matches!(part, "*" | "x" | "X");
    let written: Vec<&str> = core.split('.').take_while(|part| !is_wild(part)).collect();
    let parts = if core.split('.').next().is_some_and(is_wild) {
        0
    } else {
        written.len()
    };
    let suffix = if parts == 3 { &bare[core.len()..] } else { "" };
    let shown = if parts == 0 {
        "0".to_owned()
    } else {
        written.join(".")
    };
    Ok(Term {
        operator,
        version: Version::parse(&format!("{shown}{suffix}"))
            .map_err(|_| Fault::new("it is not a constraint on versions"))?,
        parts,
    })
}

impl Term {
    fn admits(&self, version: &Version) -> bool {
        // A pre-release fits only where the constraint names one.
        if !version.prerelease.is_empty()
            && self.version.prerelease.is_empty()
            && self.operator != Operator::NotEqual
        {
            return false;
        }
        let order = version.compare(&self.version);
        match self.operator {
            Operator::Equal => {
                self.same_parts(version, self.parts) && (self.parts < 3 || order.is_eq())
            }
            Operator::NotEqual => {
                !(self.same_parts(version, self.parts) && (self.parts < 3 || order.is_eq()))
            }
            Operator::Greater => {
                order.is_gt() && (self.parts == 3 || !self.same_parts(version, self.parts))
            }
            Operator::Less => order.is_lt(),
            Operator::AtLeast => order.is_ge(),
            Operator::AtMost => {
                order.is_le() || (self.parts < 3 && self.same_parts(version, self.parts))
            }
            Operator::Tilde => order.is_ge() && self.same_parts(version, self.parts.min(2)),
            Operator::Caret => order.is_ge() && self.same_parts(version, self.caret_parts()),
        }
    }

    fn same_parts(&self, version: &Version, count: usize) -> bool {
        self.version.numbers[..count] == version.numbers[..count]
    }

    /// How many parts a caret keeps: up to the first that is not zero.
    fn caret_parts(&self) -> usize {
        let [major, minor, _] = self.version.numbers;
        let kept = match (major, minor) {
            (1.., _) => 1,
            (0, 1..) => 2,
            (0, 0) => 3,
        };
        kept.min(self.parts)
    }
}
