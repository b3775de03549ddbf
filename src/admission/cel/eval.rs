//! Evaluates an expression, a step at a time from a budget.

use std::rc::Rc;

use super::ast::{Expr, Literal, Macro, Program};
use super::functions;
use super::value::Cel;

/// How many steps one evaluation may take: as the cost that the API server allows to one call.
const STEPS: usize = 1_000_000;

/// Steps that are left.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: STEPS }
    }
}

impl Budget {
    /// Takes some steps. Fails when none are left.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), String> {
        self.left = self.left.saturating_sub(steps);
        match self.left {
            0 => Err("costs more than the API server allows".to_owned()),
            _ => Ok(()),
        }
    }
}

/// The variables of an expression.
#[derive(Debug, Default, Clone)]
pub(crate) struct Scope<'v> {
    variables: Vec<(String, Cel<'v>)>,
}

impl<'v> Scope<'v> {
    /// Adds a variable.
    pub(crate) fn set(&mut self, name: &str, value: Cel<'v>) {
        self.variables.push((name.to_owned(), value));
    }

    fn get(&self, name: &str) -> Option<&Cel<'v>> {
        let mut latest = self.variables.iter().rev();
        latest.find(|(n, _)| n == name).map(|(_, v)| v)
    }
}

/// Evaluates an expression. Fails with what went wrong, as the API server words it.
pub(crate) fn evaluate<'v>(
    program: &Program,
    scope: &mut Scope<'v>,
    budget: &mut Budget,
) -> Result<Cel<'v>, String> {
    Machine { scope, budget }.run(&program.root)
}

struct Machine<'m, 'v> {
    scope: &'m mut Scope<'v>,
    budget: &'m mut Budget,
}

type Outcome<'v> = Result<Cel<'v>, String>;

impl<'v> Machine<'_, 'v> {
    fn run(&mut self, expr: &Expr) -> Outcome<'v> {
        self.budget.spend(1)?;
        match expr {
            Expr::Literal(literal) => Ok(of_literal(literal)),
            Expr::Name(name) => self.name(name),
            Expr::Select {
                operand,
                field,
                is_optional,
            } => self.select(operand, field, *is_optional),
            Expr::Has { operand, field } => self.has(operand, field),
            Expr::Index {
                operand,
                index,
                is_optional,
            } => {
                let operand = self.run(operand)?;
                let index = self.run(index)?;
                item(&operand, &index, *is_optional)
            }
            Expr::Call {
                function,
                target,
                arguments,
            } => self.call(function, target.as_deref(), arguments),
            Expr::List(items) => self.list(items),
            Expr::Map(entries) => self.map(entries),
            Expr::Comprehension {
                kind,
                range,
                names,
                filter,
                body,
            } => self.comprehension(*kind, range, names, filter.as_deref(), body),
            Expr::Bind { name, value, body } => {
                let value = self.run(value)?;
                self.with(&[(name, value)], body)
            }
        }
    }

    fn name(&self, name: &str) -> Outcome<'v> {
        if let Some(value) = self.scope.get(name) {
            return Ok(value.clone());
        }
        match functions::type_named(name) {
            Some(type_name) => Ok(Cel::Type(type_name)),
            None => Err(format!("undeclared reference to '{name}'")),
        }
    }

    fn with(&mut self, variables: &[(&String, Cel<'v>)], body: &Expr) -> Outcome<'v> {
        let before = self.scope.variables.len();
        for (name, value) in variables {
            self.scope.set(name, value.clone());
        }
        let result = self.run(body);
        self.scope.variables.truncate(before);
        result
    }

    fn select(&mut self, operand: &Expr, field: &str, is_optional: bool) -> Outcome<'v> {
        let operand = self.run(operand)?;
        if let Cel::Optional(inner) = &operand {
            let found = inner.as_ref().and_then(|value| value.field(field));
            return Ok(Cel::Optional(found.map(Rc::new)));
        }
        match (operand.field(field), is_optional) {
            (found, true) => Ok(Cel::Optional(found.map(Rc::new))),
            (Some(value), false) => Ok(value),
            (None, false) if operand.type_name() == "map" => Err(format!("no such key: {field}")),
            (None, false) => Err(format!("no such field: {field}")),
        }
    }

    fn has(&mut self, operand: &Expr, field: &str) -> Outcome<'v> {
        let operand = self.run(operand)?;
        let found = match &operand {
            Cel::Optional(inner) => inner.as_ref().and_then(|value| value.field(field)),
            value => value.field(field),
        };
        match (found, operand.type_name()) {
            (Some(_), _) => Ok(Cel::Bool(true)),
            (None, "map" | "optional_type") => Ok(Cel::Bool(false)),
            (None, _) => Err("no such field".to_owned()),
        }
    }

    fn call(&mut self, function: &str, target: Option<&Expr>, arguments: &[Expr]) -> Outcome<'v> {
        match (function, arguments) {
            ("_&&_", [a, b]) => return self.logical(a, b, false),
            ("_||_", [a, b]) => return self.logical(a, b, true),
            ("_?_:_", [condition, yes, no]) => {
                return match self.run(condition)? {
                    Cel::Bool(true) => self.run(yes),
                    Cel::Bool(false) => self.run(no),
                    _ => Err("no such overload".to_owned()),
                };
            }
            ("orValue" | "or", [other]) => {
                if let Some(target) = target {
                    return self.optional_or(function, target, other);
                }
            }
            ("optMap" | "optFlatMap", [Expr::Name(name), body]) => {
                if let Some(target) = target {
                    return self.optional_map(function, target, name, body);
                }
            }
            _ => {}
        }
        // `optional.of(x)`, `ip.isCanonical(x)`: a function in a namespace.
        if let Some(Expr::Name(space)) = target
            && self.scope.get(space).is_none()
        {
            let values = self.all(arguments)?;
            return functions::call(&format!("{space}.{function}"), None, &values, self.budget);
        }
        let target = target.map(|t| self.run(t)).transpose()?;
        let values = self.all(arguments)?;
        functions::call(function, target.as_ref(), &values, self.budget)
    }

    fn all(&mut self, exprs: &[Expr]) -> Result<Vec<Cel<'v>>, String> {
        exprs.iter().map(|e| self.run(e)).collect()
    }

    /// `&&` and `||`: what decides wins over a failure of the other side, whichever comes first.
    fn logical(&mut self, a: &Expr, b: &Expr, decisive: bool) -> Outcome<'v> {
        let first = self.run(a);
        if matches!(first, Ok(Cel::Bool(value)) if value == decisive) {
            return first;
        }
        let second = self.run(b);
        if matches!(second, Ok(Cel::Bool(value)) if value == decisive) {
            return second;
        }
        match (first?, second?) {
            (Cel::Bool(_), Cel::Bool(_)) => Ok(Cel::Bool(!decisive)),
            _ => Err("no such overload".to_owned()),
        }
    }

    fn optional_or(&mut self, function: &str, target: &Expr, other: &Expr) -> Outcome<'v> {
        match (self.run(target)?, function) {
            (Cel::Optional(Some(value)), "orValue") => Ok((*value).clone()),
            (present @ Cel::Optional(Some(_)), _) => Ok(present),
            (Cel::Optional(None), _) => self.run(other),
            _ => Err("no such overload".to_owned()),
        }
    }

    fn optional_map(
        &mut self,
        function: &str,
        target: &Expr,
        name: &String,
        body: &Expr,
    ) -> Outcome<'v> {
        let Cel::Optional(inner) = self.run(target)? else {
            return Err("no such overload".to_owned());
        };
        let Some(value) = inner else {
            return Ok(Cel::Optional(None));
        };
        let result = self.with(&[(name, (*value).clone())], body)?;
        match function {
            "optFlatMap" => Ok(result),
            _ => Ok(Cel::Optional(Some(Rc::new(result)))),
        }
    }

    fn list(&mut self, items: &[(Expr, bool)]) -> Outcome<'v> {
        let mut list = Vec::with_capacity(items.len());
        for (item, is_optional) in items {
            match (self.run(item)?, is_optional) {
                (Cel::Optional(inner), true) => list.extend(inner.map(|v| (*v).clone())),
                (value, _) => list.push(value),
            }
        }
        Ok(Cel::list(list))
    }

    fn map(&mut self, entries: &[(Expr, Expr, bool)]) -> Outcome<'v> {
        let mut map = Vec::with_capacity(entries.len());
        for (key, value, is_optional) in entries {
            let key = self.run(key)?;
            match (self.run(value)?, is_optional) {
                (Cel::Optional(inner), true) => map.extend(inner.map(|v| (key, (*v).clone()))),
                (value, _) => map.push((key, value)),
            }
        }
        Ok(Cel::Map(Rc::new(map)))
    }

    /// The rounds of a comprehension: what its names are bound to.
    fn rounds(&mut self, range: &Expr, names: usize) -> Result<Vec<Vec<Cel<'v>>>, String> {
        let range = self.run(range)?;
        self.budget.spend(range.size().unwrap_or(0) + 1)?;
        if let Some(items) = range.items() {
            let number = |i: usize| Cel::Int(i64::try_from(i).unwrap_or(i64::MAX));
            let round = |(index, item)| match names {
                1 => vec![item],
                _ => vec![number(index), item],
            };
            return Ok(items.into_iter().enumerate().map(round).collect());
        }
        let Some(entries) = range.entries() else {
            return Err("no such overload".to_owned());
        };
        let round = |(key, value)| match names {
            1 => vec![key],
            _ => vec![key, value],
        };
        Ok(entries.into_iter().map(round).collect())
    }

    fn comprehension(
        &mut self,
        kind: Macro,
        range: &Expr,
        names: &[String],
        filter: Option<&Expr>,
        body: &Expr,
    ) -> Outcome<'v> {
        let rounds = self.rounds(range, names.len())?;
        match kind {
            Macro::All => self.quantify(rounds, names, body, false),
            Macro::Exists => self.quantify(rounds, names, body, true),
            Macro::ExistsOne => self.count(rounds, names, body),
            Macro::Map | Macro::Filter | Macro::TransformList | Macro::TransformMap => {
                self.collect(kind, rounds, names, filter, body)
            }
        }
    }

    fn round(&mut self, names: &[String], values: &[Cel<'v>], body: &Expr) -> Outcome<'v> {
        let pairs: Vec<_> = names.iter().zip(values.iter().cloned()).collect();
        self.with(&pairs, body)
    }

    /// `all` and `exists`: as the items joined by `&&` or `||`.
    fn quantify(
        &mut self,
        rounds: Vec<Vec<Cel<'v>>>,
        names: &[String],
        body: &Expr,
        decisive: bool,
    ) -> Outcome<'v> {
        let mut failure = None;
        for values in rounds {
            match self.round(names, &values, body) {
                Ok(Cel::Bool(value)) if value == decisive => return Ok(Cel::Bool(decisive)),
                Ok(Cel::Bool(_)) => {}
                Ok(_) => failure = Some("no such overload".to_owned()),
                Err(error) => failure = Some(error),
            }
            self.budget.spend(1)?;
        }
        failure.map_or(Ok(Cel::Bool(!decisive)), Err)
    }

    fn count(&mut self, rounds: Vec<Vec<Cel<'v>>>, names: &[String], body: &Expr) -> Outcome<'v> {
        let mut count = 0;
        for values in rounds {
            match self.round(names, &values, body)? {
                Cel::Bool(value) => count += usize::from(value),
                _ => return Err("no such overload".to_owned()),
            }
        }
        Ok(Cel::Bool(count == 1))
    }

    fn collect(
        &mut self,
        kind: Macro,
        rounds: Vec<Vec<Cel<'v>>>,
        names: &[String],
        filter: Option<&Expr>,
        body: &Expr,
    ) -> Outcome<'v> {
        let (mut list, mut map) = (Vec::new(), Vec::new());
        for values in rounds {
            let condition = if kind == Macro::Filter {
                Some(body)
            } else {
                filter
            };
            if let Some(condition) = condition {
                match self.round(names, &values, condition)? {
                    Cel::Bool(true) => {}
                    Cel::Bool(false) => continue,
                    _ => return Err("no such overload".to_owned()),
                }
            }
            match (kind, &values[..]) {
                (Macro::Filter, [first, ..]) => list.push(first.clone()),
                (Macro::TransformMap, [key, ..]) => {
                    let value = self.round(names, &values, body)?;
                    map.push((key.clone(), value));
                }
                _ => list.push(self.round(names, &values, body)?),
            }
        }
        Ok(match kind {
            Macro::TransformMap => Cel::Map(Rc::new(map)),
            _ => Cel::list(list),
        })
    }
}

fn of_literal<'v>(literal: &Literal) -> Cel<'v> {
    match literal {
        Literal::Null => Cel::Null,
        Literal::Bool(value) => Cel::Bool(*value),
        Literal::Int(value) => Cel::Int(*value),
        Literal::Uint(value) => Cel::Uint(*value),
        Literal::Double(value) => Cel::Double(*value),
        Literal::String(value) => Cel::string(value.as_str()),
        Literal::Bytes(value) => Cel::Bytes(value.as_slice().into()),
    }
}

/// `operand[index]`.
fn item<'v>(operand: &Cel<'v>, index: &Cel<'v>, is_optional: bool) -> Outcome<'v> {
    let (operand, is_optional) = match operand {
        Cel::Optional(None) => return Ok(Cel::Optional(None)),
        Cel::Optional(Some(inner)) => (&**inner, true),
        value => (value, is_optional),
    };
    let (found, missing) = match (operand.type_name(), index) {
        ("list", Cel::Int(at)) => {
            let found = usize::try_from(*at).ok().and_then(|at| operand.at(at));
            (found, format!("index out of bounds: {at}"))
        }
        ("map", key) => {
            let name = key.as_str().unwrap_or_default();
            (operand.get(key), format!("no such key: {name}"))
        }
        _ => return Err("no such overload".to_owned()),
    };
    match (found, is_optional) {
        (found, true) => Ok(Cel::Optional(found.map(Rc::new))),
        (found, false) => found.ok_or(missing),
    }
}
