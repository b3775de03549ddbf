//! Fills templates: each string of an Application is one of its own.
//!
//! Follows `deeplyReplace`, `RenderTemplateParams` and `RenderGeneratorParams` of applicationset/utils/utils.go. A
//! null in a map is lost, keys are templates as well, `missingkey` and an option that does not exist act as in
//! Go. Cases: `go-*`, `fast-*`, `matrix-values-*`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Number, Value as Json};

use super::Failure;
use super::fast;
use super::functions;
use super::params::{self, Params};
use crate::go::template::{Budget, Cause, MissingKey, Options, Template, Value};

/// How one ApplicationSet's templates are filled.
pub(super) struct Renderer<'b> {
    /// Whether they are Go templates.
    pub(super) is_go: bool,
    options: Vec<String>,
    budget: &'b Budget,
    parsed: RefCell<BTreeMap<(u8, String), Rc<Template>>>,
}

/// Parameters, ready to be used in many templates.
pub(super) struct Data<'p> {
    params: &'p Params,
    root: Value,
}

impl<'p> Data<'p> {
    pub(super) fn new(params: &'p Params) -> Self {
        Self {
            params,
            root: params::root(params),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.params.is_empty()
    }
}

impl<'b> Renderer<'b> {
    /// The renderer of an ApplicationSet's spec.
    pub(super) fn new(spec: &Json, budget: &'b Budget) -> Self {
        let options = spec.get("goTemplateOptions").and_then(Json::as_array);
        Self {
            is_go: spec
                .get("goTemplate")
                .and_then(Json::as_bool)
                .unwrap_or_default(),
            options: (options.into_iter().flatten())
                .filter_map(|option| option.as_str().map(str::to_owned))
                .collect(),
            budget,
            parsed: RefCell::new(BTreeMap::new()),
        }
    }

    /// Fills one text.
    pub(super) fn text(&self, text: &str, data: &Data<'_>) -> Result<String, Failure> {
        if !self.is_go {
            return fast::fill(text, data.params);
        }
        let missing_key = self.missing_key()?;
        self.go(text, data, missing_key).map_err(|fault| {
            Failure::new(format!("the template {text:?} cannot be filled: {fault}"))
        })
    }

    fn go(
        &self,
        text: &str,
        data: &Data<'_>,
        missing_key: MissingKey,
    ) -> crate::go::template::Result<String> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let template = self.parsed(text, missing_key)?;
        template.fill(&data.root, functions::all(), self.budget)
    }

    fn parsed(
        &self,
        text: &str,
        missing_key: MissingKey,
    ) -> crate::go::template::Result<Rc<Template>> {
        let key = (missing_key as u8, text.to_owned());
        if let Some(known) = self.parsed.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let options = Options {
            missing_key,
            ..Options::default()
        };
        let template = Rc::new(Template::parse(text, &options, functions::all())?);
        self.parsed.borrow_mut().insert(key, Rc::clone(&template));
        Ok(template)
    }

    fn missing_key(&self) -> Result<MissingKey, Failure> {
        let mut missing_key = MissingKey::Default;
        for option in &self.options {
            missing_key = MissingKey::parse(option).ok_or_else(|| {
                Failure::new(format!(
                    "goTemplateOptions: {option:?} is not an option: Argo CD panics"
                ))
            })?;
        }
        Ok(missing_key)
    }

    /// Fills every string of a value, keys of maps included.
    pub(super) fn deep(&self, json: &Json, data: &Data<'_>) -> Result<Json, Failure> {
        Ok(match json {
            Json::String(text) => Json::String(self.text(text, data)?),
            Json::Array(items) => {
                let items: Result<_, _> = items.iter().map(|item| self.deep(item, data)).collect();
                Json::Array(items?)
            }
            Json::Object(fields) => Json::Object(self.fields(fields, data)?),
            Json::Number(number) => Json::Number(as_float(number)),
            other => other.clone(),
        })
    }

    fn fields(
        &self,
        fields: &Map<String, Json>,
        data: &Data<'_>,
    ) -> Result<Map<String, Json>, Failure> {
        let mut filled = Map::new();
        for (key, value) in fields {
            if value.is_null() {
                continue;
            }
            let value = self.deep(value, data)?;
            filled.insert(self.text(key, data)?, value);
        }
        Ok(filled)
    }

    /// Fills a generator with the parameters of the one before it.
    ///
    /// Its `values` wait where they name something that is not there yet; they are filled once more, with the
    /// generator's own parameters.
    pub(super) fn generator(&self, generator: &Json, data: &Data<'_>) -> Result<Json, Failure> {
        if data.is_empty() {
            return Ok(generator.clone());
        }
        let mut filled = Map::new();
        for (kind, value) in generator.as_object().into_iter().flatten() {
            let values = value.get("values").and_then(Json::as_object);
            let early = values
                .map(|values| self.early_values(values, data))
                .transpose()?;
            let mut value = match early.is_some() {
                false => self.deep(value, data)?,
                true => {
                    let mut rest = value.clone();
                    if let Some(rest) = rest.as_object_mut() {
                        rest.shift_remove("values");
                    }
                    self.deep(&rest, data)?
                }
            };
            if let (Some(early), Some(fields)) = (early, value.as_object_mut()) {
                fields.insert("values".to_owned(), Json::Object(early));
            }
            filled.insert(kind.clone(), value);
        }
        Ok(Json::Object(filled))
    }

    fn early_values(
        &self,
        values: &Map<String, Json>,
        data: &Data<'_>,
    ) -> Result<Map<String, Json>, Failure> {
        let mut early = Map::new();
        for (key, value) in values {
            let text = value.as_str().unwrap_or_default();
            let filled = if self.is_go {
                self.missing_key()?;
                match self.go(text, data, MissingKey::Error) {
                    Ok(filled) => filled,
                    Err(fault) if fault.cause == Cause::MissingKey => text.to_owned(),
                    Err(fault) => {
                        return Err(Failure::new(format!(
                            "`values.{key}` cannot be filled: {fault}"
                        )));
                    }
                }
            } else {
                fast::fill(text, data.params)?
            };
            early.insert(key.clone(), Json::String(filled));
        }
        Ok(early)
    }

    /// Adds a generator's `values` to its parameters, each filled with them. They do not see each other.
    pub(super) fn add_values(&self, generator: &Json, params: &mut Params) -> Result<(), Failure> {
        let Some(values) = generator.get("values").and_then(Json::as_object) else {
            return Ok(());
        };
        let mut filled = BTreeMap::new();
        {
            let data = Data::new(params);
            for (key, value) in values {
                let value = self.text(value.as_str().unwrap_or_default(), &data)?;
                filled.insert(key.clone(), value);
            }
        }
        self.put_values(&filled, params);
        Ok(())
    }

    /// Adds values as they are.
    pub(super) fn put_values(&self, values: &BTreeMap<String, String>, params: &mut Params) {
        if values.is_empty() {
            return;
        }
        if self.is_go {
            params.insert("values".into(), params::strings(values));
            return;
        }
        for (key, value) in values {
            params.insert(format!("values.{key}").into(), params::text(value));
        }
    }
}

/// A number as it is after Go read it as a float.
fn as_float(number: &Number) -> Number {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() || float.abs() > EXACT => {
            Number::from_f64(float).unwrap_or_else(|| number.clone())
        }
        _ => number.clone(),
    }
}
