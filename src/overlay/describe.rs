//! What overlays say of themselves, as text for people.

use std::fmt::Write as _;

use super::definition::{Definition, Find, Once, Rule};
use super::library::{Loaded, Set};
use super::{Instance, State};
use crate::diagnostic::{Code, Diagnostic, Result, nearest};
use crate::yaml::{self, JsonStyle, Node};

/// The width that texts are wrapped at.
const WIDTH: usize = 100;

/// Every overlay of some sets, one a line.
pub fn list(sets: &[Set]) -> String {
    let mut out = String::new();
    let (single, sets): (Vec<&Set>, Vec<&Set>) = sets.iter().partition(|s| s.is_single);
    for (index, set) in sets.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let folder = set.folder.as_ref();
        let folder = folder.map_or_else(String::new, |f| format!(", in {f}"));
        line(
            &mut out,
            &format!(
                "{}@{} ({}{folder}): {}",
                set.name, set.version.major, set.version, set.summary
            ),
        );
        let rows = set.overlays.iter().map(|overlay| {
            let definition = &overlay.definition;
            let only = if definition.opt_in {
                " (only by name)"
            } else {
                ""
            };
            vec![
                format!("  {}", definition.name),
                format!("{}{only}", definition.summary),
            ]
        });
        out.push_str(&table(&[], rows.collect()));
    }
    if !single.is_empty() {
        line(&mut out, "\nOf this project:");
        let row = |set: &&Set| {
            let folder = set.folder.as_ref().map(ToString::to_string);
            vec![
                format!("  {}", set.name),
                set.version.to_string(),
                format!("{} ({})", set.summary, folder.unwrap_or_default()),
            ]
        };
        out.push_str(&table(&[], single.iter().map(row).collect()));
    }
    out
}

/// Everything that an overlay says of itself. Fails with [`Code::OverlayUnknown`].
pub fn show(sets: &[Set], name: &str) -> Result<String> {
    let all = || {
        sets.iter()
            .flat_map(|set| set.overlays.iter().map(move |o| (set, o)))
    };
    let bare = name.split('@').next().unwrap_or(name);
    if let Some(set) = sets.iter().find(|s| s.name == bare && !s.is_single) {
        return Ok(list(std::slice::from_ref(set)));
    }
    let Some((set, overlay)) = all().find(|(_, o)| *o.definition.name == *bare) else {
        let error = Diagnostic::new(Code::OverlayUnknown, format!("there is no overlay {name}"));
        let near = nearest(bare, all().map(|(_, o)| &*o.definition.name));
        return Err(match near {
            Some(near) => error.help(format!("did you mean {near}?")),
            None => error.help("`overlays list` prints what there is"),
        });
    };
    Ok(page(set, overlay))
}

fn page(set: &Set, overlay: &Loaded) -> String {
    let definition = &overlay.definition;
    let mut out = String::new();
    let of = match &set.folder {
        Some(folder) if set.is_single => folder.to_string(),
        _ => format!("set {}@{}", set.name, set.version.major),
    };
    let head = format!("{} {} ({of})", definition.name, definition.version);
    line(&mut out, &head);
    line(&mut out, &definition.summary);
    if definition.opt_in {
        line(
            &mut out,
            &format!(
                "Used only where it is named: use: [{}@{}, {}]",
                set.name, set.version.major, definition.name
            ),
        );
    }
    if !definition.needs.is_empty() {
        line(&mut out, &format!("Needs {}", definition.needs.join(", ")));
    }
    for rule in &definition.rules {
        describe_rule(&mut out, rule);
    }
    section(
        &mut out,
        "Inputs: variables of the project",
        definition.inputs.iter().map(|(name, input)| {
            let head = format!(
                "{name}: {}, {}",
                kind(&input.schema),
                default(&input.default)
            );
            (head, input.description.as_str())
        }),
    );
    section(
        &mut out,
        "Parameters: what can be set for each target",
        definition.parameters.iter().map(|(name, p)| {
            let mut value = p.schema.get("default").cloned().unwrap_or_else(Node::null);
            let as_written = |default: &Node| Ok(default.clone());
            // What is computed is shown as the overlay has it.
            let _ = super::schema::fill(&mut value, &p.schema, &as_written);
            (
                format!("{name}: {}, {}", kind(&p.schema), default(&value)),
                p.description.as_str(),
            )
        }),
    );
    differences(&mut out, definition);
    out
}

fn describe_rule(out: &mut String, rule: &Rule) {
    let target = match &rule.find {
        Find::Each(kind) => format!("each {} ({})", kind.kind, kind.group),
        Find::Contains(finders) => {
            let names = finders.iter().map(super::finder::Finder::describe);
            format!(
                "a root that holds {}",
                names.collect::<Vec<_>>().join(", or ")
            )
        }
    };
    let once = match rule.once {
        Once::Object => "",
        Once::Namespace => ", once a namespace",
        Once::Root => ", once",
    };
    out.push('\n');
    wrap(out, &format!("For {target}{once}"), "  ");
    if let Some(when) = &rule.when {
        wrap(out, &format!("  when {}", when.text.trim()), "       ");
    }
    for (word, additions) in [("adds", &rule.resources), ("patches with", &rule.patches)] {
        for addition in additions {
            line(
                out,
                &format!(
                    "  {word} {}",
                    addition.name.text.replace("#{ target.name }#", "NAME")
                ),
            );
        }
    }
}

fn differences(out: &mut String, definition: &Definition) {
    if definition.differences.is_empty() {
        return;
    }
    out.push_str("\nWhere it differs from the enhancement document\n");
    for difference in &definition.differences {
        let document = &difference.document;
        wrap(
            out,
            &format!("  {document:4} document  {}", difference.says),
            &" ".repeat(17),
        );
        wrap(
            out,
            &format!("       overlay   {}", difference.does),
            &" ".repeat(17),
        );
        wrap(
            out,
            &format!("       because   {}", difference.because),
            &" ".repeat(17),
        );
    }
}

fn section<'a>(out: &mut String, title: &str, rows: impl Iterator<Item = (String, &'a str)>) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for (head, text) in rows {
        wrap(out, &format!("  {head}"), "      ");
        wrap(out, &format!("      {text}"), "      ");
    }
}

/// The type of a schema, in words.
fn kind(schema: &Node) -> String {
    if let Some(words) = schema.get("enum").and_then(Node::as_sequence) {
        let words: Vec<_> = words.iter().filter_map(Node::scalar_text).collect();
        return words.join("|");
    }
    if let Some(options) = schema.get("anyOf").and_then(Node::as_sequence) {
        return options.iter().map(kind).collect::<Vec<_>>().join("|");
    }
    if let Some(word) = schema.get("const").and_then(Node::scalar_text) {
        return word.to_owned();
    }
    match schema.get("type") {
        Some(node) => match node.as_sequence() {
            Some(kinds) => kinds
                .iter()
                .filter_map(Node::scalar_text)
                .collect::<Vec<_>>()
                .join("|"),
            None => node.scalar_text().unwrap_or_default().to_owned(),
        },
        None => "any".to_owned(),
    }
}

/// What a value is by default, in words.
fn default(node: &Node) -> String {
    if node.is_null() {
        return "not set".to_owned();
    }
    if let Some(text) = node.as_str() {
        return match super::language::only_expression(text) {
            Some(expression) => format!("by default {expression}"),
            None if text.is_empty() => "by default empty".to_owned(),
            None => format!("by default {text}"),
        };
    }
    let mut out = Vec::new();
    match yaml::write_json(&mut out, node, JsonStyle::Sorted) {
        Ok(()) => format!("by default {}", String::from_utf8_lossy(&out)),
        Err(_) => "not set".to_owned(),
    }
}

/// Rows in columns; the last column is wrapped to stay within the page.
pub fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let head = (!head.is_empty()).then(|| head.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>());
    let rows: Vec<_> = head.into_iter().chain(rows).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|r| r.get(column))
            .map(|c| c.chars().count())
            .max()
    };
    let widths: Vec<_> = (0..columns).map(|c| width(c).unwrap_or_default()).collect();
    let mut out = String::new();
    for row in &rows {
        let mut text = String::new();
        let (last, others) = row
            .split_last()
            .map_or((None, &[][..]), |(l, o)| (Some(l), o));
        for (cell, width) in others.iter().zip(&widths) {
            let _ = write!(text, "{cell:width$}  ");
        }
        let indent = " ".repeat(text.chars().count());
        text.push_str(last.map_or("", String::as_str));
        wrap(&mut out, &text, &indent);
    }
    out
}

/// Adds a text, broken at blanks where it is wider than the page; a word that is wider stays whole.
fn wrap(out: &mut String, text: &str, indent: &str) {
    let mut rest = text;
    let mut lead = "";
    loop {
        let room = WIDTH.saturating_sub(lead.chars().count()).max(20);
        // A blank within what aligns the columns of the first line is no place to break.
        let fixed = if lead.is_empty() { indent.len() } else { 0 };
        let end = rest.char_indices().nth(room).map(|(at, _)| at);
        let at = end.and_then(|end| {
            let before = rest[..end].rfind(' ').filter(|at| *at > fixed);
            before.or_else(|| rest[end..].find(' ').map(|at| end + at))
        });
        let Some(at) = at else {
            line(out, &format!("{lead}{rest}"));
            return;
        };
        line(out, &format!("{lead}{}", &rest[..at]));
        rest = rest[at..].trim_start();
        lead = indent;
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

/// Instances as rows: target, overlay, mode, state, reason. Those that are off come last, when wanted.
pub fn rows(instances: &[Instance], with_off: bool) -> Vec<Vec<String>> {
    let wanted = instances
        .iter()
        .filter(|i| with_off || i.state != State::Off);
    let row = |i: &Instance| {
        let reason = match i.state {
            State::Added if i.reason.is_empty() => files(i),
            _ => i.reason.clone(),
        };
        vec![
            i.target.clone(),
            i.overlay.to_string(),
            i.mode.clone().unwrap_or_else(|| "-".to_owned()),
            i.state.name().to_owned(),
            reason,
        ]
    };
    wanted.map(row).collect()
}

fn files(instance: &Instance) -> String {
    let names: Vec<_> = instance.files.iter().map(|f| f.name.as_str()).collect();
    names.join(", ")
}
