//! Keys that a service or GnuPG holds: known by name, so that a file which they open too is written whole.
//!
//! Nothing is asked of a service. The names are those that sops prints (`ToString` of its master keys), by which
//! `updatekeys` compares a file with a rule.

/// What holds a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Kms,
    GcpKms,
    HcKms,
    AzureKv,
    HcVault,
    Pgp,
}

/// A key that a service or GnuPG holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceKey {
    /// What holds it.
    pub(crate) service: Service,
    /// Its name: an ARN, an address, a fingerprint.
    pub(crate) name: String,
}

/// The names of a service: in messages, in metadata, in a rule, in a key group of a rule.
struct Names {
    shown: &'static str,
    metadata: &'static str,
    rule: &'static str,
    group: &'static str,
    /// The fields of a key in a key group of a rule, where it is not a string.
    group_fields: &'static [&'static str],
}

impl Service {
    /// Every service, in the order in which sops lists the keys of a rule.
    pub(crate) const ALL: [Self; 6] = [
        Self::Pgp,
        Self::Kms,
        Self::GcpKms,
        Self::HcKms,
        Self::AzureKv,
        Self::HcVault,
    ];

    fn names(self) -> Names {
        let row = |shown, metadata, rule, group, group_fields| Names {
            shown,
            metadata,
            rule,
            group,
            group_fields,
        };
        match self {
            Self::Pgp => row("PGP", "pgp", "pgp", "pgp", &[]),
            Self::Kms => row("AWS KMS", "kms", "kms", "kms", &["arn", "role"]),
            Self::GcpKms => row("GCP KMS", "gcp_kms", "gcp_kms", "gcp_kms", &["resource_id"]),
            Self::HcKms => row("HuaweiCloud KMS", "hckms", "hckms", "hckms", &["key_id"]),
            Self::AzureKv => row(
                "Azure Key Vault",
                "azure_kv",
                "azure_keyvault",
                "azure_keyvault",
                &["vaultUrl", "key", "version"],
            ),
            Self::HcVault => row(
                "HashiCorp Vault",
                "hc_vault",
                "hc_vault_transit_uri",
                "hc_vault",
                &[],
            ),
        }
    }

    /// What it is called in messages.
    pub(crate) fn shown(self) -> &'static str {
        self.names().shown
    }

    /// The field of metadata that lists its keys.
    pub(crate) fn metadata_field(self) -> &'static str {
        self.names().metadata
    }

    /// The field of a creation rule that lists its keys.
    pub(crate) fn rule_field(self) -> &'static str {
        self.names().rule
    }

    /// The field of a key group of a rule that lists its keys, and the fields of a key there.
    pub(crate) fn group_field(self) -> (&'static str, &'static [&'static str]) {
        let names = self.names();
        (names.group, names.group_fields)
    }
}

impl ServiceKey {
    /// A key by the string that a rule or a flag names it with.
    pub(crate) fn of_text(service: Service, text: &str) -> Self {
        let name = match service {
            Service::Pgp => text.replace(' ', ""),
            // What follows is a context, which is no part of the name.
            Service::Kms => text.split('|').next().unwrap_or_default().to_owned(),
            _ => text.trim_end_matches('/').to_owned(),
        };
        Self { service, name }
    }

    /// A key by its fields in a key group of a rule, in the order of [`Service::group_field`].
    pub(crate) fn of_group(service: Service, fields: &[String]) -> Self {
        let name = match (service, fields) {
            (Service::Kms, [arn, role]) if !role.is_empty() => format!("{arn}+{role}"),
            (Service::AzureKv, [vault, key, version]) => azure(vault, key, version),
            (_, [name, ..]) => name.clone(),
            (_, []) => String::new(),
        };
        Self { service, name }
    }

    /// A key by its fields in metadata.
    pub(crate) fn of_fields<E>(
        service: Service,
        field: &dyn Fn(&str) -> Result<String, E>,
    ) -> Result<Self, E> {
        let name = match service {
            Service::Pgp => field("fp")?,
            Service::Kms => match field("role")?.as_str() {
                "" => field("arn")?,
                role => format!("{}+{role}", field("arn")?),
            },
            Service::GcpKms => field("resource_id")?,
            Service::HcKms => field("key_id")?,
            Service::AzureKv => azure(&field("vault_url")?, &field("name")?, &field("version")?),
            Service::HcVault => format!(
                "{}/v1/{}/keys/{}",
                field("vault_address")?,
                field("engine_path")?,
                field("key_name")?
            ),
        };
        Ok(Self { service, name })
    }

    /// What it is called in messages.
    pub(crate) fn shown(&self) -> String {
        format!("{} {}", self.service.shown(), self.name)
    }
}

fn azure(vault: &str, key: &str, version: &str) -> String {
    let name = format!("{}/keys/{key}/{version}", vault.trim_end_matches('/'));
    name.trim_end_matches('/').to_owned()
}
