//! Prints findings in the forms that other tools read.

use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Report, Severity};

/// A form of findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people, on standard error
    #[default]
    Text,
    /// A list of objects
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

/// Prints a report for standard output; nothing in the form for people.
pub(crate) fn print(report: &Report, format: Format) -> Vec<u8> {
    match format {
        Format::Text => Vec::new(),
        Format::Json => pretty(&json!(
            report.findings.iter().map(object).collect::<Vec<_>>()
        )),
        Format::Sarif => pretty(&sarif(report)),
        Format::Github => report
            .findings
            .iter()
            .map(annotation)
            .collect::<String>()
            .into_bytes(),
    }
}

/// The findings with the mode by which they were judged: an object with `argocdApply` and `findings`.
pub(crate) fn json_of_apply<M: clap::ValueEnum>(report: &Report, mode: Option<M>) -> Vec<u8> {
    let mode = mode.and_then(|mode| mode.to_possible_value());
    let mode = mode.as_ref().map(clap::builder::PossibleValue::get_name);
    let findings: Vec<Value> = report.findings.iter().map(object).collect();
    pretty(&json!({"argocdApply": mode, "findings": findings}))
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

fn level(finding: &Diagnostic) -> &'static str {
    match finding.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn object(finding: &Diagnostic) -> Value {
    let place = finding.place();
    json!({
        "code": finding.code().name(),
        "severity": level(finding),
        "message": finding.phrase(),
        "file": place.map(|p| &*p.file),
        "line": place.map(|p| p.line).filter(|l| *l > 0),
        "column": place.map(|p| p.column).filter(|c| *c > 0),
        "path": Some(finding.path()).filter(|path| !path.is_empty()),
        "via": finding.trail().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "notes": finding.notes(),
        "help": finding.remedies(),
    })
}

/// The phrase with what explains it and what to do.
fn whole(finding: &Diagnostic) -> String {
    let mut text = finding.phrase().to_owned();
    for more in finding.notes().iter().chain(finding.remedies()) {
        text.push('\n');
        text.push_str(more);
    }
    text
}

fn sarif(report: &Report) -> Value {
    let mut codes: Vec<&str> = report.findings.iter().map(|f| f.code().name()).collect();
    codes.sort_unstable();
    codes.dedup();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "prerender",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": codes.iter().map(|code| json!({"id": code})).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": report.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn result(finding: &Diagnostic) -> Value {
    let mut result = json!({
        "ruleId": finding.code().name(),
        "level": level(finding),
        "message": {"text": whole(finding)},
    });
    if let Some(place) = finding.place() {
        let mut location = json!({"artifactLocation": {"uri": uri(&place.file)}});
        if place.line > 0 {
            location["region"] = json!({"startLine": place.line});
            if place.column > 0 {
                location["region"]["startColumn"] = json!(place.column);
            }
        }
        result["locations"] = json!([{"physicalLocation": location}]);
    }
    result
}

/// A relative path as a URI reference.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

/// `::error file=…,line=…::text`, each part with its own escapes.
fn annotation(finding: &Diagnostic) -> String {
    let text = |s: &str| {
        s.replace('%', "%25")
            .replace('\r', "%0D")
            .replace('\n', "%0A")
    };
    let property = |s: &str| text(s).replace(':', "%3A").replace(',', "%2C");
    let mut properties = Vec::new();
    if let Some(place) = finding.place() {
        properties.push(format!("file={}", property(&place.file)));
        if place.line > 0 {
            properties.push(format!("line={}", place.line));
        }
        if place.column > 0 {
            properties.push(format!("col={}", place.column));
        }
    }
    properties.push(format!("title={}", finding.code().name()));
    format!(
        "::{} {}::{}\n",
        level(finding),
        properties.join(","),
        text(&whole(finding))
    )
}

#[cfg(test)]
mod tests {
    use super::{Format, print};
    use crate::diagnostic::{Code, Diagnostic, Place, Report};

    fn report() -> Report {
        let finding = Diagnostic::warning(Code::MetricDead, "it reads 100%\nof nothing")
            .at(Place::new("a b/c,d.yaml", 3, 7))
            .help("look");
        Report::from(finding)
    }

    #[test]
    fn annotations_escape_what_ends_them() {
        assert_eq!(
            String::from_utf8(print(&report(), Format::Github)).expect("text"),
            "::warning file=a b/c%2Cd.yaml,line=3,col=7,title=metric-dead::it reads 100%25%0Aof nothing%0Alook\n"
        );
    }

    #[test]
    fn sarif_places_are_uris() {
        let printed = String::from_utf8(print(&report(), Format::Sarif)).expect("text");
        let value: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
        let location = &value["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"]["uri"], "a%20b/c%2Cd.yaml");
        assert_eq!(location["region"]["startColumn"], 7);
    }
}
