//! The admission webhooks of operators.

mod cnpg;
mod prometheus;

pub(super) use cnpg::Cnpg;
pub(super) use prometheus::PrometheusOperator;
