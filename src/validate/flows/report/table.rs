//! The table for a terminal.

use std::fmt::Write as _;

use super::{ReportedVerdict, posture, reasons};
use crate::cilium::Direction;
use crate::validate::flows::{Analysis, Importance};

/// Prints the needed flows, one a line, and then how each pod stands.
pub fn table(analysis: &Analysis) -> String {
    let mut rows = vec![["FATE", "FROM", "TO", "PORT", "NEEDED FOR", "BY"].map(str::to_owned)];
    for need in &analysis.needs {
        let short = need.why.split([':', ',']).next().unwrap_or_default();
        let why = match need.importance {
            Importance::Required => short.to_owned(),
            Importance::Advised => format!("({short})"),
        };
        rows.push([
            ReportedVerdict::of(analysis, need).as_str().to_owned(),
            analysis.endpoints[need.from].title(),
            analysis.endpoints[need.to].title(),
            format!("{}/{}", need.port, need.protocol.as_str()),
            why,
            reasons(analysis, need).join("; "),
        ]);
    }
    let mut out = align(&rows);
    out.push('\n');
    let mut rows = vec![["POD", "INGRESS", "EGRESS", "FROM"].map(str::to_owned)];
    for (index, endpoint) in analysis
        .endpoints
        .iter()
        .enumerate()
        .filter(|(_, e)| e.is_pod())
    {
        let place = endpoint.place.as_ref().filter(|_| !endpoint.assumed);
        rows.push([
            endpoint.title(),
            posture(analysis, index, Direction::Ingress).to_owned(),
            posture(analysis, index, Direction::Egress).to_owned(),
            place.map_or_else(|| "assumed".to_owned(), ToString::to_string),
        ]);
    }
    out.push_str(&align(&rows));
    for refused in &analysis.refused {
        // Writing to a String does not fail.
        let _ = writeln!(out, "\nrefused: {}: {}", refused.id, refused.refusal.reason);
    }
    out
}

/// Pads every column but the last to its widest cell.
fn align<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (index, cell) in row.iter().enumerate() {
            let width = if index + 1 < N { widths[index] + 2 } else { 0 };
            // Writing to a String does not fail.
            let _ = write!(line, "{cell:<width$}");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
