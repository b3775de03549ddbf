//! The sets that are part of the program: the files of their folders. Nothing is parsed until it is used.

/// Every file of every set, by its path. A test compares the table with the folders.
static FILES: &[(&str, &str)] = &[
    (
        "cnpg/cnpg-alerts/overlay.yaml",
        include_str!("cnpg/cnpg-alerts/overlay.yaml"),
    ),
    (
        "cnpg/cnpg-alerts/prometheusrule-cluster.yaml.j2",
        include_str!("cnpg/cnpg-alerts/prometheusrule-cluster.yaml.j2"),
    ),
    (
        "cnpg/cnpg-alerts/prometheusrule-enhancements.yaml.j2",
        include_str!("cnpg/cnpg-alerts/prometheusrule-enhancements.yaml.j2"),
    ),
    (
        "cnpg/cnpg-backup-egress/networkpolicy-egress.yaml.j2",
        include_str!("cnpg/cnpg-backup-egress/networkpolicy-egress.yaml.j2"),
    ),
    (
        "cnpg/cnpg-backup-egress/overlay.yaml",
        include_str!("cnpg/cnpg-backup-egress/overlay.yaml"),
    ),
    (
        "cnpg/cnpg-barman-policy/networkpolicy-barman.yaml.j2",
        include_str!("cnpg/cnpg-barman-policy/networkpolicy-barman.yaml.j2"),
    ),
    (
        "cnpg/cnpg-barman-policy/overlay.yaml",
        include_str!("cnpg/cnpg-barman-policy/overlay.yaml"),
    ),
    (
        "cnpg/cnpg-cluster-policy/networkpolicy-cluster.yaml.j2",
        include_str!("cnpg/cnpg-cluster-policy/networkpolicy-cluster.yaml.j2"),
    ),
    (
        "cnpg/cnpg-cluster-policy/overlay.yaml",
        include_str!("cnpg/cnpg-cluster-policy/overlay.yaml"),
    ),
    (
        "cnpg/cnpg-custom-metrics/configmap-custom-metrics.yaml.j2",
        include_str!("cnpg/cnpg-custom-metrics/configmap-custom-metrics.yaml.j2"),
    ),
    (
        "cnpg/cnpg-custom-metrics/overlay.yaml",
        include_str!("cnpg/cnpg-custom-metrics/overlay.yaml"),
    ),
    (
        "cnpg/cnpg-custom-metrics/patch-custom-metrics.yaml.j2",
        include_str!("cnpg/cnpg-custom-metrics/patch-custom-metrics.yaml.j2"),
    ),
    (
        "cnpg/cnpg-default-deny/networkpolicy-default-deny.yaml.j2",
        include_str!("cnpg/cnpg-default-deny/networkpolicy-default-deny.yaml.j2"),
    ),
    (
        "cnpg/cnpg-default-deny/overlay.yaml",
        include_str!("cnpg/cnpg-default-deny/overlay.yaml"),
    ),
    (
        "cnpg/cnpg-external-secrets/externalsecret.yaml.j2",
        include_str!("cnpg/cnpg-external-secrets/externalsecret.yaml.j2"),
    ),
    (
        "cnpg/cnpg-external-secrets/overlay.yaml",
        include_str!("cnpg/cnpg-external-secrets/overlay.yaml"),
    ),
    (
        "cnpg/cnpg-metrics-tls/overlay.yaml",
        include_str!("cnpg/cnpg-metrics-tls/overlay.yaml"),
    ),
    (
        "cnpg/cnpg-metrics-tls/patch-metrics-tls.yaml.j2",
        include_str!("cnpg/cnpg-metrics-tls/patch-metrics-tls.yaml.j2"),
    ),
    (
        "cnpg/cnpg-metrics-tls/podmonitor-cluster.yaml.j2",
        include_str!("cnpg/cnpg-metrics-tls/podmonitor-cluster.yaml.j2"),
    ),
    (
        "cnpg/cnpg-operator-policy/networkpolicy-operator.yaml.j2",
        include_str!("cnpg/cnpg-operator-policy/networkpolicy-operator.yaml.j2"),
    ),
    (
        "cnpg/cnpg-operator-policy/overlay.yaml",
        include_str!("cnpg/cnpg-operator-policy/overlay.yaml"),
    ),
    (
        "cnpg/cnpg-podmonitor/overlay.yaml",
        include_str!("cnpg/cnpg-podmonitor/overlay.yaml"),
    ),
    (
        "cnpg/cnpg-podmonitor/patch-podmonitor.yaml.j2",
        include_str!("cnpg/cnpg-podmonitor/patch-podmonitor.yaml.j2"),
    ),
    (
        "cnpg/cnpg-podmonitor/podmonitor-instances.yaml.j2",
        include_str!("cnpg/cnpg-podmonitor/podmonitor-instances.yaml.j2"),
    ),
    (
        "cnpg/cnpg-podmonitor/podmonitor-operator.yaml.j2",
        include_str!("cnpg/cnpg-podmonitor/podmonitor-operator.yaml.j2"),
    ),
    (
        "cnpg/cnpg-podmonitor/podmonitor-poolers.yaml.j2",
        include_str!("cnpg/cnpg-podmonitor/podmonitor-poolers.yaml.j2"),
    ),
    ("cnpg/set.yaml", include_str!("cnpg/set.yaml")),
    ("cnpg/survey.yaml", include_str!("cnpg/survey.yaml")),
];

/// The names of the sets.
pub(super) const SETS: &[&str] = &["cnpg"];

/// The text of a file.
pub(super) fn text(path: &str) -> Option<&'static str> {
    FILES
        .iter()
        .find(|(p, _)| *p == path)
        .map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "a test that reads the source tree"
    )]
    use super::FILES;

    #[test]
    fn the_table_holds_every_file_of_the_folders() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/overlay/");
        let mut found = Vec::new();
        for folder in std::fs::read_dir(format!("{root}cnpg")).unwrap() {
            let path = folder.unwrap().path();
            let files = if path.is_dir() {
                std::fs::read_dir(path)
                    .unwrap()
                    .map(|f| f.unwrap().path())
                    .collect()
            } else {
                vec![path]
            };
            found.extend(
                files
                    .into_iter()
                    .map(|f| f.display().to_string().replace(root, "")),
            );
        }
        found.sort();
        let table: Vec<_> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(table, found);
    }
}
