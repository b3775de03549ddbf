//! The functions of Prometheus 3 that are not experimental: `functions.go`.

use super::parse::Type;

/// A function: what it takes, how many of the last may be left out or repeated, and what it returns.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) takes: &'static str,
    pub(super) variadic: Variadic,
    pub(super) returns: Type,
}

/// How many arguments a function takes besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variadic {
    Exact,
    /// The last may be left out.
    Optional,
    /// The last may be repeated, or left out.
    Any,
}

/// Names by their arguments: `v` an instant vector, `m` a range vector, `s` a scalar, `t` a string; `?` after the last
/// where it may be left out, `*` where it may be repeated.
const TABLE: [(&str, &str); 14] = [
    (
        "v",
        "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg histogram_count \
         histogram_stddev histogram_stdvar histogram_sum ln log10 log2 rad scalar sgn sin sinh sort sort_desc sqrt tan \
         tanh timestamp",
    ),
    (
        "m",
        "absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time \
         max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time",
    ),
    ("vss", "clamp"),
    ("vs", "clamp_max clamp_min"),
    (
        "v?",
        "day_of_month day_of_week day_of_year days_in_month hour minute month year",
    ),
    ("ssv", "histogram_fraction"),
    ("sv", "histogram_quantile"),
    ("vtttt", "label_replace"),
    ("vttt*", "label_join"),
    ("", "pi time"),
    ("ms", "predict_linear"),
    ("sm", "quantile_over_time"),
    ("vs?", "round"),
    ("s", "vector"),
];

pub(super) fn find(name: &str) -> Option<Function> {
    let (takes, _) = TABLE
        .iter()
        .find(|(_, names)| names.split_whitespace().any(|n| n == name))?;
    let variadic = match takes.chars().next_back() {
        Some('?') => Variadic::Optional,
        Some('*') => Variadic::Any,
        _ => Variadic::Exact,
    };
    let returns = match name {
        "pi" | "time" | "scalar" => Type::Scalar,
        _ => Type::Vector,
    };
    Some(Function {
        takes: takes.trim_end_matches(['?', '*']),
        variadic,
        returns,
    })
}

/// What an aggregation takes before its vector: nothing, a scalar or a string.
pub(super) fn aggregation(name: &str) -> Option<Option<Type>> {
    match name.to_ascii_lowercase().as_str() {
        "sum" | "avg" | "count" | "min" | "max" | "group" | "stddev" | "stdvar" => Some(None),
        "topk" | "bottomk" | "quantile" => Some(Some(Type::Scalar)),
        "count_values" => Some(Some(Type::Text)),
        _ => None,
    }
}
