//! What is in the cluster beside a render, as the project says it.

use super::Root;
use crate::files::TreePath;
use crate::overlay::Config;
use crate::validate::flows::Assumptions;

impl Root<'_> {
    /// Where the operator, Prometheus and DNS run, and which Clusters charts make in this root: from the
    /// parameters and the declared clusters of the project's overlays.
    pub fn assumptions(&self) -> Assumptions {
        let config = self.overlays();
        assumptions(&config, self.directory())
    }
}

fn assumptions(config: &Config, root: &TreePath) -> Assumptions {
    let mut assumptions = Assumptions::default();
    let slots = [
        ("operator", &mut assumptions.operator),
        ("prometheus", &mut assumptions.prometheus),
        ("dns", &mut assumptions.dns),
    ];
    for (parameter, slot) in slots {
        let pods = config.pods(parameter);
        slot.namespace = pods
            .namespace
            .unwrap_or(std::mem::take(&mut slot.namespace));
        slot.labels = pods.labels.unwrap_or(std::mem::take(&mut slot.labels));
    }
    let declared = config.declared(root);
    assumptions.clusters = declared
        .map(|(namespace, name)| (namespace.to_owned(), name.to_owned()))
        .collect();
    assumptions
}
