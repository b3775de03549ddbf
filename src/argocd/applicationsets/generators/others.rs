//! Generators that ask an API: repositories of a forge, pull requests, plugins. What it would answer is given.
//!
//! Follows applicationset/generators/scm_provider.go, pull_request.go and plugin.go, and the filters of
//! applicationset/services. Cases: `scm-*`, `pr-*`, `plugin-*`.

use std::rc::Rc;

use regex::Regex;
use serde_json::Value as Json;

use super::{Context, git, items, text};
use crate::argocd::applicationsets::Failure;
use crate::argocd::applicationsets::names;
use crate::argocd::applicationsets::params::{self, Params};
use crate::argocd::wire::object;
use crate::go::template::{Object, Value};
use crate::go::{regexp, slug};

/// Which fields of a provider say whose repositories are listed, and which repository.
const PROVIDERS: &[(&str, &[&str], &[&str])] = &[
    ("github", &["organization", "owner"], &["repo"]),
    ("gitlab", &["group"], &["project"]),
    ("gitea", &["owner"], &["repo"]),
    ("bitbucketServer", &["project"], &["repo"]),
    ("bitbucket", &["owner"], &["repo"]),
    ("azureDevOps", &["organization"], &["repo"]),
    ("azuredevops", &["organization"], &["repo"]),
    ("awsCodeCommit", &[], &[]),
];

/// The provider that a generator names: its kind, owner and repository.
fn provider(generator: &Json) -> Option<(&'static str, &str, &str)> {
    let found = PROVIDERS
        .iter()
        .find(|(kind, ..)| generator.get(*kind).is_some_and(|v| !v.is_null()))?;
    let (kind, owners, repositories) = found;
    let own = generator.get(*kind)?;
    let first = |keys: &[&str]| {
        keys.iter()
            .map(|key| text(own, key))
            .find(|t| !t.is_empty())
            .unwrap_or_default()
    };
    Some((kind, first(owners), first(repositories)))
}

fn is_answer_of(answer: &Json, kind: &str, owner: &str) -> bool {
    let provider = text(answer, "provider");
    let is_kind = provider.is_empty() || provider.eq_ignore_ascii_case(kind);
    is_kind && (owner.is_empty() || text(answer, "organization") == owner)
}

fn compiled(filter: &Json, key: &str) -> Result<Option<Regex>, Failure> {
    let pattern = filter.get(key).and_then(Json::as_str);
    let compile = |pattern: &str| {
        regexp::compile(pattern).map_err(|error| {
            Failure::new(format!(
                "`{key}` of a filter is not a regular expression: {error}"
            ))
        })
    };
    pattern.map(compile).transpose()
}

fn short(text: &str, length: usize) -> &str {
    text.get(..length).unwrap_or(text)
}

/// A filter of repositories. One that asks about branches or paths is tried in the second pass.
struct Filter<'j> {
    repository: Option<Regex>,
    label: Option<Regex>,
    branch: Option<Regex>,
    written: &'j Json,
    is_of_branches: bool,
}

impl<'j> Filter<'j> {
    fn read(written: &'j Json) -> Result<Self, Failure> {
        let has = |key: &str| written.get(key).is_some_and(|v| !v.is_null());
        Ok(Self {
            repository: compiled(written, "repositoryMatch")?,
            label: compiled(written, "labelMatch")?,
            branch: compiled(written, "branchMatch")?,
            written,
            is_of_branches: has("pathsExist") || has("pathsDoNotExist") || has("branchMatch"),
        })
    }

    fn is_of_repositories(&self) -> bool {
        !self.is_of_branches && (self.repository.is_some() || self.label.is_some())
    }

    fn takes(&self, answer: &Json) -> bool {
        let fits = |regex: &Option<Regex>, key: &str| {
            regex
                .as_ref()
                .is_none_or(|regex| regex.is_match(text(answer, key)))
        };
        let has_label = self.label.as_ref().is_none_or(|label| {
            items(answer, "labels")
                .filter_map(Json::as_str)
                .any(|text| label.is_match(text))
        });
        let has_path = |path: &Json| {
            let path = path.as_str().unwrap_or_default().trim_end_matches('/');
            items(answer, "paths")
                .filter_map(Json::as_str)
                .any(|known| {
                    known
                        .strip_prefix(path)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                })
        };
        fits(&self.repository, "repository")
            && fits(&self.branch, "branch")
            && has_label
            && items(self.written, "pathsExist").all(has_path)
            && !items(self.written, "pathsDoNotExist").any(has_path)
    }
}

pub(super) fn scm_provider(
    context: &Context<'_>,
    generator: &Json,
) -> Result<Vec<Params>, Failure> {
    let provider = provider(generator);
    let (kind, owner, _) = provider.ok_or_else(|| Failure::new("scmProvider names no provider"))?;
    let filters: Result<Vec<_>, _> = items(generator, "filters").map(Filter::read).collect();
    let filters = filters?;
    needs_answers(context, "scmRepositories")?;
    let pass = |answer: &&Json, is_wanted: fn(&Filter<'_>) -> bool| {
        let mut wanted = filters.iter().filter(|filter| is_wanted(filter)).peekable();
        wanted.peek().is_none() || wanted.any(|filter| filter.takes(answer))
    };
    let mut all = Vec::new();
    let answers = context.world.answers("scmRepositories");
    for answer in answers
        .filter(|answer| is_answer_of(answer, kind, owner))
        .filter(|answer| pass(answer, |filter| filter.is_of_repositories()))
        .filter(|answer| pass(answer, |filter| filter.is_of_branches))
    {
        let mut params = of_repository(answer);
        context.renderer.add_values(generator, &mut params)?;
        all.push(params);
    }
    Ok(all)
}

fn of_repository(answer: &Json) -> Params {
    let (branch, sha) = (text(answer, "branch"), text(answer, "sha"));
    let labels: Vec<&str> = items(answer, "labels").filter_map(Json::as_str).collect();
    let id = answer.get("repositoryID").cloned().unwrap_or(Json::Null);
    let id = match id.as_i64() {
        Some(number) => Value::int(number),
        None => id.as_str().map_or(Value::Nil, params::text),
    };
    let mut params = Params::from([("repository_id".into(), id)]);
    for (key, value) in [
        ("organization", text(answer, "organization")),
        ("repository", text(answer, "repository")),
        ("url", text(answer, "url")),
        ("branch", branch),
        ("sha", sha),
        ("short_sha", short(sha, 8)),
        ("short_sha_7", short(sha, 7)),
        ("labels", &labels.join(",")),
        ("branchNormalized", &names::normalized(branch)),
    ] {
        params.insert(key.into(), params::text(value));
    }
    params
}

/// Fails where nothing was given of what an API would answer.
fn needs_answers(context: &Context<'_>, kind: &str) -> Result<(), Failure> {
    if context.world.has_answers(kind) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "nothing is known of what the API would answer: give `{kind}` with --generator-values"
    )))
}

pub(super) fn pull_request(
    context: &Context<'_>,
    generator: &Json,
) -> Result<Vec<Params>, Failure> {
    let provider = provider(generator);
    let (kind, owner, repository) =
        provider.ok_or_else(|| Failure::new("pullRequest names no provider"))?;
    let mut filters = Vec::new();
    for filter in items(generator, "filters") {
        let compiled = |key| compiled(filter, key);
        filters.push([
            ("branch", compiled("branchMatch")?),
            ("targetBranch", compiled("targetBranchMatch")?),
            ("title", compiled("titleMatch")?),
        ]);
    }
    needs_answers(context, "pullRequests")?;
    let is_own = |answer: &&Json| {
        let is_repository = repository.is_empty() || text(answer, "repository") == repository;
        is_repository && is_answer_of(answer, kind, owner)
    };
    let own: Vec<&Json> = context
        .world
        .answers("pullRequests")
        .filter(is_own)
        .collect();
    if own
        .iter()
        .any(|answer| answer.get("missing").and_then(Json::as_bool) == Some(true))
    {
        let goes_on = generator
            .get("continueOnRepoNotFoundError")
            .and_then(Json::as_bool)
            == Some(true);
        return match goes_on {
            true => Ok(Vec::new()),
            false => Err(Failure::new(format!(
                "there is no repository {owner}/{repository}"
            ))),
        };
    }
    let mut all = Vec::new();
    for answer in own {
        let takes = |filter: &[(&str, Option<Regex>); 3]| {
            filter
                .iter()
                .all(|(key, regex)| regex.as_ref().is_none_or(|r| r.is_match(text(answer, key))))
        };
        if !filters.is_empty() && !filters.iter().any(takes) {
            continue;
        }
        let mut params = of_pull_request(answer, context.renderer.is_go);
        context.renderer.add_values(generator, &mut params)?;
        all.push(params);
    }
    Ok(all)
}

fn of_pull_request(answer: &Json, is_go: bool) -> Params {
    let slug = |text: &str| slug::make(&text.replace('_', "-"), 50, true);
    let (branch, target, sha) = (
        text(answer, "branch"),
        text(answer, "targetBranch"),
        text(answer, "headSHA"),
    );
    let number = answer
        .get("number")
        .map(|n| n.to_string().trim_matches('"').to_owned());
    let mut params = Params::new();
    for (key, value) in [
        ("number", number.unwrap_or_default().as_str()),
        ("title", text(answer, "title")),
        ("branch", branch),
        ("branch_slug", &slug(branch)),
        ("target_branch", target),
        ("target_branch_slug", &slug(target)),
        ("head_sha", sha),
        ("head_short_sha", short(sha, 8)),
        ("head_short_sha_7", short(sha, 7)),
        ("author", text(answer, "author")),
    ] {
        params.insert(key.into(), params::text(value));
    }
    if is_go {
        let labels = items(answer, "labels").filter_map(Json::as_str);
        params.insert("labels".into(), Value::strings(labels));
    }
    params
}

pub(super) fn plugin(context: &Context<'_>, generator: &Json) -> Result<Vec<Params>, Failure> {
    let reference = object::text(generator, &["configMapRef", "name"]);
    check_plugin(context, reference)?;
    let answer = context
        .world
        .answers("plugins")
        .find(|answer| text(answer, "configMapRef") == reference);
    let answer = answer.ok_or_else(|| {
        Failure::new(format!("nothing is known of what the plugin {reference:?} would answer: give `plugins` with --generator-values"))
    })?;
    let input = generator
        .get("input")
        .and_then(|input| input.get("parameters"));
    let mut all = Vec::new();
    for output in items(answer, "outputs") {
        let mut params = git::of_object(output, context.renderer.is_go);
        params.insert("generator".into(), asked(input));
        context.renderer.add_values(generator, &mut params)?;
        all.push(params);
    }
    Ok(all)
}

/// Fails where the host would not get as far as to ask.
fn check_plugin(context: &Context<'_>, reference: &str) -> Result<(), Failure> {
    let map = context.world.find("ConfigMap", reference);
    let map = map.ok_or_else(|| Failure::new(format!("there is no ConfigMap {reference:?}")))?;
    let setting = |key: &str| object::text(map, &["data", key]);
    if setting("baseUrl").is_empty() {
        return Err(Failure::new(format!(
            "the ConfigMap {reference:?} has no baseUrl"
        )));
    }
    let token = setting("token").strip_prefix('$');
    let token = token.ok_or_else(|| {
        Failure::new(format!(
            "the token of the ConfigMap {reference:?} does not name a Secret with `$`"
        ))
    })?;
    let secret = token
        .split_once(':')
        .map_or("argocd-secret", |(secret, _)| secret);
    match context.world.find("Secret", secret) {
        Some(_) => Ok(()),
        None => Err(Failure::new(format!("there is no Secret {secret:?}"))),
    }
}

/// `generator.input.parameters`, each value of which is bytes of JSON to Go.
fn asked(input: Option<&Json>) -> Value {
    let fields = input.and_then(Json::as_object).into_iter().flatten();
    let parameters = fields.map(|(key, value)| {
        let raw: Value = Value::Object(Rc::new(RawJson(value.to_string())));
        (key.as_str().into(), raw)
    });
    let parameters = Value::map([("parameters".into(), Value::map(parameters))]);
    Value::map([("input".into(), parameters)])
}

/// `apiextensions.JSON`: a structure that holds bytes, and prints as one.
#[derive(Debug)]
struct RawJson(String);

impl Object for RawJson {
    fn type_name(&self) -> &'static str {
        "v1.JSON"
    }

    fn print(&self) -> String {
        let bytes: Vec<String> = self.0.bytes().map(|byte| byte.to_string()).collect();
        format!("{{[{}]}}", bytes.join(" "))
    }

    fn call(&self, method: &str, _: &[Value]) -> Option<crate::go::template::Result<Value>> {
        (method == "String").then(|| Ok(Value::string(self.print())))
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
