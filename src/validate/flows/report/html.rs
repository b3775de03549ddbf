//! The analysis as one page that needs nothing else: no script, no font, no image from elsewhere.
//!
//! Words and signs carry what colour shows; tables have captions and header cells; it prints.

use std::fmt::Write as _;

use super::{ReportedVerdict, posture, reasons, shown};
use crate::cilium::Direction;
use crate::validate::flows::evaluate::Mode;
use crate::validate::flows::{Analysis, Endpoint, Importance, NeededFlow};

const STYLE: &str = include_str!("page.css");

/// Prints the page.
pub fn html(analysis: &Analysis, title: &str) -> String {
    let mut out = String::with_capacity(32 << 10);
    let title = escape(title);
    // Writing to a String does not fail.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Flows of {title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>Who may talk to whom</h1>\n<p>{title}</p>\n</header>\n<main>\n"
    );
    summary(&mut out, analysis);
    for fate in ReportedVerdict::ALL {
        flows(&mut out, analysis, fate);
    }
    pods(&mut out, analysis);
    matrix(&mut out, analysis);
    refused(&mut out, analysis);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A sign that stands for a fate where colour cannot be seen.
fn sign(fate: ReportedVerdict) -> &'static str {
    match fate {
        ReportedVerdict::Allowed => "✓",
        ReportedVerdict::Unknown => "?",
        ReportedVerdict::Open => "○",
        ReportedVerdict::Endangered => "!",
        ReportedVerdict::Dropped => "✕",
    }
}

fn of_fate(analysis: &Analysis, fate: ReportedVerdict) -> Vec<&NeededFlow> {
    analysis
        .needs
        .iter()
        .filter(|n| ReportedVerdict::of(analysis, n) == fate)
        .collect()
}

fn summary(out: &mut String, analysis: &Analysis) {
    out.push_str("<ul class=\"summary\">\n");
    for fate in ReportedVerdict::ALL {
        let count = of_fate(analysis, fate).len();
        if fate == ReportedVerdict::Unknown && count == 0 {
            continue;
        }
        let (name, meaning) = (fate.as_str(), fate.meaning());
        let _ = writeln!(
            out,
            "<li class=\"{name}\"><a href=\"#{name}\"><span aria-hidden=\"true\">{}</span> <b>{count}</b> {name}</a><small>{meaning}</small></li>",
            sign(fate)
        );
    }
    out.push_str("</ul>\n");
}

fn flows(out: &mut String, analysis: &Analysis, fate: ReportedVerdict) {
    let needs = of_fate(analysis, fate);
    if needs.is_empty() {
        return;
    }
    let (name, meaning) = (fate.as_str(), fate.meaning());
    let heading = match fate {
        ReportedVerdict::Dropped => "that are dropped",
        ReportedVerdict::Endangered => "that enforce would drop",
        ReportedVerdict::Unknown => "that cannot be known",
        ReportedVerdict::Open => "that no policy governs",
        ReportedVerdict::Allowed => "that rules allow",
    };
    let _ = write!(
        out,
        "<section>\n<h2 id=\"{name}\" class=\"{name}\"><span aria-hidden=\"true\">{}</span> Needed flows {heading}</h2>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{name}\">\n<table class=\"cards\">\n<caption>CloudNativePG needs these; {meaning}.</caption>\n\
         <colgroup><col class=\"pod\"><col class=\"pod\"><col class=\"port\"><col class=\"why\"><col></colgroup>\n\
         <thead><tr><th scope=\"col\">From</th><th scope=\"col\">To</th><th scope=\"col\">Port</th><th scope=\"col\">Needed for</th><th scope=\"col\">Decided by</th></tr></thead>\n<tbody>\n",
        sign(fate)
    );
    for need in needs {
        let by: Vec<String> = reasons(analysis, need).iter().map(|r| escape(r)).collect();
        let advised = if need.importance == Importance::Advised {
            " <em>(advised)</em>"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td data-label=\"To\">{}</td><td data-label=\"Port\">{}/{}</td><td data-label=\"Needed for\">{}{advised}</td><td data-label=\"Decided by\">{}{}</td></tr>",
            name_of(&analysis.endpoints[need.from]),
            name_of(&analysis.endpoints[need.to]),
            need.port,
            need.protocol.as_str(),
            escape(need.why),
            by.join("<br>"),
            remedy(analysis, need, fate)
        );
    }
    out.push_str("</tbody>\n</table>\n</div>\n</section>\n");
}

/// What to add so that a flow passes, to be unfolded.
fn remedy(analysis: &Analysis, need: &NeededFlow, fate: ReportedVerdict) -> String {
    let mode = match fate {
        ReportedVerdict::Dropped => Mode::AsWritten,
        ReportedVerdict::Endangered => Mode::AsEnforced,
        ReportedVerdict::Allowed | ReportedVerdict::Open | ReportedVerdict::Unknown => {
            return String::new();
        }
    };
    let verdict = analysis.verdict_on(need, mode);
    let advice = analysis.advice(need, &verdict);
    let texts: Vec<String> = advice.iter().map(|a| escape(&a.what)).collect();
    format!(
        "<details><summary>What to do</summary><pre>{}</pre></details>",
        texts.join("\n")
    )
}

fn name_of(endpoint: &Endpoint) -> String {
    let title = escape(&endpoint.title());
    // A line may break after the namespace.
    title.replacen('/', "/<wbr>", 1)
}

fn pods(out: &mut String, analysis: &Analysis) {
    out.push_str(
        "<section>\n<h2 id=\"pods\">Pods</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"pods\">\n<table class=\"cards\">\n<caption>Where a direction is denied by default, only what a rule allows passes.</caption>\n\
         <thead><tr><th scope=\"col\">Pod</th><th scope=\"col\">Ingress</th><th scope=\"col\">Egress</th><th scope=\"col\">Policies</th><th scope=\"col\">Known from</th></tr></thead>\n<tbody>\n",
    );
    for (index, endpoint) in analysis
        .endpoints
        .iter()
        .enumerate()
        .filter(|(_, e)| e.is_pod())
    {
        let policies: Vec<String> = analysis
            .selecting(endpoint)
            .map(|p| escape(&p.id))
            .collect();
        let place = endpoint.place.as_ref().filter(|_| !endpoint.assumed);
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td data-label=\"Ingress\">{}</td><td data-label=\"Egress\">{}</td><td data-label=\"Policies\">{}</td><td data-label=\"Known from\">{}</td></tr>",
            name_of(endpoint),
            posture(analysis, index, Direction::Ingress),
            posture(analysis, index, Direction::Egress),
            if policies.is_empty() {
                "none".to_owned()
            } else {
                policies.join("<br>")
            },
            place.map_or_else(|| "assumed".to_owned(), |p| escape(&p.to_string()))
        );
    }
    out.push_str("</tbody>\n</table>\n</div>\n</section>\n");
}

/// The ports that are open between each two, as the policies are written and once they enforce.
fn matrix(out: &mut String, analysis: &Analysis) {
    let shown = shown(analysis);
    out.push_str(
        "<section>\n<h2 id=\"matrix\">Open ports</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"matrix\">\n<table class=\"matrix\">\n<caption>From the row to the column. Where enforcing changes it, the second line says to what.</caption>\n<thead><tr><th scope=\"col\">From \\ to</th>",
    );
    for to in &shown {
        let _ = write!(out, "<th scope=\"col\">{}</th>", name_of(to));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for from in &shown {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", name_of(from));
        for to in &shown {
            out.push_str(&cell(analysis, from, to));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n</section>\n");
}

fn cell(analysis: &Analysis, from: &Endpoint, to: &Endpoint) -> String {
    if !from.is_pod() && !to.is_pod() {
        return "<td class=\"none\">–</td>".to_owned();
    }
    let now = analysis.open_ports(from, to, Mode::AsWritten);
    let enforced = analysis.open_ports(from, to, Mode::AsEnforced);
    let class = match enforced.as_str() {
        "none" => "closed",
        "any port" => "open",
        _ => "some",
    };
    if now == enforced {
        format!("<td class=\"{class}\">{now}</td>")
    } else {
        format!("<td class=\"{class}\">{now}<br><small>enforced: {enforced}</small></td>")
    }
}

fn refused(out: &mut String, analysis: &Analysis) {
    if analysis.refused.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2 class=\"dropped\">Policies that are refused</h2>\n<p>They are applied and deny nothing.</p>\n<ul>\n");
    for refused in &analysis.refused {
        let _ = writeln!(
            out,
            "<li><b>{}</b>: {}</li>",
            escape(&refused.id),
            escape(&refused.refusal.reason)
        );
    }
    out.push_str("</ul>\n</section>\n");
}
