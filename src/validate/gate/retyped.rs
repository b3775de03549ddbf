//! Values whose type is another one than their author saw.
//!
//! kustomize reads `yes` as text, and kubectl, Argo CD and Flux read YAML 1.1, where it is true. kustomize
//! also prints `1.10` as `1.1`. What kustomize prints is never changed; the author is told.

use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::Resource;
use crate::validate::walk::{self, Role, Step};
use crate::yaml::{Node, Style, Tag};

pub(super) fn check(resource: &Resource, report: &mut Report) {
    walk::scalars(resource.node(), &mut |path, role, node| {
        if role == Role::Value {
            report.findings.extend(judge(resource, path, node));
        }
    });
}

fn judge(resource: &Resource, path: &[Step<'_>], node: &Node) -> Option<Diagnostic> {
    let is_text_field = || must_be_text(resource.kind(), path);
    let (field, id) = (|| walk::show(path), || resource.id());
    let typed = match node.tag() {
        Tag::Bool => Some("true or false"),
        Tag::Int | Tag::Float => Some("a number"),
        _ => None,
    };
    // Most values are texts that are texts to everyone: where they stand is not asked.
    let phrase = match typed {
        Some(is) if is_text_field() => format!("{} is {is} in {}, and must be text", field(), id()),
        None if is_boolean_to_others(node)
            && path.first() != Some(&Step::Key("metadata"))
            && !is_text_field() =>
        {
            format!(
                "{} is text in {}, and true or false to YAML 1.1",
                field(),
                id()
            )
        }
        _ => return None,
    };
    let finding = Diagnostic::warning(Code::ValueRetyped, phrase)
        .at(resource.place_of(node))
        .help("write it in quotes if text is meant, else as true, false or a plain number");
    Some(finding)
}

/// Whether Kubernetes takes nothing but text there.
pub(super) fn must_be_text(kind: &str, path: &[Step<'_>]) -> bool {
    let keys = walk::keys(path);
    match keys[..] {
        ["data" | "stringData", _] => matches!(kind, "ConfigMap" | "Secret"),
        // The schema of a custom kind has fields of these names, too.
        [.., "labels" | "annotations" | "matchLabels", _] => {
            (keys.contains(&"metadata") || keys.contains(&"selector"))
                && !keys.contains(&"openAPIV3Schema")
        }
        [.., "containers" | "initContainers", "env", "value"] => true,
        [.., "containers" | "initContainers", "args" | "command"] => true,
        _ => false,
    }
}

/// A plain scalar that go-yaml v3 reads as text, and every reader of YAML 1.1 as true or false.
fn is_boolean_to_others(node: &Node) -> bool {
    // Not `y` and `n`: they are names more often than answers.
    const WORDS: [&str; 4] = ["yes", "no", "on", "off"];
    let Some(text) = node.as_str() else {
        return false;
    };
    node.style() == Style::Plain
        && node.mark().line > 0
        && text.len() <= 3
        && WORDS.iter().any(|w| text.eq_ignore_ascii_case(w))
}
