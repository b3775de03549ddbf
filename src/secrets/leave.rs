//! The one exit of manifests: what may leave of a render that sealed values reached.
//!
//! What depends on a sealed value is not found by comparing texts. The root is rendered in two more worlds, in which
//! every sealed value is another one of the same shape, and which share no letter and no digit; what is not the same
//! in all of them depends on a sealed value, whatever a template, a generator or a patch did with it. With `redact`
//! only what the other worlds say is printed, so that the real values cannot be in it. Findings, and how a run ends,
//! are those of the real render in every mode.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::differ::{Worlds, counterpart, first_difference};
use super::look::is_secret;
use super::opener::{Meant, Opener, SealedValue};
use super::redact::{Renamed, redacted, redacted_by_text};
use super::view::Secrets;
use crate::diagnostic::{self, Code, Diagnostic, Report};
use crate::kube::{ResMap, Resource};
use crate::sops::OtherValues;
use crate::yaml::{self, Node};

/// How many sealed values are tried one by one, to name those that a place depends on.
const MAX_TRIED: usize = 24;

/// How many places are told.
const MAX_TOLD: usize = 8;

/// What a render gives: sets of objects that leave.
pub trait Leaves: Send {
    /// The sets.
    fn sets(&self) -> Vec<&ResMap>;
    /// The same, to be changed.
    fn sets_mut(&mut self) -> Vec<&mut ResMap>;
    /// Whether the project lets an object hold what was sealed.
    fn may_be_plain(&self, object: &Resource) -> bool;
    /// Patterns of names of values that are secret whatever they look like.
    fn sensitive(&self) -> Vec<String>;
    /// Adds a warning.
    fn warn(&mut self, finding: Diagnostic);
}

/// Renders, and lets out what the mode lets out.
///
/// `run` renders with an opener, which says how sealed values read, and leaves sealed files as it is told. Fails as
/// it does, and with [`Code::SecretLeaves`] where `keep` would print what depends on a sealed value.
pub fn leave<R: Leaves>(
    secrets: Secrets,
    opener: &Arc<Opener>,
    run: impl Fn(&Arc<Opener>, Secrets) -> Result<R, Report> + Sync,
) -> Result<R, Report> {
    match secrets {
        Secrets::Plain | Secrets::Openable => run(opener, secrets),
        Secrets::Keep => keep(opener, &run),
        Secrets::Redact => redact(opener, &run),
    }
}

type Run<'a, R> = &'a (dyn Fn(&Arc<Opener>, Secrets) -> Result<R, Report> + Sync);

/// The render in both other worlds.
fn others<R: Leaves>(
    opener: &Opener,
    run: Run<'_, R>,
    secrets: Secrets,
    meant: &Arc<Meant>,
) -> Option<(R, R)> {
    let of = |world| Arc::new(opener.in_world(world, Arc::clone(meant)));
    let (first, second) = rayon::join(
        || run(&of(OtherValues::First), secrets).ok(),
        || run(&of(OtherValues::Second), secrets).ok(),
    );
    let (first, second) = (first?, second?);
    (first.sets().len() == second.sets().len()).then_some((first, second))
}

fn keep<R: Leaves>(opener: &Arc<Opener>, run: Run<'_, R>) -> Result<R, Report> {
    let mut real = run(opener, Secrets::Keep)?;
    if opener.met().is_empty() {
        return Ok(real);
    }
    let sensitive = real.sensitive();
    let meant: Arc<Meant> =
        Arc::new(move |_: &str, path: &str, text: &str| is_secret(path, text, &sensitive));
    let Some((first, second)) = others(opener, run, Secrets::Keep, &meant) else {
        refuse_by_text(opener, &real)?;
        real.warn(by_text());
        return Ok(real);
    };
    let places = differing(&real, &first, &second);
    if places.is_empty() {
        return Ok(real);
    }
    Err(refused(opener, run, &real, &places))
}

fn redact<R: Leaves>(opener: &Arc<Opener>, run: Run<'_, R>) -> Result<R, Report> {
    let mut real = run(opener, Secrets::Plain)?;
    let token_key = opener.token_key();
    let key = &*token_key;
    let others = match opener.met().is_empty() {
        true => None,
        false => match others(
            opener,
            run,
            Secrets::Plain,
            &(Arc::new(|_: &str, _: &str, _: &str| true) as Arc<Meant>),
        ) {
            Some(others) => Some(others),
            None => {
                let mask = opener.mask();
                for set in real.sets_mut() {
                    redacted_by_text(set, &mask, key);
                }
                real.warn(by_text());
                return Ok(real);
            }
        },
    };
    let mut printed = Vec::new();
    {
        let real_sets = real.sets();
        let (first, second) = match &others {
            Some((first, second)) => (first.sets(), second.sets()),
            None => (real.sets(), real.sets()),
        };
        for ((index, first), second) in first.iter().enumerate().zip(second) {
            let renamed = Renamed::of(first, second);
            let mut set = (*first).clone();
            let count = first.len();
            for (position, object) in set.iter_mut().enumerate() {
                let original = first.get(position).expect("it is a copy");
                let real = real_sets
                    .get(index)
                    .and_then(|set| counterpart(original, position, count, set));
                let worlds = Worlds {
                    real: real.map(Resource::node),
                    first: original.node(),
                    second: counterpart(original, position, count, second).map(Resource::node),
                };
                let at = format!("{}", original.id());
                let node = redacted(worlds, &renamed, key, &at);
                object.change(|n| *n = node);
            }
            printed.push(set);
        }
    }
    for (set, printed) in real.sets_mut().into_iter().zip(printed) {
        *set = printed;
    }
    if let Some(warning) = key.warning() {
        real.warn(warning);
    }
    Ok(real)
}

/// A place in an object that depends on a sealed value.
struct Place {
    set: usize,
    position: usize,
    /// The object as another world names it.
    shown: String,
    path: Vec<String>,
    at: Option<diagnostic::Place>,
}

/// The first place in each object that is not the same in all worlds.
fn differing<R: Leaves>(real: &R, first: &R, second: &R) -> Vec<Place> {
    let mut places = Vec::new();
    let sets = real.sets().into_iter().zip(first.sets()).zip(second.sets());
    for (set, ((real_set, first_set), second_set)) in sets.enumerate() {
        for (position, object) in first_set.iter().enumerate() {
            let count = first_set.len();
            let held = counterpart(object, position, count, real_set);
            if held.is_some_and(|held| real.may_be_plain(held)) {
                continue;
            }
            let worlds = Worlds {
                real: held.map(Resource::node),
                first: object.node(),
                second: counterpart(object, position, count, second_set).map(Resource::node),
            };
            let mut path = Vec::new();
            if first_difference(worlds, &mut path) {
                places.push(Place {
                    set,
                    position,
                    shown: object.id().to_string(),
                    path,
                    at: object.place(),
                });
            }
        }
        // An object that only the real render has is there because of a sealed value.
        if real_set.len() > first_set.len() {
            places.push(Place {
                set,
                position: usize::MAX,
                shown: "an object".to_owned(),
                path: Vec::new(),
                at: None,
            });
        }
    }
    places
}

fn refused<R: Leaves>(opener: &Arc<Opener>, run: Run<'_, R>, real: &R, places: &[Place]) -> Report {
    let mut report = Report::default();
    let tried: Vec<(SealedValue, Option<R>)> = opener
        .met()
        .into_iter()
        .take(MAX_TRIED)
        .map(|value| {
            let only = value.clone();
            let meant: Arc<Meant> = Arc::new(move |file: &str, path: &str, _: &str| {
                file == only.file && path == only.path
            });
            let opener = Arc::new(opener.in_world(OtherValues::First, meant));
            let rendered = run(&opener, Secrets::Keep).ok();
            (value, rendered)
        })
        .collect();
    for place in places.iter().take(MAX_TOLD) {
        let names: BTreeSet<String> = tried
            .iter()
            .filter(|(_, other)| {
                other
                    .as_ref()
                    .is_none_or(|other| differs_at(real, other, place))
            })
            .map(|(value, _)| format!("{} of {}", value.path, value.file))
            .collect();
        report.push(refusal(place, &names));
    }
    if places.len() > MAX_TOLD {
        let phrase = format!(
            "{} more objects depend on sealed values",
            places.len() - MAX_TOLD
        );
        report.push(Diagnostic::new(Code::SecretLeaves, phrase));
    }
    report
}

fn refusal(place: &Place, names: &BTreeSet<String>) -> Diagnostic {
    let field = match place.path.is_empty() {
        true => String::new(),
        false => format!(", field {},", place.path.join(".")),
    };
    let phrase = format!("{}{field} depends on a sealed value", place.shown);
    let mut error = Diagnostic::new(Code::SecretLeaves, phrase).at(place.at.clone());
    for name in names {
        error = error.note(format!("it is made of {name}"));
    }
    error
        .note("what leaves under `keep` holds nothing that was sealed")
        .help("write the object sealed, in a *.sops.yaml of its own")
        .help(format!(
            "or list {} in checks.plaintext.allow of the project file, to have it written as it is",
            place.shown
        ))
}

/// Whether a place is another one in another render.
fn differs_at<R: Leaves>(real: &R, other: &R, place: &Place) -> bool {
    let (real, other) = (real.sets(), other.sets());
    let of = |sets: &[&'_ ResMap]| -> Option<Node> {
        let object = sets.get(place.set)?.get(place.position)?;
        Some(object.node().clone())
    };
    match (of(&real), of(&other)) {
        (Some(a), Some(b)) => differs_below(&a, &b, &place.path),
        _ => true,
    }
}

fn differs_below(a: &Node, b: &Node, path: &[String]) -> bool {
    let Some((key, rest)) = path.split_first() else {
        let worlds = Worlds {
            real: Some(b),
            first: a,
            second: Some(b),
        };
        return first_difference(worlds, &mut Vec::new());
    };
    fn step<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
        let item = || node.as_sequence()?.get(key.parse::<usize>().ok()?);
        node.get(key).or_else(item)
    }
    match (step(a, key), step(b, key)) {
        (Some(a), Some(b)) => differs_below(a, b, rest),
        _ => true,
    }
}

/// Where the other worlds do not render: refuses what holds the text of a sealed value.
fn refuse_by_text<R: Leaves>(opener: &Opener, real: &R) -> Result<(), Report> {
    let mask = opener.mask();
    let mut report = Report::default();
    for object in real.sets().into_iter().flat_map(ResMap::iter) {
        let mut bytes = Vec::new();
        let written = yaml::write_manifest(&mut bytes, object.node());
        let text = String::from_utf8_lossy(&bytes);
        if written.is_err() || (mask.text(&text) != text && !real.may_be_plain(object)) {
            let phrase = format!(
                "{} holds a sealed value",
                mask.text(&object.id().to_string())
            );
            report.push(Diagnostic::new(Code::SecretLeaves, phrase).at(object.place()));
        }
    }
    match report.is_empty() {
        true => Ok(()),
        false => Err(report),
    }
}

fn by_text() -> Diagnostic {
    let phrase = "what depends on sealed values was found by comparing texts alone";
    Diagnostic::warning(Code::SecretsByText, phrase)
        .note("the root does not render with other values in the place of the sealed ones")
        .help("changed forms of a value are not found so: do not show the output around")
}
