//! `helmCharts`: the values of a chart, and what helm makes of it.

use std::sync::Arc;

use compact_str::CompactString;

use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::files::{File, TreePath};
use crate::kube::Resource;
use crate::kustomize::decode::resolve_as_yaml_1_1;
use crate::kustomize::documents;
use crate::kustomize::kustomization::{HelmChart, HelmGlobals};
use crate::kustomize::loader::Loader;
use crate::kustomize::{ChartCall, Feature, metadata};
use crate::yaml::{self, DuplicateKeys, Node, ParseOptions, Value};

/// Where charts are, unless `helmGlobals.chartHome` says otherwise.
const CHART_HOME: &str = "charts";

/// Inflates a chart.
pub(crate) fn inflate(
    chart: &HelmChart,
    globals: &HelmGlobals,
    loader: &Loader<'_>,
    source: &Arc<Source>,
) -> Result<Vec<Resource>> {
    let place = source.place(chart.mark.line, chart.mark.column);
    if chart.name.is_empty() {
        return Err(Diagnostic::new(Code::FieldMissing, "the chart has no name").at(place));
    }
    check_words(chart).map_err(|error| error.at(place.clone()))?;
    let home = chart_home(chart, globals);
    let path = format!("{home}/{}", chart.name);
    let call = ChartCall {
        files: loader.files(),
        chart: loader.directory_at(&path),
        directory: loader.directory(),
        config_home: globals.config_home.to_string(),
        name: chart.name.to_string(),
        version: chart.version.to_string(),
        repository: chart.repo.to_string(),
        is_devel: chart.devel,
        arguments: arguments(chart),
        api_versions: chart.api_versions.iter().map(ToString::to_string).collect(),
        kube_version: chart.kube_version.to_string(),
        is_debug: chart.debug,
    };
    let at = |error: Diagnostic| error.or_at(place.clone());
    let at_hand = loader.world().generators.chart(&call).map_err(at)?;
    let base = if !chart.values_file.is_empty() {
        let mark = chart.values_file.mark;
        let at = source.place(mark.line, mark.column);
        loader
            .read(&chart.values_file)
            .map_err(|error| error.or_at(at))?
    } else if call.chart.is_some() {
        loader.read(&format!("{path}/values.yaml")).map_err(at)?
    } else {
        let name = format!("(values of chart {})", chart.name);
        Arc::new(File {
            path: TreePath::root(),
            bytes: at_hand.values().map_err(at)?.into(),
            source: Arc::new(Source::committed(name)),
        })
    };
    let values = values(chart, &base, loader, source, &place)?;
    let text = at_hand.inflate(&values).map_err(at)?;
    let mut made = parse(&text, chart, &place)?;
    if loader.world().options.level().has(Feature::HelmNamespace) {
        for resource in &mut made {
            resource.change(metadata::mark_from_helm);
        }
    }
    Ok(made)
}

/// Refuses what helm would take for a flag, which can start programs, and a name that climbs.
fn check_words(chart: &HelmChart) -> Result<()> {
    let invalid = |phrase: String| Diagnostic::new(Code::KustomizationInvalid, phrase);
    for (what, word) in [("name", &chart.name), ("releaseName", &chart.release_name)] {
        if word.starts_with('-') {
            return Err(invalid(format!(
                "{what} of the chart begins with a dash: {word}"
            )));
        }
    }
    match chart.name.split('/').any(|part| part == "..") {
        true => Err(
            invalid(format!("the name of the chart climbs: {}", chart.name))
                .help("say where charts are with chartHome of helmGlobals"),
        ),
        false => Ok(()),
    }
}

fn chart_home(chart: &HelmChart, globals: &HelmGlobals) -> String {
    let home = match &*globals.chart_home {
        "" => CHART_HOME,
        home => home,
    };
    if chart.version.is_empty() || chart.repo.is_empty() {
        home.to_owned()
    } else {
        format!(
            "{}/{}-{}",
            home.trim_end_matches('/'),
            chart.name,
            chart.version
        )
    }
}

/// What helm is told after the chart, in the order of the reference.
fn arguments(chart: &HelmChart) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut add = |flag: &str, value: &str| {
        if !value.is_empty() {
            arguments.extend([flag.to_owned(), value.to_owned()]);
        }
    };
    add("--namespace", &chart.namespace);
    add("--name-template", &chart.name_template);
    for (is_set, flag) in [
        (chart.include_crds, "--include-crds"),
        (chart.skip_tests, "--skip-tests"),
        (chart.skip_hooks, "--no-hooks"),
        (chart.devel, "--devel"),
    ] {
        if is_set {
            arguments.push(flag.to_owned());
        }
    }
    match &*chart.release_name {
        "" => arguments.insert(0, "--generate-name".to_owned()),
        name => arguments.insert(0, name.to_owned()),
    }
    arguments
}

/// The values that helm reads, as one text.
fn values(
    chart: &HelmChart,
    base: &File,
    loader: &Loader<'_>,
    source: &Source,
    place: &Place,
) -> Result<Vec<u8>> {
    check_merge(&chart.values_merge, place)?;
    let inline = chart.values_inline.as_ref().map(|raw| &raw.0);
    let inline = inline.filter(|node| node.as_mapping().is_some_and(|m| !m.is_empty()));
    let first = match inline {
        None => base.bytes.to_vec(),
        Some(inline) => merged_inline(inline, base, &chart.values_merge, place)?,
    };
    if chart.additional_values_files.is_empty() {
        return Ok(first);
    }
    let mut all = parse_as_helm(&first, &base.source)?;
    for path in &chart.additional_values_files {
        let at = source.place(path.mark.line, path.mark.column);
        let file = loader.read(path).map_err(|error| error.or_at(at))?;
        lay_over(&mut all, parse_as_helm(&file.bytes, &file.source)?);
    }
    write(&all, place)
}

fn check_merge(values_merge: &CompactString, place: &Place) -> Result<()> {
    if matches!(&**values_merge, "" | "merge" | "override" | "replace") {
        return Ok(());
    }
    let phrase = format!("valuesMerge cannot be {values_merge}");
    Err(Diagnostic::new(Code::KustomizationInvalid, phrase)
        .at(place.clone())
        .help("it is merge, override or replace"))
}

/// `valuesInline` over the values, under them, or instead of them.
fn merged_inline(
    inline: &Node,
    base: &File,
    values_merge: &CompactString,
    place: &Place,
) -> Result<Vec<u8>> {
    if values_merge == "replace" {
        return write(inline, place);
    }
    let text = documents::text_of(base)?;
    let node =
        yaml::parse_first(text, ParseOptions::default()).map_err(|error| error.at(&base.source))?;
    let values = node.unwrap_or_else(Node::null);
    let (mut under, over) = if values_merge == "merge" {
        (inline.clone(), values)
    } else {
        (values, inline.clone())
    };
    merge(&mut under, over)
        .map_err(|phrase| Diagnostic::new(Code::FieldType, phrase).at(place.clone()))?;
    write(&under, place)
}

/// Merges as kustomize merges what no schema speaks of: mappings deeply, null takes away, the rest is
/// replaced.
fn merge(under: &mut Node, over: Node) -> std::result::Result<(), &'static str> {
    if under.is_null() {
        *under = over;
        return Ok(());
    }
    match (under.as_mapping_mut(), over.into_value()) {
        (Some(below), Value::Mapping(above)) => {
            for entry in above.into_entries() {
                let key = entry.key.scalar_text().unwrap_or_default();
                match below.get_mut(key) {
                    _ if entry.value.is_null() => {
                        below.remove(key);
                    }
                    Some(slot)
                        if slot.as_mapping().is_some() && entry.value.as_mapping().is_some() =>
                    {
                        merge(slot, entry.value)?;
                    }
                    Some(slot) if same_sort(slot, &entry.value) => *slot = entry.value,
                    Some(_) => {
                        return Err(
                            "valuesInline and the values of the chart hold different types",
                        );
                    }
                    None => {
                        below.insert(key, entry.value);
                    }
                }
            }
            Ok(())
        }
        _ => Err("the values of a chart must be a mapping"),
    }
}

fn same_sort(a: &Node, b: &Node) -> bool {
    a.is_null() || std::mem::discriminant(a.value()) == std::mem::discriminant(b.value())
}

/// Lays values over others as helm does: mappings deeply, null stays.
fn lay_over(under: &mut Node, over: Node) {
    match (under.as_mapping_mut(), over) {
        (Some(below), over) if over.as_mapping().is_some() => {
            let Value::Mapping(above) = over.into_value() else {
                return;
            };
            for entry in above.into_entries() {
                let key = entry.key.scalar_text().unwrap_or_default();
                match below.get_mut(key) {
                    Some(slot) => lay_over(slot, entry.value),
                    None => {
                        below.insert(key, entry.value);
                    }
                }
            }
        }
        (_, over) => *under = over,
    }
}

/// Reads values as helm does, with the booleans of YAML 1.1.
fn parse_as_helm(bytes: &[u8], source: &Source) -> Result<Node> {
    let text = String::from_utf8_lossy(bytes);
    let options = ParseOptions {
        duplicate_keys: DuplicateKeys::LastWins,
        ..ParseOptions::default()
    };
    let node = yaml::parse_first(&text, options).map_err(|error| error.at(source))?;
    let mut node = node.filter(|n| !n.is_null()).unwrap_or_else(Node::mapping);
    resolve_as_yaml_1_1(&mut node);
    Ok(node)
}

fn write(node: &Node, place: &Place) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    yaml::write_manifest(&mut text, node).map_err(|error| {
        Diagnostic::new(Code::YamlValue, error.kind.to_string()).at(place.clone())
    })?;
    Ok(text)
}

/// Reads what helm printed; where it said something before the first document, without that.
fn parse(text: &[u8], chart: &HelmChart, place: &Place) -> Result<Vec<Resource>> {
    let source = Arc::new(Source::committed(format!("(chart {})", chart.name)));
    let text = std::str::from_utf8(text).map_err(|_| {
        Diagnostic::new(Code::PluginInvalid, "helm printed what is not UTF-8").at(place.clone())
    })?;
    let result = documents::read_text(text, &source, 1);
    let result = match (result, text.split_once("\n---\n")) {
        (Err(_), Some((_, rest))) => documents::read_text(rest, &source, 1),
        (result, _) => result,
    };
    result.map_err(|error| error.via(place.clone()))
}
