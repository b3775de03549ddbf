//! A project file that is being written.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::files::{File, Files, Layer, TreePath};

/// The name of the file.
const NAME: &str = "prerender.yaml";

/// The sections of a project file, and what is left out of it.
pub(super) struct Draft {
    path: TreePath,
    /// Values, templates and identities.
    sources: String,
    /// Secrets that go to Git as plaintext.
    pub(super) plaintext: String,
    /// Overlays, with each fact explicit.
    pub(super) overlays: String,
    /// Overlays that a target does without, and why.
    skips: Vec<Skip>,
    /// Why there are no overlays at all.
    off: Vec<String>,
}

/// An overlay that a target does without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Skip {
    /// The entry that selects the target.
    pub(super) target: String,
    /// The overlay.
    pub(super) overlay: String,
    /// Why.
    pub(super) reason: String,
}

impl Draft {
    pub(super) fn new(directory: &TreePath, sources: String) -> Self {
        Self {
            path: directory.join(NAME).expect("a name stays in its directory"),
            sources,
            plaintext: String::new(),
            overlays: String::new(),
            skips: Vec::new(),
            off: Vec::new(),
        }
    }

    /// The files with this one among them.
    pub(super) fn over(&self, disk: &Arc<dyn Files>) -> Arc<dyn Files> {
        let file = File::committed(self.path.clone(), self.text().into_bytes());
        Arc::new(Layer::new(Arc::clone(disk), [file]))
    }

    /// Turns what is said of values and templates into comments.
    pub(super) fn leave_out_sources(&mut self, error: &Diagnostic) {
        let (decryption, others): (Vec<&str>, Vec<&str>) = self
            .sources
            .split_inclusive('\n')
            .partition(|line| line.contains("decryption:") || line.contains("identities:"));
        let mut text = format!("# left out: {}\n", one_line(error.phrase()));
        text.extend(others.iter().map(|line| format!("# {line}")));
        text.extend(decryption);
        self.sources = text;
    }

    /// Leaves an overlay out for a target; `false` where that was done before.
    pub(super) fn skip(&mut self, skip: Skip) -> bool {
        let is_known = |known: &Skip| known.target == skip.target && known.overlay == skip.overlay;
        let is_new = !self.skips.iter().any(is_known);
        if is_new {
            self.skips.push(skip);
        }
        is_new
    }

    /// Leaves every overlay out.
    pub(super) fn turn_off(&mut self, reasons: Vec<String>) {
        self.off = reasons;
    }

    /// Whether every overlay is left out.
    pub(super) fn is_off(&self) -> bool {
        !self.off.is_empty()
    }

    /// The file.
    pub(super) fn text(&self) -> String {
        let mut text = String::from("apiVersion: prerender.dev/v1alpha1\nkind: Prerender\n");
        text.push_str(&self.sources);
        text.push_str(&self.plaintext);
        if self.off.is_empty() {
            text.push_str(&self.overlays);
            text.push_str(&self.entries());
            return text;
        }
        text.push_str("# overlays are left out, since with them\n");
        for reason in &self.off {
            // Writing to a String does not fail.
            let _ = writeln!(text, "# - {}", one_line(reason));
        }
        let lines = self.overlays.split_inclusive('\n');
        text.extend(lines.map(|line| format!("# {line}")));
        text
    }

    fn entries(&self) -> String {
        let mut text = String::new();
        if !self.skips.is_empty() && !self.overlays.contains("\n  for:\n") {
            text.push_str("  for:\n");
        }
        for skip in &self.skips {
            let (target, reason) = (&skip.target, one_line(&skip.reason));
            let _ = writeln!(text, "    - target: {target}  # left out: {reason}");
            let _ = writeln!(text, "      skip: [{}]", skip.overlay);
        }
        text
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
