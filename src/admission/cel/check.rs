//! Whether an expression can be compiled: names, fields, functions and types.
//!
//! As cel-go's checker, over types that come from schemas. Where a type cannot be known it is dynamic, and nothing is
//! said: a rule that the API server would take is never refused.

use super::ast::{Expr, Literal, Macro, Program};
use super::functions::type_named;
use crate::admission::schemas::{Arena, Kind, Number};

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ty {
    Dyn,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Duration,
    Timestamp,
    List(Box<Self>),
    Map(Box<Self>, Box<Self>),
    /// An object of a schema.
    Object(Number),
    /// An object with these fields.
    Fields(Vec<(String, Self)>),
    Type,
    Optional(Box<Self>),
    /// One of the API server's own types.
    Other(&'static str),
}

impl Ty {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Dyn => "dyn",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Duration => "duration",
            Self::Timestamp => "timestamp",
            Self::List(_) => "list",
            Self::Map(..) => "map",
            Self::Object(_) | Self::Fields(_) => "object",
            Self::Type => "type",
            Self::Optional(_) => "optional",
            Self::Other(name) => name,
        }
    }

    fn is_numeric(&self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }

    /// Whether a value of one type may be where one of the other is asked for.
    fn fits(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dyn, _) | (_, Self::Dyn) => true,
            // What may be absent is compared with null.
            (Self::Null, b) | (b, Self::Null) => !matches!(
                b,
                Self::Bool | Self::Int | Self::Uint | Self::Double | Self::String | Self::List(_)
            ),
            (Self::List(a), Self::List(b)) | (Self::Optional(a), Self::Optional(b)) => a.fits(b),
            (Self::Map(a, b), Self::Map(c, d)) => a.fits(c) && b.fits(d),
            (
                Self::Object(_) | Self::Fields(_) | Self::Map(..),
                Self::Object(_) | Self::Fields(_) | Self::Map(..),
            ) => true,
            (a, b) => a == b,
        }
    }

    /// What either of two may be.
    fn joined(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Dyn, _) => other,
            (_, Self::Dyn) => self,
            _ if self == other => self,
            _ => Self::Dyn,
        }
    }
}

/// The variables of an expression, with their types.
#[derive(Debug, Default, Clone)]
pub(crate) struct Environment<'a> {
    /// The schema that [`Ty::Object`] refers to.
    pub(crate) arena: Option<&'a Arena>,
    variables: Vec<(String, Ty)>,
}

impl Environment<'_> {
    /// Declares a variable.
    pub(crate) fn declare(&mut self, name: &str, ty: Ty) {
        self.variables.push((name.to_owned(), ty));
    }
}

/// The type of the values of a schema.
pub(crate) fn type_of(arena: &Arena, number: Number) -> Ty {
    let kind = arena.get(number);
    if kind.int_or_string {
        return Ty::Dyn;
    }
    match kind.kind {
        None => Ty::Dyn,
        Some(Kind::Boolean) => Ty::Bool,
        Some(Kind::Integer) => Ty::Int,
        Some(Kind::Number) => Ty::Double,
        Some(Kind::String) => match kind.format.as_deref() {
            Some("byte") => Ty::Bytes,
            Some("date-time" | "date") => Ty::Timestamp,
            Some("duration") => Ty::Duration,
            _ => Ty::String,
        },
        Some(Kind::Array) => Ty::List(Box::new(kind.items.map_or(Ty::Dyn, |n| type_of(arena, n)))),
        Some(Kind::Object) => match kind.values {
            Some(values) => Ty::Map(Box::new(Ty::String), Box::new(type_of(arena, values))),
            None if kind.open || (kind.properties.is_empty() && kind.embedded) => Ty::Dyn,
            None => Ty::Object(number),
        },
    }
}

/// Checks an expression and returns its type. Fails with what the API server's compiler would say.
pub(crate) fn check(program: &Program, environment: &Environment<'_>) -> Result<Ty, String> {
    let mut checker = Checker {
        environment: environment.clone(),
    };
    checker.run(&program.root)
}

struct Checker<'a> {
    environment: Environment<'a>,
}

impl Checker<'_> {
    fn run(&mut self, expr: &Expr) -> Result<Ty, String> {
        match expr {
            Expr::Literal(literal) => Ok(of_literal(literal)),
            Expr::Name(name) => self.name(name),
            Expr::Select {
                operand,
                field,
                is_optional,
            } => {
                let operand = self.run(operand)?;
                let ty = self.select(&operand, field)?;
                Ok(if *is_optional { optional(ty) } else { ty })
            }
            Expr::Has { operand, field } => {
                let operand = self.run(operand)?;
                self.select(&operand, field)?;
                Ok(Ty::Bool)
            }
            Expr::Index {
                operand,
                index,
                is_optional,
            } => {
                let operand = self.run(operand)?;
                self.run(index)?;
                let ty = element(&operand)?;
                Ok(if *is_optional { optional(ty) } else { ty })
            }
            Expr::Call {
                function,
                target,
                arguments,
            } => self.call(function, target.as_deref(), arguments),
            Expr::List(items) => {
                let mut ty = None;
                for (item, _) in items {
                    let item = self.run(item)?;
                    ty = Some(ty.map_or(item.clone(), |t: Ty| if t == item { t } else { Ty::Dyn }));
                }
                Ok(Ty::List(Box::new(ty.unwrap_or(Ty::Dyn))))
            }
            Expr::Map(entries) => {
                for (key, value, _) in entries {
                    self.run(key)?;
                    self.run(value)?;
                }
                Ok(Ty::Map(Box::new(Ty::Dyn), Box::new(Ty::Dyn)))
            }
            Expr::Comprehension {
                kind,
                range,
                names,
                filter,
                body,
            } => self.comprehension(*kind, range, names, filter.as_deref(), body),
            Expr::Bind { name, value, body } => {
                let value = self.run(value)?;
                self.environment.declare(name, value);
                let ty = self.run(body);
                self.environment.variables.pop();
                ty
            }
        }
    }

    fn find(&self, name: &str) -> Option<&Ty> {
        let mut latest = self.environment.variables.iter().rev();
        latest.find(|(n, _)| n == name).map(|(_, ty)| ty)
    }

    fn name(&self, name: &str) -> Result<Ty, String> {
        match self.find(name) {
            Some(ty) => Ok(ty.clone()),
            None if type_named(name).is_some() => Ok(Ty::Type),
            None => Err(format!("undeclared reference to '{name}'")),
        }
    }

    fn select(&self, operand: &Ty, field: &str) -> Result<Ty, String> {
        match operand {
            Ty::Dyn => Ok(Ty::Dyn),
            Ty::Map(_, value) => Ok((**value).clone()),
            Ty::Optional(inner) => self.select(inner, field).map(optional),
            Ty::Fields(fields) => fields
                .iter()
                .find(|(name, _)| name == field)
                .map(|(_, ty)| ty.clone())
                .ok_or_else(|| format!("undefined field '{field}'")),
            Ty::Object(number) => self.field(*number, field),
            other => Err(format!(
                "type '{}' does not support field selection",
                other.name()
            )),
        }
    }

    fn field(&self, number: Number, field: &str) -> Result<Ty, String> {
        let Some(arena) = self.environment.arena else {
            return Ok(Ty::Dyn);
        };
        let kind = arena.get(number);
        let unescaped = super::value::unescape(field);
        let found = kind
            .properties
            .get(field)
            .or_else(|| kind.properties.get(&unescaped));
        match found {
            Some(number) => Ok(type_of(arena, *number)),
            None if matches!(field, "apiVersion" | "kind") => Ok(Ty::String),
            None if field == "metadata" => Ok(Ty::Dyn),
            None => Err(format!("undefined field '{field}'")),
        }
    }

    fn call(
        &mut self,
        function: &str,
        target: Option<&Expr>,
        arguments: &[Expr],
    ) -> Result<Ty, String> {
        if let Some(Expr::Name(space)) = target
            && self.find(space).is_none()
            && type_named(space).is_none()
        {
            for argument in arguments {
                self.run(argument)?;
            }
            return known_function(&format!("{space}.{function}"), arguments.len());
        }
        if let (Some(target), "optMap" | "optFlatMap", [Expr::Name(name), body]) =
            (target, function, arguments)
        {
            self.run(target)?;
            self.environment.declare(name, Ty::Dyn);
            let ty = self.run(body);
            self.environment.variables.pop();
            return ty.map(optional);
        }
        let mut types = Vec::new();
        for part in target.into_iter().chain(arguments) {
            types.push(self.run(part)?);
        }
        match operator(function, &types) {
            Some(result) => result,
            None => {
                known_function(function, types.len()).and_then(|ty| result_of(function, &types, ty))
            }
        }
    }

    fn comprehension(
        &mut self,
        kind: Macro,
        range: &Expr,
        names: &[String],
        filter: Option<&Expr>,
        body: &Expr,
    ) -> Result<Ty, String> {
        let range = self.run(range)?;
        let (first, second) = match &range {
            Ty::List(item) => (Ty::Int, (**item).clone()),
            Ty::Map(key, value) => ((**key).clone(), (**value).clone()),
            Ty::Dyn | Ty::Object(_) | Ty::Fields(_) | Ty::Optional(_) => (Ty::Dyn, Ty::Dyn),
            other => {
                return Err(format!(
                    "expression of type '{}' cannot be range of a comprehension",
                    other.name()
                ));
            }
        };
        let is_list = matches!(range, Ty::List(_));
        let types = match (names.len(), is_list) {
            (1, true) => vec![second],
            (1, false) => vec![first],
            _ => vec![first, second],
        };
        let before = self.environment.variables.len();
        for (name, ty) in names.iter().zip(types.clone()) {
            self.environment.declare(name, ty);
        }
        let checked = filter
            .map_or(Ok(Ty::Bool), |f| self.run(f))
            .and_then(|condition| self.run(body).map(|body| (condition, body)));
        self.environment.variables.truncate(before);
        let (condition, body) = checked?;
        let must_be_bool = match kind {
            Macro::All | Macro::Exists | Macro::ExistsOne | Macro::Filter => &body,
            _ => &condition,
        };
        if !must_be_bool.fits(&Ty::Bool) {
            return Err(format!(
                "expected type 'bool' but found '{}'",
                must_be_bool.name()
            ));
        }
        Ok(match kind {
            Macro::All | Macro::Exists | Macro::ExistsOne => Ty::Bool,
            Macro::Filter => Ty::List(Box::new(types.into_iter().next().unwrap_or(Ty::Dyn))),
            Macro::Map | Macro::TransformList => Ty::List(Box::new(body)),
            Macro::TransformMap => Ty::Map(Box::new(Ty::Dyn), Box::new(body)),
        })
    }
}

fn of_literal(literal: &Literal) -> Ty {
    match literal {
        Literal::Null => Ty::Null,
        Literal::Bool(_) => Ty::Bool,
        Literal::Int(_) => Ty::Int,
        Literal::Uint(_) => Ty::Uint,
        Literal::Double(_) => Ty::Double,
        Literal::String(_) => Ty::String,
        Literal::Bytes(_) => Ty::Bytes,
    }
}

fn optional(ty: Ty) -> Ty {
    match ty {
        Ty::Optional(_) => ty,
        other => Ty::Optional(Box::new(other)),
    }
}

fn element(operand: &Ty) -> Result<Ty, String> {
    match operand {
        Ty::List(item) => Ok((**item).clone()),
        Ty::Map(_, value) => Ok((**value).clone()),
        Ty::Optional(inner) => element(inner).map(optional),
        Ty::Dyn | Ty::Object(_) | Ty::Fields(_) => Ok(Ty::Dyn),
        _ => Err(no_overload("_[_]")),
    }
}

fn no_overload(function: &str) -> String {
    format!("found no matching overload for '{function}'")
}

/// The type of an operator's result; `None` for what is no operator.
fn operator(function: &str, types: &[Ty]) -> Option<Result<Ty, String>> {
    let or = |fits: bool, ty: Ty| {
        Some(if fits {
            Ok(ty)
        } else {
            Err(no_overload(function))
        })
    };
    match (function, types) {
        ("_&&_" | "_||_", [a, b]) => or(a.fits(&Ty::Bool) && b.fits(&Ty::Bool), Ty::Bool),
        ("!_", [a]) => or(a.fits(&Ty::Bool), Ty::Bool),
        ("_==_" | "_!=_", [a, b]) => or(a.fits(b), Ty::Bool),
        ("_<_" | "_<=_" | "_>_" | "_>=_", [a, b]) => or(are_ordered(a, b), Ty::Bool),
        ("@in", [_, b]) => {
            let is_collection = matches!(
                b,
                Ty::List(_) | Ty::Map(..) | Ty::Dyn | Ty::Object(_) | Ty::Fields(_)
            );
            or(is_collection, Ty::Bool)
        }
        ("_?_:_", [condition, yes, no]) => match condition.fits(&Ty::Bool) {
            true if yes.fits(no) => Some(Ok(yes.clone().joined(no.clone()))),
            _ => Some(Err(no_overload(function))),
        },
        ("-_", [a]) => or(a.is_numeric() || *a == Ty::Dyn, a.clone()),
        ("_+_" | "_-_" | "_*_" | "_/_" | "_%_", [a, b]) => Some(arithmetic(function, a, b)),
        _ => None,
    }
}

fn are_ordered(a: &Ty, b: &Ty) -> bool {
    let has_order = |ty: &Ty| {
        ty.is_numeric()
            || matches!(
                ty,
                Ty::Dyn
                    | Ty::String
                    | Ty::Bytes
                    | Ty::Bool
                    | Ty::Duration
                    | Ty::Timestamp
                    | Ty::Optional(_)
            )
    };
    has_order(a) && has_order(b) && (a.fits(b) || (a.is_numeric() && b.is_numeric()))
}

fn arithmetic(function: &str, a: &Ty, b: &Ty) -> Result<Ty, String> {
    match (a, b) {
        (Ty::Dyn, other) | (other, Ty::Dyn) => Ok(match other {
            Ty::Timestamp | Ty::Duration => Ty::Dyn,
            ty => ty.clone(),
        }),
        (Ty::Timestamp, Ty::Timestamp) if function == "_-_" => Ok(Ty::Duration),
        (Ty::Timestamp, Ty::Duration) if matches!(function, "_+_" | "_-_") => Ok(Ty::Timestamp),
        (Ty::Duration, Ty::Timestamp) if function == "_+_" => Ok(Ty::Timestamp),
        (Ty::Duration, Ty::Duration) if matches!(function, "_+_" | "_-_") => Ok(Ty::Duration),
        (a, b) if a.is_numeric() && a == b => Ok(a.clone()),
        (Ty::String, Ty::String) | (Ty::Bytes, Ty::Bytes) if function == "_+_" => Ok(a.clone()),
        (Ty::List(x), Ty::List(y)) if function == "_+_" && x.fits(y) => {
            Ok(Ty::List(Box::new((**x).clone().joined((**y).clone()))))
        }
        _ => Err(no_overload(function)),
    }
}

/// Names, how many operands they take at least and at most, and what they return.
type Row = (&'static [&'static str], usize, usize, Ty);

const FUNCTIONS: &[Row] = &[
    (&["size", "int"], 1, 1, Ty::Int),
    (&["uint"], 1, 1, Ty::Uint),
    (&["double", "asApproximateFloat"], 1, 1, Ty::Double),
    (
        &["string", "lowerAscii", "upperAscii", "trim"],
        1,
        1,
        Ty::String,
    ),
    (&["bytes", "base64.decode"], 1, 1, Ty::Bytes),
    (
        &[
            "bool",
            "isSorted",
            "isIP",
            "isCIDR",
            "isQuantity",
            "isURL",
            "isInteger",
            "hasValue",
        ],
        1,
        1,
        Ty::Bool,
    ),
    (
        &[
            "ip.isCanonical",
            "isUnspecified",
            "isLoopback",
            "isLinkLocalMulticast",
        ],
        1,
        1,
        Ty::Bool,
    ),
    (&["isLinkLocalUnicast", "isGlobalUnicast"], 1, 1, Ty::Bool),
    (&["isSemver"], 1, 2, Ty::Bool),
    (&["type"], 1, 1, Ty::Type),
    (
        &[
            "dyn", "sum", "min", "max", "value", "reverse", "distinct", "flatten", "sort",
        ],
        1,
        2,
        Ty::Dyn,
    ),
    (&["duration"], 1, 1, Ty::Duration),
    (&["timestamp"], 1, 1, Ty::Timestamp),
    (
        &["contains", "startsWith", "endsWith", "matches"],
        2,
        2,
        Ty::Bool,
    ),
    (
        &["isGreaterThan", "isLessThan", "containsIP", "containsCIDR"],
        2,
        2,
        Ty::Bool,
    ),
    (
        &["sets.contains", "sets.equivalent", "sets.intersects"],
        2,
        2,
        Ty::Bool,
    ),
    (&["charAt"], 2, 2, Ty::String),
    (&["indexOf", "lastIndexOf"], 2, 3, Ty::Int),
    (&["compareTo"], 2, 2, Ty::Int),
    (&["replace"], 3, 4, Ty::String),
    (&["substring"], 2, 3, Ty::String),
    (&["join"], 1, 2, Ty::String),
    (&["find"], 2, 2, Ty::String),
    (&["slice"], 3, 3, Ty::Dyn),
    (
        &[
            "getScheme",
            "getHost",
            "getHostname",
            "getPort",
            "getEscapedPath",
        ],
        1,
        1,
        Ty::String,
    ),
    (
        &[
            "getQuery",
            "format.named",
            "validate",
            "optional.of",
            "optional.ofNonZeroValue",
        ],
        1,
        2,
        Ty::Dyn,
    ),
    (&["optional.none"], 0, 0, Ty::Dyn),
    (&["orValue", "or"], 2, 2, Ty::Dyn),
    (
        &[
            "family",
            "prefixLength",
            "asInteger",
            "sign",
            "major",
            "minor",
            "patch",
        ],
        1,
        1,
        Ty::Int,
    ),
    (
        &[
            "getFullYear",
            "getMonth",
            "getDate",
            "getDayOfMonth",
            "getDayOfYear",
            "getDayOfWeek",
        ],
        1,
        2,
        Ty::Int,
    ),
    (
        &["getHours", "getMinutes", "getSeconds", "getMilliseconds"],
        1,
        2,
        Ty::Int,
    ),
    (&["ip"], 1, 1, Ty::Other("net.IP")),
    (&["cidr", "masked"], 1, 1, Ty::Other("net.CIDR")),
    (&["quantity"], 1, 1, Ty::Other("kubernetes.Quantity")),
    (&["add", "sub"], 2, 2, Ty::Other("kubernetes.Quantity")),
    (&["url"], 1, 1, Ty::Other("kubernetes.URL")),
    (&["semver"], 1, 2, Ty::Other("kubernetes.Semver")),
    (
        &[
            "format.dns1123Label",
            "format.dns1123Subdomain",
            "format.dns1035Label",
            "format.qualifiedName",
        ],
        0,
        0,
        Ty::Dyn,
    ),
    (
        &[
            "format.dns1123LabelPrefix",
            "format.dns1123SubdomainPrefix",
            "format.dns1035LabelPrefix",
        ],
        0,
        0,
        Ty::Dyn,
    ),
    (
        &[
            "format.labelValue",
            "format.uri",
            "format.uuid",
            "format.byte",
            "format.date",
            "format.datetime",
        ],
        0,
        0,
        Ty::Dyn,
    ),
    // Methods of the authorizer, which are taken and not evaluated.
    (
        &[
            "path",
            "group",
            "serviceAccount",
            "resource",
            "subresource",
            "namespace",
            "name",
            "check",
        ],
        1,
        3,
        Ty::Dyn,
    ),
    (
        &["fieldSelector", "labelSelector", "requestResource"],
        1,
        2,
        Ty::Dyn,
    ),
    (&["allowed", "errored"], 1, 1, Ty::Bool),
    (&["reason", "error"], 1, 1, Ty::String),
];

fn known_function(function: &str, operands: usize) -> Result<Ty, String> {
    match function {
        "split" if (2..=3).contains(&operands) => return Ok(Ty::List(Box::new(Ty::String))),
        "findAll" if (2..=3).contains(&operands) => return Ok(Ty::List(Box::new(Ty::String))),
        "format" | "split" | "findAll" => return Ok(Ty::Dyn),
        _ => {}
    }
    let Some((_, least, most, ty)) = FUNCTIONS
        .iter()
        .find(|(names, ..)| names.contains(&function))
    else {
        return Err(format!("undeclared reference to '{function}'"));
    };
    match (*least..=*most).contains(&operands) {
        true => Ok(ty.clone()),
        false => Err(no_overload(function)),
    }
}

/// Functions of strings, called with what is no string.
fn result_of(function: &str, types: &[Ty], ty: Ty) -> Result<Ty, String> {
    let fits = match (function, types) {
        ("contains" | "startsWith" | "endsWith" | "matches", [a, b]) => {
            a.fits(&Ty::String) && b.fits(&Ty::String)
        }
        ("size", [a]) => {
            matches!(
                a,
                Ty::List(_)
                    | Ty::Map(..)
                    | Ty::String
                    | Ty::Bytes
                    | Ty::Dyn
                    | Ty::Object(_)
                    | Ty::Fields(_)
            )
        }
        (
            "lowerAscii" | "upperAscii" | "trim" | "charAt" | "replace" | "substring" | "find"
            | "split",
            [a, ..],
        ) => a.fits(&Ty::String),
        ("orValue", [Ty::Optional(inner), other]) => {
            return Ok((**inner).clone().joined(other.clone()));
        }
        _ => true,
    };
    if fits {
        Ok(ty)
    } else {
        Err(no_overload(function))
    }
}
