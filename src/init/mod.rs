//! A first project file: what a repository renders, looked at once, and each fact written down.
//!
//! A tree of templates is read as what it renders to, so a repository that commits no rendered manifest is
//! looked at like any other. [`init`] is the way in.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Origin, Report, Result};
use crate::files::{Files, Kind, Layer, TreePath};
use crate::kube::{ResMap, Scope};
use crate::kustomize;
use crate::overlay::{Surveyed, builtin_sets, survey};
use crate::substitute::{self, Strictness, Variables};
use crate::template::makejinja::profile_of;
use crate::yaml::Node;

use crate::cluster::roots::find_roots;
use crate::generators::Outside;
use crate::kustomize::kustomization_path;
use crate::kustomize::{LoadRestriction, Options};
use crate::pipeline::{Adjustments, adjusted};
use crate::project::Session;
use crate::project::{DEFAULT_PROFILE, Project};
use crate::secrets::Opener;
use crate::secrets::made::config as sops_config;
use crate::values::Overrides;

/// Where identities of local use lie beside a project file.
pub const IDENTITIES: [&str; 2] = ["age.key", "keys.txt"];

/// Looks once at everything that a tree renders, and writes a project file for it.
///
/// Roots that do not build are told as warnings, and left out. So are templates whose values cannot be read;
/// then what is committed is looked at.
pub fn init(
    files: &Arc<dyn Files>,
    directory: &TreePath,
    opener: &Arc<Opener>,
) -> Result<(String, Report)> {
    let mut report = Report::default();
    let overrides = Overrides::default();
    let project = project(files, directory)?;
    let session = match Session::of(Arc::clone(files), project, &overrides, opener) {
        Ok(session) => Some(session),
        Err(error) => {
            let phrase = format!("the templates are not looked at: {}", error.phrase());
            let finding = Diagnostic::warning(error.code(), phrase).at(error.place().cloned());
            let help = "run it where the values are and an identity opens them, to have each fact written down";
            report.push(finding.help(help));
            None
        }
    };
    let read = session.as_ref().map_or(files, Session::files);
    let templates = session.as_ref().map(Session::template_directories);
    let templates = templates.unwrap_or_default();
    let roots = roots(read, directory, &templates, &mut report)?;
    let surveyed: Vec<_> = roots
        .iter()
        .map(|root| Surveyed {
            directory: &root.directory,
            built: &root.built,
            namespace: root.namespace.as_deref(),
        })
        .collect();
    let sets = builtin_sets()?;
    let set = sets.first().expect("there is a built-in set");
    let set_by_values = |name: &str| {
        let Some(session) = &session else {
            return Some("comes from the values, which are not read here".to_owned());
        };
        session.values().get(name)?;
        let origin = session.values().origin(name)?;
        Some(format!("is set at {}", origin.place))
    };
    let mut text = String::from("apiVersion: prerender.dev/v1alpha1\nkind: Prerender\n");
    text.push_str(&sources(files, directory)?);
    text.push_str(&plaintext(read, &roots, &mut report)?);
    text.push_str(&survey(set, &surveyed, &set_by_values)?);
    Ok((text, report))
}

/// The project that is there, or the one that a `makejinja.toml` beside the new file would make.
fn project(files: &dyn Files, directory: &TreePath) -> Result<Option<Project>> {
    let found = Project::find(files, directory)?;
    let config = directory.join("makejinja.toml");
    let config = config.filter(|c| matches!(files.kind(c), Ok(Some(Kind::File))));
    Ok(found.or_else(|| config.map(Project::of_makejinja)))
}

/// What the project file says of values, templates and identities.
fn sources(files: &dyn Files, directory: &TreePath) -> Result<String> {
    let mut out = String::new();
    let beside = |name: &str| {
        let path = directory.join(name).expect("a name stays in its directory");
        Ok::<_, Diagnostic>((files.kind(&path)? == Some(Kind::File)).then_some(path))
    };
    if let Some(path) = beside("makejinja.toml")? {
        let config = crate::template::makejinja::Config::read(files, &path)?;
        // Writing to a String does not fail.
        out.push_str("values:\n");
        for data in &config.data {
            let _ = writeln!(out, "  - {}", data.relative_to(directory));
        }
        if config.data.is_empty() {
            out.truncate(out.len() - "values:\n".len());
        }
        if let Some((loader, place)) = config.loaders.first() {
            let profile = profile_of(loader).unwrap_or(DEFAULT_PROFILE);
            let _ = writeln!(
                out,
                "profile: {profile}  # for the Python loader {loader}, {place}"
            );
        }
        out.push_str("templates:\n  makejinja: makejinja.toml\n");
    }
    for name in IDENTITIES {
        if beside(name)?.is_some() {
            let _ = writeln!(
                out,
                "decryption:\n  identities: [{name}]  # for local use; hosts have their own"
            );
            break;
        }
    }
    Ok(out)
}

/// What the project file says of Secrets that templates make in files that no rule of `.sops.yaml` seals.
///
/// They are in Git as plaintext today; `expand` writes no plaintext that is not listed.
fn plaintext(files: &dyn Files, roots: &[Seen], report: &mut Report) -> Result<String> {
    let mut out = String::new();
    for resource in roots.iter().flat_map(|root| &root.built) {
        let Some(source) = resource
            .source()
            .filter(|_| resource.gvk().is("", "Secret"))
        else {
            continue;
        };
        let path = TreePath::parse(&source.path).filter(|_| {
            let is_made = matches!(source.origin, Origin::Rendered { .. });
            is_made && !source.path.contains(".sops.")
        });
        let Some(path) = path.filter(|path| !is_sealable(files, path)) else {
            continue;
        };
        let listed = format!("      - {}  # no rule of .sops.yaml", resource.id());
        if out.contains(&listed) {
            continue;
        }
        let _ = writeln!(
            out,
            "{listed} seals {path}: `expand` writes it as plaintext"
        );
        let phrase = format!("no rule of .sops.yaml seals {}", resource.id());
        report.push(
            Diagnostic::warning(Code::SopsNoRule, phrase)
                .at(resource.place())
                .note("it is listed in checks.plaintext.allow, and goes to Git as plaintext")
                .help("make it by a template of its own, NAME.sops.yaml.j2, and take it from the list"),
        );
    }
    Ok(match out.is_empty() {
        true => out,
        false => format!("checks:\n  plaintext:\n    allow:\n{out}"),
    })
}

/// Whether a file has a creation rule, or there are no rules at all: then it is not known what they will say.
fn is_sealable(files: &dyn Files, path: &TreePath) -> bool {
    let Ok(Some((config, directory))) = sops_config(files, path) else {
        return true;
    };
    let within = TreePath::parse(&directory).map(|directory| path.relative_to(&directory));
    let rule = config.rule_for(within.as_deref().unwrap_or(path.as_str()));
    !config.has_rules() || !rule.is_err_and(|error| error.code() == Code::SopsNoRule)
}

/// A root, what it builds to, and the namespace that Flux moves that to.
struct Seen {
    directory: TreePath,
    built: ResMap,
    namespace: Option<String>,
}

/// A root, and what a Flux Kustomization says of it.
struct Applied {
    directory: TreePath,
    adjustments: Adjustments,
    variables: Variables,
}

/// Every root of a tree, and what it builds to as Flux would apply it.
fn roots(
    files: &Arc<dyn Files>,
    directory: &TreePath,
    templates: &[TreePath],
    report: &mut Report,
) -> Result<Vec<Seen>> {
    let mut roots = Vec::new();
    let tell = |directory: &TreePath, error: Diagnostic| {
        report.push(left_out(directory, &error));
        Ok(())
    };
    for directory in find_roots(files, directory, templates, tell)? {
        if let Some(built) = built(files, &directory, &Adjustments::default(), report) {
            roots.push(Seen {
                directory,
                built,
                namespace: None,
            });
        }
    }
    for applied in applied(&roots) {
        let mut findings = Report::default();
        let directory = &applied.directory;
        let Some(mut built) = built(files, directory, &applied.adjustments, &mut findings) else {
            let known: Vec<_> = report
                .findings
                .iter()
                .map(|f| f.phrase().to_owned())
                .collect();
            let new = findings.findings.into_iter();
            report
                .findings
                .extend(new.filter(|f| !known.iter().any(|k| k == f.phrase())));
            continue;
        };
        let namespace = applied.adjustments.namespace;
        if let Some(namespace) = &namespace {
            move_to(&mut built, namespace);
        }
        fill(&mut built, &applied.variables);
        roots.retain(|root| root.directory != *directory);
        roots.push(Seen {
            directory: applied.directory,
            built,
            namespace,
        });
    }
    Ok(roots)
}

/// Builds a root; a warning where it does not.
fn built(
    files: &Arc<dyn Files>,
    directory: &TreePath,
    adjustments: &Adjustments,
    report: &mut Report,
) -> Option<ResMap> {
    // A Flux Kustomization may name every file below the boundary.
    let options = Options {
        load_restriction: LoadRestriction::None,
        ..Options::default()
    };
    let outside = Outside::default();
    let build = |files: &dyn Files| kustomize::build(files, directory, &options, &outside);
    let given = match kustomization_path(files, directory) {
        Ok(Some(root)) if !adjustments.is_empty() => files
            .read(&root)
            .and_then(|file| adjusted(file.as_ref(), adjustments))
            .and_then(|set| build(&Layer::new(Arc::clone(files), [set]))),
        _ => build(files),
    };
    match given {
        Ok(built) => Some(built.resources),
        Err(error) => {
            report.push(left_out(directory, &error));
            None
        }
    }
}

/// The warning about a root that does not build.
fn left_out(directory: &TreePath, error: &Diagnostic) -> Diagnostic {
    let why = error.phrase();
    let phrase = format!("{directory} does not build, and is not looked at: {why}");
    Diagnostic::warning(error.code(), phrase).at(error.place().cloned())
}

/// What the Flux Kustomizations among the built objects say of their paths.
fn applied(roots: &[Seen]) -> Vec<Applied> {
    let mut all: Vec<Applied> = Vec::new();
    for resource in roots.iter().flat_map(|root| &root.built) {
        if !resource
            .gvk()
            .is("kustomize.toolkit.fluxcd.io", "Kustomization")
        {
            continue;
        }
        let spec = |keys: &[&str]| {
            let path: Vec<&str> = std::iter::once("spec")
                .chain(keys.iter().copied())
                .collect();
            resource.node().lookup(&path)
        };
        let text = |key| spec(&[key]).and_then(Node::as_str);
        let Some(directory) = text("path").and_then(TreePath::parse) else {
            continue;
        };
        let components = spec(&["components"])
            .and_then(Node::as_sequence)
            .unwrap_or_default();
        let mut variables = Variables::of(resource.id().to_string(), resource.place());
        let set = spec(&["postBuild", "substitute"]).and_then(Node::as_mapping);
        for (name, value) in set.into_iter().flat_map(|m| m.iter()) {
            variables.insert_unchecked(name, value.scalar_text().unwrap_or_default());
        }
        let adjustments = Adjustments {
            namespace: text("targetNamespace").map(str::to_owned),
            components: components
                .iter()
                .filter_map(Node::as_str)
                .map(str::to_owned)
                .collect(),
            ..Adjustments::default()
        };
        let is_known = roots.iter().any(|root| root.directory == directory);
        let says = !adjustments.is_empty() || !variables.is_empty() || !is_known;
        if says && !all.iter().any(|a| a.directory == directory) {
            all.push(Applied {
                directory,
                adjustments,
                variables,
            });
        }
    }
    all
}

/// Fills the variables that a Flux Kustomization sets itself; a text with any other stays as it is.
fn fill(built: &mut ResMap, variables: &Variables) {
    fn walk(node: &mut Node, variables: &Variables) {
        let filled = node.as_str().filter(|t| t.contains("${")).and_then(|text| {
            let filled = substitute::expand(text, variables, Strictness::Strict).ok()?;
            String::from_utf8(filled).ok()
        });
        if let Some(text) = filled {
            *node = Node::string(text).with_mark(node.mark());
        } else if let Some(items) = node.as_sequence_mut() {
            items.iter_mut().for_each(|n| walk(n, variables));
        } else if let Some(mapping) = node.as_mapping_mut() {
            let values = mapping.entries_mut().iter_mut();
            values.for_each(|entry| walk(&mut entry.value, variables));
        }
    }
    if !variables.is_empty() {
        for resource in built.iter_mut() {
            resource.change(|node| walk(node, variables));
        }
    }
}

/// Gives objects without a namespace the one that a Flux Kustomization sets.
fn move_to(built: &mut ResMap, namespace: &str) {
    for resource in built.iter_mut().filter(|r| r.scope() == Scope::Namespaced) {
        resource.change(|node| {
            if let Some(metadata) = node.get_mut("metadata").and_then(Node::as_mapping_mut) {
                metadata.insert("namespace", Node::string(namespace));
            }
        });
    }
}
