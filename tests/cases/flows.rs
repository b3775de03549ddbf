//! Runs the rows of `testdata/flows/cases/`: hand-worked flows, and what must become of them.
//!
//! A file has `use` (names of files in `objects/`), `objects` (more of them), and `rows`. A row has `flow`
//! (`FROM -> TO PORT/PROTOCOL`), `is`, and perhaps `enforced` (when it differs once policies enforce), `by`
//! (a part of what decides), `need` (the row of the matrix that must ask for it), or `not_needed: true`.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test runner"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use prerender::diagnostic::Source;
use prerender::kube::{ResMap, Resource};
use prerender::validate::flows::{
    Analysis, Assumptions, DecidedBy, FlowVerdict, Mode, Protocol, Verdict, analyse, html, json,
    table,
};
use prerender::yaml::{self, Node, ParseOptions};

type Print = fn(&Analysis) -> String;

/// The tests of this file.
pub(crate) fn trials() -> Vec<Trial> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/flows");
    let mut trials = Vec::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(root.join("cases"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        trials.extend(cases(&root, &file));
    }
    let reports: [(&str, Print); 3] = [
        ("table.txt", table),
        ("flows.json", json),
        ("page.html", |analysis| html(analysis, "kubernetes/apps")),
    ];
    for (name, print) in reports {
        let root = root.clone();
        trials.push(Trial::test(format!("report: {name}"), move || {
            report(&root, name, print)
        }));
    }
    trials
}

/// Prints one analysis and compares it with `reports/NAME`; `BLESS=1` writes it.
fn report(root: &Path, name: &str, print: Print) -> Result<(), Failed> {
    let mut resources = ResMap::default();
    for file in ["cluster", "document-audit"] {
        let path = format!("objects/{file}.yaml");
        for node in documents(&root.join(&path)) {
            let source = Arc::new(Source::committed(path.as_str()));
            resources.push_unchecked(Resource::new(node, Some(source)));
        }
    }
    let given = print(&analyse(&resources, &Assumptions::default()));
    let expected = root.join("reports").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(expected.parent().unwrap())?;
        std::fs::write(&expected, &given)?;
    }
    let wanted = std::fs::read_to_string(&expected)?;
    if wanted == given {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(&wanted, &given);
    Err(diff
        .unified_diff()
        .header("expected", "given")
        .to_string()
        .into())
}

fn documents(path: &Path) -> Vec<Node> {
    let text = std::fs::read_to_string(path).unwrap();
    yaml::parse(&text, ParseOptions::default()).unwrap_or_else(|e| {
        let source = Source::committed(path.display().to_string());
        panic!("{}", e.at(&source))
    })
}

fn list<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    node.get(key)
        .and_then(Node::as_sequence)
        .unwrap_or_default()
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::scalar_text)
}

/// One test for each row of a file.
fn cases(root: &Path, file: &Path) -> Vec<Trial> {
    let mut trials = Vec::new();
    for case in documents(file) {
        let mut resources = ResMap::default();
        let mut add = |node: Node, path: String| {
            let source = Arc::new(Source::committed(path));
            resources.push_unchecked(Resource::new(node, Some(source)));
        };
        for name in list(&case, "use") {
            let name = name.scalar_text().unwrap();
            for node in documents(&root.join(format!("objects/{name}.yaml"))) {
                add(node, format!("objects/{name}.yaml"));
            }
        }
        for node in list(&case, "objects") {
            add(
                node.clone(),
                file.file_name().unwrap().to_str().unwrap().to_owned(),
            );
        }
        let analysis = Arc::new(analyse(&resources, &Assumptions::default()));
        let about = format!(
            "{}: {}",
            file.file_stem().unwrap().display(),
            text(&case, "about").unwrap()
        );
        let rows = list(&case, "rows").to_vec();
        assert!(!rows.is_empty(), "{about} has rows");
        for row in rows {
            let analysis = Arc::clone(&analysis);
            let name = format!("{about}: {}", text(&row, "flow").unwrap());
            trials.push(Trial::test(name, move || check(&analysis, &row)));
        }
    }
    trials
}

fn check(analysis: &Analysis, row: &Node) -> Result<(), Failed> {
    let flow = text(row, "flow").unwrap();
    let (from, rest) = flow
        .split_once(" -> ")
        .ok_or("a flow is FROM -> TO PORT/PROTOCOL")?;
    let (to, port) = rest
        .rsplit_once(' ')
        .ok_or("a flow is FROM -> TO PORT/PROTOCOL")?;
    let (port, protocol) = port.split_once('/').ok_or("a port is PORT/PROTOCOL")?;
    let protocol = match protocol {
        "TCP" => Protocol::Tcp,
        "UDP" => Protocol::Udp,
        other => return Err(format!("{other} is no protocol of a row").into()),
    };
    let port: u16 = port.parse()?;
    let titles: Vec<_> = analysis
        .endpoints
        .iter()
        .map(prerender::validate::flows::Endpoint::title)
        .collect();
    let find = |title: &str| {
        analysis
            .endpoint(title)
            .ok_or(format!("there is no {title}, but {titles:?}"))
    };
    let (source, target) = (find(from)?, find(to)?);
    let wanted = text(row, "is").ok_or("a row says what `is`")?;
    for (mode, wanted) in [
        (Mode::AsWritten, wanted),
        (Mode::AsEnforced, text(row, "enforced").unwrap_or(wanted)),
    ] {
        let verdict = analysis.verdict(source, target, protocol, port, mode);
        let given = describe(&verdict);
        let by = text(row, "by")
            .filter(|_| mode == Mode::AsWritten)
            .unwrap_or_default();
        let grounds = format!("{} / {}", ground(&verdict.egress), ground(&verdict.ingress));
        if given != wanted || !grounds.contains(by) {
            return Err(
                format!("{mode:?}: wanted {wanted} by {by}, given {given} by {grounds}").into(),
            );
        }
    }
    let needed = analysis.needs.iter().find(|n| {
        (n.port, n.protocol) == (port, protocol)
            && std::ptr::eq(&raw const analysis.endpoints[n.from], source)
            && std::ptr::eq(&raw const analysis.endpoints[n.to], target)
    });
    match (text(row, "need"), text(row, "not_needed"), needed) {
        (Some(id), _, Some(need)) if need.id == id => Ok(()),
        (Some(id), _, need) => {
            Err(format!("wanted need {id}, given {:?}", need.map(|n| n.id)).into())
        }
        (None, Some(_), Some(need)) => Err(format!("{} asks for it", need.id).into()),
        _ => Ok(()),
    }
}

fn describe(verdict: &Verdict) -> String {
    let word = |ground: &DecidedBy| match ground {
        DecidedBy::Forbidden(_) => "denied",
        DecidedBy::NameUnknown(..) => "unknown name",
        DecidedBy::Unknown(..) | DecidedBy::Elsewhere(_) => "unknown",
        _ => "dropped",
    };
    match (verdict.egress.passes(), verdict.ingress.passes()) {
        (true, true) if verdict.is_ungoverned() => "open".to_owned(),
        (true, true) => "allowed".to_owned(),
        _ if verdict.fate() == FlowVerdict::Unknown => "unknown".to_owned(),
        (false, true) => format!("{} at egress", word(&verdict.egress)),
        (true, false) => format!("{} at ingress", word(&verdict.ingress)),
        (false, false) => "dropped at both".to_owned(),
    }
}

fn ground(ground: &DecidedBy) -> String {
    match ground {
        DecidedBy::Ungoverned => "open".to_owned(),
        DecidedBy::NoPod => "no pod".to_owned(),
        DecidedBy::Allowed(by) | DecidedBy::Forbidden(by) | DecidedBy::NameUnknown(by, _) => {
            format!("{} {}", by.id, by.rule)
        }
        DecidedBy::DeniedByDefault(by) => format!("{} by default", by.id),
        DecidedBy::Unknown(_, why) => why.clone(),
        DecidedBy::Elsewhere(_) => "elsewhere".to_owned(),
    }
}
