//! Label selectors, strict as Kubernetes has them and free as generators have them.
//!
//! Follows `LabelSelectorAsSelector` of k8s.io/apimachinery and its copy in applicationset/utils/selector.go, which lets
//! values be anything. Cases: `select-*`, `clusters-*`.

use serde_json::Value;

use super::Failure;
use super::names;

/// What values of a selector may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    /// Values of labels.
    OfLabels,
    /// Anything.
    Any,
}

/// A selector: requirements that must all hold.
#[derive(Debug, Default)]
pub(super) struct Selector(Vec<Requirement>);

#[derive(Debug)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Reads `matchLabels` and `matchExpressions`. Fails on what Kubernetes would not take.
    pub(super) fn read(selector: &Value, values: Values) -> Result<Self, Failure> {
        let mut requirements = Vec::new();
        for (key, value) in selector
            .get("matchLabels")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let value = value.as_str().unwrap_or_default().to_owned();
            requirements.push(Requirement {
                key: key.clone(),
                operator: Operator::In,
                values: vec![value],
            });
        }
        let expressions = selector.get("matchExpressions").and_then(Value::as_array);
        for expression in expressions.into_iter().flatten() {
            requirements.push(requirement(expression)?);
        }
        for requirement in &requirements {
            requirement.check(values)?;
        }
        Ok(Self(requirements))
    }

    /// Whether it asks for nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether labels fulfil it.
    pub(super) fn matches<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.0.iter().all(|requirement| {
            let value = label(&requirement.key);
            let is_in = || value.is_some_and(|v| requirement.values.iter().any(|w| w == v));
            match requirement.operator {
                Operator::In => is_in(),
                Operator::NotIn => !is_in(),
                Operator::Exists => value.is_some(),
                Operator::DoesNotExist => value.is_none(),
            }
        })
    }
}

fn requirement(expression: &Value) -> Result<Requirement, Failure> {
    let text = |key: &str| {
        expression
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let operator = match text("operator") {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        other => {
            return Err(Failure::new(format!(
                "{other:?} is not an operator of a selector"
            )));
        }
    };
    let values = expression.get("values").and_then(Value::as_array);
    let values = values.into_iter().flatten().filter_map(Value::as_str);
    Ok(Requirement {
        key: text("key").to_owned(),
        operator,
        values: values.map(str::to_owned).collect(),
    })
}

impl Requirement {
    fn check(&self, values: Values) -> Result<(), Failure> {
        if !names::is_qualified_name(&self.key) {
            return Err(Failure::new(format!(
                "the key {:?} of a selector is not a qualified name",
                self.key
            )));
        }
        let takes_values = matches!(self.operator, Operator::In | Operator::NotIn);
        if takes_values == self.values.is_empty() {
            return Err(Failure::new(format!(
                "the values of {:?} do not fit its operator",
                self.key
            )));
        }
        if values == Values::OfLabels && !self.values.iter().all(|v| names::is_label_value(v)) {
            return Err(Failure::new(format!(
                "a value of {:?} is not a value of a label",
                self.key
            )));
        }
        Ok(())
    }
}
