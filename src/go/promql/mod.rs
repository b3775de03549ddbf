//! Whether an expression of Prometheus can be read, and is of the right types.
//!
//! The reference is `promql/parser` of Prometheus 3 (`lex.go`, `generated_parser.y`, `parse.go`, `functions.go`)
//! without experimental features: precedence and types are its own, and what it lets pass passes here. Nothing is
//! evaluated. Pinned by the cases `expr-*` of the recorded group `rules`.

mod functions;
mod lex;
mod parse;

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The byte at which it is.
    pub at: usize,
    /// What it is.
    pub phrase: String,
}

impl Fault {
    fn new(at: usize, phrase: impl Into<String>) -> Self {
        let phrase = phrase.into();
        Self { at, phrase }
    }
}

/// Longer expressions are mistakes.
const MAX_BYTES: usize = 256 << 10;

/// Checks an expression.
///
/// Fails with the first thing that Prometheus refuses.
pub fn check(expression: &str) -> Result<(), Fault> {
    if expression.len() > MAX_BYTES {
        return Err(Fault::new(0, "the expression is too long"));
    }
    let tokens = lex::tokens(expression)?;
    parse::Parser::new(&tokens, expression.len()).whole()
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_prometheus_reads_is_read() {
        for expression in [
            "sum by (pod) (rate(errors_total{job=~\"a|b\"}[5m])) > 0.5",
            "max_over_time(rate(x[5m])[1h:1m] offset 1d)",
            "a * on (pod) group_left (x) b",
            "-2 ^ 2 > bool 1",
            "topk(3, up) or vector(1)",
            "up{\"app.kubernetes.io/name\"=\"x\",}",
            "{__name__=\"up\"}",
            "sum > 1",
            "count_values(\"v\", up)",
            "histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))",
            "up @ end()",
            "x > 5m",
            "label_join(up, \"a\", \"-\", \"b\", \"c\")",
            "hour() > 5",
        ] {
            assert_eq!(check(expression), Ok(()), "{expression}");
        }
    }

    #[test]
    fn what_prometheus_refuses_is_refused() {
        for expression in [
            "",
            "up up",
            "up = 0",
            "1 > 2",
            "up[5m] > 1",
            "up == \"1\"",
            "rate(up)",
            "up and 1",
            "{}",
            "{job=\"\"}",
            "up{__name__=\"x\"}",
            "a * group_left b",
            "topk(up)",
            "sum(up) by pod",
            "(up",
            "up{job=~\"(\"}",
            "a and on (x) group_left b",
            "1_",
        ] {
            assert!(check(expression).is_err(), "{expression}");
        }
        let deep = "(".repeat(5000);
        assert!(check(&deep).is_err());
    }
}
