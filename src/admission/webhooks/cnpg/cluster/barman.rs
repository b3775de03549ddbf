//! In-tree Barman: `ValidateBackupConfiguration` and `ValidateRetentionPolicy` of `barman-cloud/pkg/webhooks`.

use serde_json::Value;

use crate::admission::native::Look;
use crate::admission::webhooks::cnpg::Judging;

const BASE: [&str; 3] = ["spec", "backup", "barmanObjectStore"];

pub(super) fn check(cluster: &Value, judging: &mut Judging<'_>) {
    let backup = cluster.down(&["spec", "backup"]);
    let store = backup.at("barmanObjectStore");
    if !store.is_null() {
        credentials(store, judging);
    }
    let policy = backup.text("retentionPolicy");
    if !policy.is_empty() && !is_retention(policy) {
        judging.invalid(
            &["spec", "backup", "retentionPolicy"],
            "must be a number of days, weeks or months, such as 30d",
        );
    }
}

fn is_retention(policy: &str) -> bool {
    let number = policy.trim_end_matches(['d', 'w', 'm']);
    policy.len() == number.len() + 1
        && number.starts_with(|c: char| ('1'..='9').contains(&c))
        && number.bytes().all(|b| b.is_ascii_digit())
}

fn credentials(store: &Value, judging: &mut Judging<'_>) {
    let kinds = ["azureCredentials", "s3Credentials", "googleCredentials"];
    if kinds.iter().filter(|kind| store.has(kind)).count() != 1 {
        judging.invalid(
            &BASE,
            "must have one of azureCredentials, s3Credentials and googleCredentials",
        );
    }
    if store.has("azureCredentials") {
        azure(store.at("azureCredentials"), judging);
    }
    if store.has("s3Credentials") {
        aws(store.at("s3Credentials"), judging);
    }
    if store.has("googleCredentials") {
        google(store.at("googleCredentials"), judging);
    }
}

fn azure(azure: &Value, judging: &mut Judging<'_>) {
    let steps = [&BASE[..], &["azureCredentials"]].concat();
    let secrets = ["storageKey", "storageSasToken"];
    let secrets = secrets.iter().filter(|field| azure.has(field)).count();
    let managed = ["inheritFromAzureAD", "useDefaultAzureCredentials"];
    let managed = managed.iter().filter(|field| azure.flag(field)).count();
    let is_bare = azure.has("connectionString");
    let is_right = match (is_bare, managed) {
        (true, 0) => secrets == 0 && !azure.has("storageAccount"),
        (false, 1) => secrets == 0,
        (false, 0) => secrets == 1 && azure.has("storageAccount"),
        _ => false,
    };
    if !is_right {
        judging.invalid(
            &steps,
            "must be a connectionString, or a storageAccount with one of storageKey, storageSasToken and \
             inheritFromAzureAD",
        );
    }
}

fn aws(aws: &Value, judging: &mut Judging<'_>) {
    let steps = [&BASE[..], &["awsCredentials"]].concat();
    let (id, key) = (aws.has("accessKeyId"), aws.has("secretAccessKey"));
    let is_inherited = aws.flag("inheritFromIAMRole");
    if id != key || (id && is_inherited) || (!id && !is_inherited) {
        judging.invalid(
            &steps,
            "must have both accessKeyId and secretAccessKey, or inheritFromIAMRole",
        );
    }
}

fn google(google: &Value, judging: &mut Judging<'_>) {
    // As upstream names it, whatever the field is.
    let steps = ["spec", "backupConfiguration", "googleCredentials"];
    if google.flag("gkeEnvironment") == google.has("applicationCredentials") {
        judging.invalid(
            &steps,
            "must have one of gkeEnvironment and applicationCredentials",
        );
    }
}
