//! The admission webhooks of operators.

mod cnpg;

pub(super) use cnpg::Cnpg;
