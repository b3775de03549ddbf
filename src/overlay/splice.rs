//! Adds entries to the lists of a kustomization's text, and leaves every other byte as it is.

use crate::diagnostic::{Code, Diagnostic, Result, Source};
use crate::yaml::{self, Entry, Node, ParseOptions, Style};

/// Adds `entries`, one a line and already written as YAML, to the top-level list `key`.
///
/// The list is made at the end where it is missing. Fails with [`Code::OverlayRoot`] where the list is
/// written in a way that cannot be added to, such as an alias.
pub(super) fn add_to_list(
    text: &str,
    source: &Source,
    key: &str,
    entries: &[String],
) -> Result<String> {
    if entries.is_empty() {
        return Ok(text.to_owned());
    }
    let documents = yaml::parse(text, ParseOptions::default()).map_err(|e| e.at(source))?;
    let empty = Node::mapping();
    let root = documents.first().filter(|n| !n.is_null()).unwrap_or(&empty);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let page = TextEditor {
        text,
        lines,
        root,
        end: if text.contains("\r\n") { "\r\n" } else { "\n" },
    };
    let is_flow = root.style() == Style::Flow && root.as_mapping().is_some_and(|m| !m.is_empty());
    let Some((index, entry)) = page.entry(key) else {
        if is_flow {
            let list = format!("{key}: [{}]", entries.join(", "));
            return page.add_to_group(root, source, &[list]);
        }
        return Ok(page.append_list(key, entries));
    };
    let place = |node: &Node| (node.mark().line, node.mark().column);
    if !entry.value.is_null() && place(&entry.value) < place(&entry.key) {
        return Err(cannot(source, &format!("{key} is an alias"), &entry.key));
    }
    match (&entry.value, entry.value.as_sequence()) {
        (value, Some(_)) if is_flow => page.add_to_group(value, source, entries),
        (value, _) if is_flow => Err(cannot(source, &format!("{key} is no list"), value)),
        (value, _) if value.is_null() => Ok(page.after_key(index, entries)),
        (value, Some([])) if value.style() == Style::Flow => {
            page.open_empty(index, source, entries)
        }
        (value, Some(_)) if value.style() == Style::Flow => {
            page.add_to_group(value, source, entries)
        }
        (_, Some(_)) => Ok(page.after_last(index, entries)),
        (value, None) => Err(cannot(source, &format!("{key} is no list"), value)),
    }
}

fn cannot(source: &Source, phrase: &str, node: &Node) -> Diagnostic {
    let mark = node.mark();
    Diagnostic::new(
        Code::OverlayRoot,
        format!("{phrase}, so nothing can be added to it"),
    )
    .at(source.place(mark.line, mark.column))
    .help("write one entry a line")
}

struct TextEditor<'a> {
    text: &'a str,
    lines: Vec<&'a str>,
    root: &'a Node,
    end: &'static str,
}

impl TextEditor<'_> {
    fn entries(&self) -> &[Entry] {
        self.root.as_mapping().map_or(&[], |m| m.entries())
    }

    fn entry(&self, key: &str) -> Option<(usize, &Entry)> {
        let entries = self.entries();
        let index = entries
            .iter()
            .position(|e| e.key.scalar_text() == Some(key))?;
        Some((index, &entries[index]))
    }

    /// The index of the line on which a top-level key stands.
    fn key_line(&self, index: usize) -> usize {
        (self.entries()[index].key.mark().line as usize).saturating_sub(1)
    }

    /// The line after the last one that belongs to a top-level key, with the comments and blanks that follow.
    fn limit(&self, index: usize) -> usize {
        if index + 1 < self.entries().len() {
            return self.key_line(index + 1);
        }
        let start = self.key_line(index) + 1;
        let ends = |line: &&str| line.starts_with("---") || line.starts_with("...");
        let after = self.lines.iter().skip(start).position(ends);
        after.map_or(self.lines.len(), |n| start + n)
    }

    /// The blanks before the dashes of a list.
    fn dash_indent(&self, index: usize) -> Option<usize> {
        let value = &self.entries()[index].value;
        let is_block = value.style() != Style::Flow;
        let items = value.as_sequence().filter(|s| is_block && !s.is_empty())?;
        let line = self.lines.get((value.mark().line.max(1) - 1) as usize)?;
        let at = line.find('-').filter(|at| line[..*at].trim().is_empty());
        // The mark of the first item gives the line of its dash where that of the list does not.
        at.or_else(|| {
            let line = self.lines.get((items[0].mark().line.max(1) - 1) as usize)?;
            line.find('-').filter(|at| line[..*at].trim().is_empty())
        })
    }

    /// As other lists of the file are indented; two blanks where there is none.
    fn usual_indent(&self) -> usize {
        let indents = (0..self.entries().len()).find_map(|i| self.dash_indent(i));
        indents.unwrap_or(2)
    }

    fn written(&self, indent: usize, entries: &[String]) -> String {
        let blanks = " ".repeat(indent);
        entries
            .iter()
            .map(|e| format!("{blanks}- {e}{}", self.end))
            .collect()
    }

    /// The text with something put before a line.
    fn insert(&self, line: usize, new: &str) -> String {
        let mut text: String = self.lines[..line].concat();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push_str(self.end);
        }
        text.push_str(new);
        text.extend(self.lines[line..].iter().copied());
        text
    }

    fn append_list(&self, key: &str, entries: &[String]) -> String {
        let list = format!(
            "{key}:{}{}",
            self.end,
            self.written(self.usual_indent(), entries)
        );
        if self.entries().is_empty() {
            // Nothing but comments, or the empty mapping `{}`.
            let kept: String = self
                .lines
                .iter()
                .filter(|l| l.trim() != "{}")
                .copied()
                .collect();
            let newline = if kept.is_empty() || kept.ends_with('\n') {
                ""
            } else {
                self.end
            };
            return format!("{kept}{newline}{list}");
        }
        let last = self.entries().len() - 1;
        self.insert(self.content_end(last, usize::MAX), &list)
    }

    fn after_key(&self, index: usize, entries: &[String]) -> String {
        self.insert(
            self.key_line(index) + 1,
            &self.written(self.usual_indent(), entries),
        )
    }

    fn after_last(&self, index: usize, entries: &[String]) -> String {
        let indent = self.dash_indent(index).unwrap_or(2);
        self.insert(
            self.content_end(index, indent),
            &self.written(indent, entries),
        )
    }

    /// The line after the last content of a key: blanks and comments behind it belong to what follows.
    ///
    /// A comment that is indented more than the dashes may be a line of a block scalar, and ends the search;
    /// and so does a blank line where a block scalar keeps its last ones (`|+`).
    fn content_end(&self, index: usize, indent: usize) -> usize {
        let (start, mut end) = (self.key_line(index) + 1, self.limit(index));
        let keeps_blanks = self.lines[start.min(end)..end].iter().any(|l| {
            let line = l.trim_end();
            line.ends_with("|+") || line.ends_with(">+")
        });
        let is_trailer = |line: &str| {
            let content = line.trim();
            let depth = line.len() - line.trim_start().len();
            content.is_empty() && !keeps_blanks || content.starts_with('#') && depth <= indent
        };
        while end > start && is_trailer(self.lines[end - 1]) {
            end -= 1;
        }
        end
    }

    /// Turns `key: []` into a list of its own lines.
    fn open_empty(&self, index: usize, source: &Source, entries: &[String]) -> Result<String> {
        let line = self.key_line(index);
        let text = self.lines[line];
        let (Some(open), Some(close)) = (text.find('['), text.find(']')) else {
            return self.add_to_group(&self.entries()[index].value, source, entries);
        };
        let bare = format!("{}{}", text[..open].trim_end(), &text[close + 1..]);
        let bare = if bare.ends_with('\n') {
            bare
        } else {
            format!("{bare}{}", self.end)
        };
        let mut out: String = self.lines[..line].concat();
        out.push_str(&bare);
        out.push_str(&self.written(self.usual_indent(), entries));
        out.extend(self.lines[line + 1..].iter().copied());
        Ok(out)
    }

    /// Adds to what is written as `[a, b]` or `{a: b}`: on the same line, or on lines of their own where the
    /// entries have such.
    fn add_to_group(&self, group: &Node, source: &Source, entries: &[String]) -> Result<String> {
        let mark = group.mark();
        let line = (mark.line.max(1) - 1) as usize;
        let start: usize = self.lines[..line].iter().map(|l| l.len()).sum();
        let column = (mark.column.max(1) - 1) as usize;
        let at = self.text[start..].char_indices().nth(column);
        let open = at.map(|(at, _)| start + at);
        let ends = open.and_then(|open| ends_of(self.text, open));
        let (Some(open), Some((content, close))) = (open, ends) else {
            return Err(cannot(source, "the list has no end", group));
        };
        let (before, after) = self.text.split_at(content);
        let has_comma = before.ends_with([',', '[', '{']);
        let comma = if has_comma { "" } else { "," };
        if !self.text[open..content].contains('\n') || !self.text[content..close].contains('\n') {
            let blank = if before.ends_with(['[', '{']) {
                ""
            } else {
                " "
            };
            return Ok(format!(
                "{before}{comma}{blank}{}{after}",
                entries.join(", ")
            ));
        }
        let last = before.rfind('\n').map_or(0, |at| at + 1);
        let depth = before[last..].len() - before[last..].trim_start().len();
        let (rest, after) = after.split_at(after.find('\n').unwrap_or(after.len()));
        let rest = rest.trim_end_matches('\r');
        let tail = if before.ends_with(',') { "," } else { "" };
        let new = entries.iter().map(|e| format!("{}{e}", " ".repeat(depth)));
        let new = new.collect::<Vec<_>>().join(&format!(",{}", self.end));
        let end = self.end;
        let after = after.trim_start_matches('\n');
        Ok(format!("{before}{comma}{rest}{end}{new}{tail}{end}{after}"))
    }
}

/// Where the content of a group ends, and where its last bracket is: texts in quotes and comments left aside.
fn ends_of(text: &str, open: usize) -> Option<(usize, usize)> {
    let (mut depth, mut content) = (0_usize, open);
    let mut quote = None;
    let mut is_comment = false;
    let mut before = '\n';
    for (index, c) in text[open..].char_indices() {
        let (at, end) = (open + index, open + index + c.len_utf8());
        match (quote, c) {
            (_, '\n') if is_comment => is_comment = false,
            _ if is_comment => {}
            (Some(q), c) => {
                let is_end = c == q && !(q == '"' && before == '\\');
                quote = quote.filter(|_| !is_end);
                content = end;
            }
            (None, '#') if before.is_whitespace() => is_comment = true,
            (None, '"' | '\'') if before.is_whitespace() || "[{,:".contains(before) => {
                quote = Some(c);
                content = end;
            }
            (None, '[' | '{') => {
                depth += 1;
                content = end;
            }
            (None, ']' | '}') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some((content, at));
                }
                content = end;
            }
            (None, c) if c.is_whitespace() => {}
            (None, _) => content = end,
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::add_to_list;
    use crate::diagnostic::Source;

    fn add(text: &str, key: &str) -> String {
        let source = Source::committed("kustomization.yaml");
        add_to_list(text, &source, key, &["new.yaml".to_owned()]).expect("it can be added to")
    }

    #[test]
    fn a_block_list_keeps_comments_and_indent() {
        let text = "# head\nresources:\n- a.yaml # first\n# between\n- b.yaml\n\n# of patches\npatches: []\n";
        let wanted = "# head\nresources:\n- a.yaml # first\n# between\n- b.yaml\n- new.yaml\n\n# of patches\npatches: []\n";
        assert_eq!(add(text, "resources"), wanted);
    }

    #[test]
    fn a_missing_list_is_made_as_the_others_are_indented() {
        assert_eq!(
            add("resources:\n    - a.yaml", "patches"),
            "resources:\n    - a.yaml\npatches:\n    - new.yaml\n"
        );
        assert_eq!(add("", "resources"), "resources:\n  - new.yaml\n");
        assert_eq!(
            add("# only this\n", "resources"),
            "# only this\nresources:\n  - new.yaml\n"
        );
    }

    #[test]
    fn flow_lists_stay_on_their_line() {
        assert_eq!(
            add("resources: [a.yaml, b.yaml] # two\n", "resources"),
            "resources: [a.yaml, b.yaml, new.yaml] # two\n"
        );
        assert_eq!(
            add("resources: [\n  a.yaml,\n]\n", "resources"),
            "resources: [\n  a.yaml,\n  new.yaml,\n]\n"
        );
        assert_eq!(
            add(
                "resources: [\n  a.yaml, # ]\n  \"b]\" # last\n  # end\n]\n",
                "resources"
            ),
            "resources: [\n  a.yaml, # ]\n  \"b]\", # last\n  new.yaml\n  # end\n]\n"
        );
        assert_eq!(
            add("resources: []\nx: y\n", "resources"),
            "resources:\n  - new.yaml\nx: y\n"
        );
        assert_eq!(
            add("resources:\nx: y\n", "resources"),
            "resources:\n  - new.yaml\nx: y\n"
        );
    }

    #[test]
    fn a_file_in_braces_stays_so() {
        assert_eq!(
            add("{resources: [a.yaml], x: y}\n", "resources"),
            "{resources: [a.yaml, new.yaml], x: y}\n"
        );
        assert_eq!(
            add("{\r\n  \"x\": 'y',\r\n}\r\n", "patches"),
            "{\r\n  \"x\": 'y',\r\n  patches: [new.yaml],\r\n}\r\n"
        );
        assert_eq!(
            add(
                "{\n  \"resources\": [\n    \"a.yaml\"\n  ]\n}\n",
                "resources"
            ),
            "{\n  \"resources\": [\n    \"a.yaml\",\n    new.yaml\n  ]\n}\n"
        );
    }

    #[test]
    fn block_scalars_are_not_cut() {
        let text =
            "patches:\n  - patch: |\n      a: b\n      # not a comment\n  # a comment\nx: y\n";
        let wanted = "patches:\n  - patch: |\n      a: b\n      # not a comment\n  - new.yaml\n  # a comment\nx: y\n";
        assert_eq!(add(text, "patches"), wanted);
    }

    #[test]
    fn line_ends_are_kept() {
        assert_eq!(
            add("resources:\r\n- a\r\n", "resources"),
            "resources:\r\n- a\r\n- new.yaml\r\n"
        );
        assert_eq!(
            add("resources:\n- a\n---\n", "resources"),
            "resources:\n- a\n- new.yaml\n---\n"
        );
    }
}
