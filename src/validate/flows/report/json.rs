//! The analysis as JSON, for other tools.

use serde_json::{Value, json as object};

use super::{ReportedVerdict, posture, reasons, shown};
use crate::cilium::Direction;
use crate::validate::flows::evaluate::Mode;
use crate::validate::flows::{Analysis, Importance};

/// Prints endpoints, policies, needed flows, and the ports that are open between each two pods.
pub fn json(analysis: &Analysis) -> String {
    let document = object!({
        "endpoints": endpoints(analysis),
        "policies": analysis.policies().map(|p| object!({
            "id": p.id,
            "place": p.place.as_ref().map(ToString::to_string),
        })).collect::<Vec<_>>(),
        "refused": analysis.refused.iter().map(|r| object!({
            "id": r.id,
            "reason": r.refusal.reason,
            "place": r.refusal.place.as_ref().map(ToString::to_string),
        })).collect::<Vec<_>>(),
        "needs": needs(analysis),
        "open": open(analysis),
    });
    format!("{document:#}\n")
}

fn endpoints(analysis: &Analysis) -> Vec<Value> {
    let one = |(index, endpoint): (usize, &crate::validate::flows::Endpoint)| {
        object!({
            "name": endpoint.title(),
            "role": format!("{:?}", endpoint.role),
            "labels": endpoint.own_labels().collect::<std::collections::BTreeMap<_, _>>(),
            "assumed": endpoint.assumed,
            "place": endpoint.place.as_ref().map(ToString::to_string),
            "ingress": posture(analysis, index, Direction::Ingress),
            "egress": posture(analysis, index, Direction::Egress),
        })
    };
    analysis.endpoints.iter().enumerate().map(one).collect()
}

fn needs(analysis: &Analysis) -> Vec<Value> {
    let one = |need: &crate::validate::flows::NeededFlow| {
        object!({
            "id": need.id,
            "from": analysis.endpoints[need.from].title(),
            "to": analysis.endpoints[need.to].title(),
            "port": need.port,
            "protocol": need.protocol.as_str(),
            "required": need.importance == Importance::Required,
            "why": need.why,
            "fate": ReportedVerdict::of(analysis, need).as_str(),
            "by": reasons(analysis, need),
        })
    };
    analysis.needs.iter().map(one).collect()
}

fn open(analysis: &Analysis) -> Vec<Value> {
    let mut pairs = Vec::new();
    let shown = shown(analysis);
    for from in &shown {
        for to in shown.iter().filter(|to| to.is_pod() || from.is_pod()) {
            pairs.push(object!({
                "from": from.title(),
                "to": to.title(),
                "now": analysis.open_ports(from, to, Mode::AsWritten),
                "enforced": analysis.open_ports(from, to, Mode::AsEnforced),
            }));
        }
    }
    pairs
}
