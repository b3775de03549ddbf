//! What the program sops has: its commands, their flags, and what becomes of each here.

use super::flags::{Effect, Flag, Takes};

/// A command of sops.
#[derive(Debug)]
pub(super) struct Command {
    /// Its name; of a command below another, both.
    pub(super) name: &'static str,
    /// What stands behind its flags.
    pub(super) arguments: &'static str,
    /// What it does.
    pub(super) help: &'static str,
    /// Its flags.
    pub(super) flags: &'static [&'static Flag],
}

const fn switch(names: &'static [&'static str], help: &'static str) -> Flag {
    Flag {
        names,
        takes: Takes::Nothing,
        variable: None,
        effect: Effect::Used,
        help,
    }
}

const fn word(names: &'static [&'static str], help: &'static str) -> Flag {
    Flag {
        takes: Takes::Word,
        ..switch(names, help)
    }
}

const fn key(
    names: &'static [&'static str],
    variable: Option<&'static str>,
    help: &'static str,
) -> Flag {
    Flag {
        variable,
        ..word(names, help)
    }
}

const fn without_effect(names: &'static [&'static str], takes: Takes) -> Flag {
    Flag {
        takes,
        effect: Effect::None,
        ..switch(names, "taken, and without effect")
    }
}

const fn refused(names: &'static [&'static str], takes: Takes) -> Flag {
    Flag {
        takes,
        effect: Effect::Refused,
        ..switch(names, "refused: it is not supported")
    }
}

static DECRYPT: Flag = switch(&["decrypt", "d"], "decrypt a file");
static ENCRYPT: Flag = switch(&["encrypt", "e"], "encrypt a file");
static ROTATE: Flag = switch(
    &["rotate", "r"],
    "make a new data key, and seal every value with it",
);
static SET: Flag = word(&["set"], "set a value: '[\"key\"][0] \"JSON\"'");
static IN_PLACE: Flag = switch(&["in-place", "i"], "write the file itself");
static OUTPUT: Flag = word(&["output"], "write to this file");
static EXTRACT: Flag = word(&["extract"], "print one part: '[\"key\"][0]'");
static INPUT_TYPE: Flag = word(
    &["input-type"],
    "the format of the file: yaml, json, dotenv, ini, binary",
);
static OUTPUT_TYPE: Flag = word(&["output-type"], "the format of the result");
static FILENAME_OVERRIDE: Flag = word(
    &["filename-override"],
    "take rule and formats as for a file of this name",
);
static IGNORE_MAC: Flag = switch(
    &["ignore-mac"],
    "open a file that was changed after it was sealed",
);
static CONFIG: Flag = key(&["config"], Some("SOPS_CONFIG"), "use this .sops.yaml");
static INDENT: Flag = word(&["indent"], "how many blanks indent YAML and JSON");
static MAC_ONLY_ENCRYPTED: Flag = switch(
    &["mac-only-encrypted"],
    "let the MAC cover sealed values only",
);
static THRESHOLD: Flag = word(
    &["shamir-secret-sharing-threshold"],
    "how many key groups are needed",
);
static FRESH: Flag = switch(&["fresh"], "seal every value anew, as sops does");
static YES: Flag = switch(&["yes", "y"], "do not ask");
static FILE: Flag = word(&["file", "f"], "the sealed file");
static IDEMPOTENT: Flag = switch(&["idempotent"], "write nothing where nothing changes");
static VALUE_FILE: Flag = switch(
    &["value-file"],
    "the value is the path of a file that holds it",
);
static VALUE_STDIN: Flag = switch(&["value-stdin"], "the value is read from standard input");
static PRISTINE: Flag = switch(&["pristine"], "hand on no other variable");
static SAME_PROCESS: Flag = switch(&["same-process"], "become the command");
static BACKGROUND: Flag = switch(&["background"], "do not wait for the command");
static NO_FIFO: Flag = switch(&["no-fifo"], "use a file instead of a pipe");
static FILENAME: Flag = word(&["filename"], "the name of the file");

static UNENCRYPTED_SUFFIX: Flag = word(
    &["unencrypted-suffix"],
    "leave what is below keys with this ending readable",
);
static ENCRYPTED_SUFFIX: Flag = word(
    &["encrypted-suffix"],
    "seal only what is below keys with this ending",
);
static UNENCRYPTED_REGEX: Flag = word(
    &["unencrypted-regex"],
    "leave what is below keys that match readable",
);
static ENCRYPTED_REGEX: Flag = word(
    &["encrypted-regex"],
    "seal only what is below keys that match",
);
static UNENCRYPTED_COMMENT_REGEX: Flag = word(
    &["unencrypted-comment-regex"],
    "leave what is below comments that match readable",
);
static ENCRYPTED_COMMENT_REGEX: Flag = word(
    &["encrypted-comment-regex"],
    "seal only what is below comments that match",
);

static AGE: Flag = key(
    &["age", "a"],
    Some("SOPS_AGE_RECIPIENTS"),
    "seal for these age recipients",
);
static PGP: Flag = key(
    &["pgp", "p"],
    Some("SOPS_PGP_FP"),
    "not supported for a new data key",
);
static KMS: Flag = key(
    &["kms", "k"],
    Some("SOPS_KMS_ARN"),
    "not supported for a new data key",
);
static GCP_KMS: Flag = key(
    &["gcp-kms"],
    Some("SOPS_GCP_KMS_IDS"),
    "not supported for a new data key",
);
static HCKMS: Flag = key(
    &["hckms"],
    Some("SOPS_HUAWEICLOUD_KMS_IDS"),
    "not supported for a new data key",
);
static AZURE_KV: Flag = key(
    &["azure-kv"],
    Some("SOPS_AZURE_KEYVAULT_URLS"),
    "not supported for a new data key",
);
static VAULT: Flag = key(
    &["hc-vault-transit"],
    Some("SOPS_VAULT_URIS"),
    "not supported for a new data key",
);
static GROUP_AGE: Flag = word(&["age"], "an age recipient of the group; may be repeated");

static ADD_AGE: Flag = word(&["add-age"], "seal for these age recipients as well");
static RM_AGE: Flag = word(&["rm-age"], "seal no longer for these age recipients");
static ADD_PGP: Flag = word(&["add-pgp"], "not supported for a new data key");
static RM_PGP: Flag = word(&["rm-pgp"], "seal no longer for these keys");
static ADD_KMS: Flag = word(&["add-kms"], "not supported for a new data key");
static RM_KMS: Flag = word(&["rm-kms"], "seal no longer for these keys");
static ADD_GCP_KMS: Flag = word(&["add-gcp-kms"], "not supported for a new data key");
static RM_GCP_KMS: Flag = word(&["rm-gcp-kms"], "seal no longer for these keys");
static ADD_HCKMS: Flag = word(&["add-hckms"], "not supported for a new data key");
static RM_HCKMS: Flag = word(&["rm-hckms"], "seal no longer for these keys");
static ADD_AZURE_KV: Flag = word(&["add-azure-kv"], "not supported for a new data key");
static RM_AZURE_KV: Flag = word(&["rm-azure-kv"], "seal no longer for these keys");
static ADD_VAULT: Flag = word(
    &["add-hc-vault-transit"],
    "not supported for a new data key",
);
static RM_VAULT: Flag = word(&["rm-hc-vault-transit"], "seal no longer for these keys");

static AWS_PROFILE: Flag = without_effect(&["aws-profile"], Takes::Word);
static ENCRYPTION_CONTEXT: Flag = without_effect(&["encryption-context"], Takes::Word);
static DECRYPTION_ORDER: Flag = without_effect(&["decryption-order"], Takes::Word);
static LOCAL_KEYSERVICE: Flag = without_effect(&["enable-local-keyservice"], Takes::Nothing);
static VERBOSE: Flag = without_effect(&["verbose"], Takes::Nothing);
static NO_VERSION_CHECK: Flag = without_effect(&["disable-version-check"], Takes::Nothing);
static VERSION_CHECK: Flag = without_effect(&["check-for-updates"], Takes::Nothing);
static KEYSERVICE: Flag = refused(&["keyservice"], Takes::Word);
static USER: Flag = refused(&["user"], Takes::Word);
static SHOW_MASTER_KEYS: Flag = refused(&["show-master-keys", "s"], Takes::Nothing);
pub(super) static PRINT_VERSION: Flag = switch(&["version", "v"], "print the version");

/// The fields of a creation rule that name keys of services, and the flags that do.
pub(super) const SERVICES: [(&str, &str); 6] = [
    ("pgp", "pgp"),
    ("kms", "kms"),
    ("gcp_kms", "gcp-kms"),
    ("hckms", "hckms"),
    ("azure_keyvault", "azure-kv"),
    ("hc_vault_transit_uri", "hc-vault-transit"),
];

/// The flags that stand before a command, or without one.
pub(super) static GLOBAL: Command = Command {
    name: "",
    arguments: "FILE",
    help: "edit a sealed file; with --decrypt, --encrypt, --rotate or --set, what that does",
    flags: &[
        &DECRYPT,
        &ENCRYPT,
        &ROTATE,
        &SET,
        &IN_PLACE,
        &OUTPUT,
        &EXTRACT,
        &INPUT_TYPE,
        &OUTPUT_TYPE,
        &FILENAME_OVERRIDE,
        &IGNORE_MAC,
        &CONFIG,
        &INDENT,
        &MAC_ONLY_ENCRYPTED,
        &THRESHOLD,
        &FRESH,
        &AGE,
        &PGP,
        &KMS,
        &GCP_KMS,
        &HCKMS,
        &AZURE_KV,
        &VAULT,
        &UNENCRYPTED_SUFFIX,
        &ENCRYPTED_SUFFIX,
        &UNENCRYPTED_REGEX,
        &ENCRYPTED_REGEX,
        &UNENCRYPTED_COMMENT_REGEX,
        &ENCRYPTED_COMMENT_REGEX,
        &ADD_AGE,
        &RM_AGE,
        &ADD_PGP,
        &RM_PGP,
        &ADD_KMS,
        &RM_KMS,
        &ADD_GCP_KMS,
        &RM_GCP_KMS,
        &ADD_HCKMS,
        &RM_HCKMS,
        &ADD_AZURE_KV,
        &RM_AZURE_KV,
        &ADD_VAULT,
        &RM_VAULT,
        &AWS_PROFILE,
        &ENCRYPTION_CONTEXT,
        &DECRYPTION_ORDER,
        &LOCAL_KEYSERVICE,
        &VERBOSE,
        &NO_VERSION_CHECK,
        &VERSION_CHECK,
        &KEYSERVICE,
        &SHOW_MASTER_KEYS,
        &PRINT_VERSION,
    ],
};

/// Every command.
pub(super) static COMMANDS: [Command; 11] = [
    Command {
        name: "encrypt",
        arguments: "[FILE]",
        help: "seal a file, or standard input, by the creation rules of .sops.yaml",
        flags: &[
            &IN_PLACE,
            &OUTPUT,
            &AGE,
            &PGP,
            &KMS,
            &GCP_KMS,
            &HCKMS,
            &AZURE_KV,
            &VAULT,
            &INPUT_TYPE,
            &OUTPUT_TYPE,
            &UNENCRYPTED_SUFFIX,
            &ENCRYPTED_SUFFIX,
            &UNENCRYPTED_REGEX,
            &ENCRYPTED_REGEX,
            &THRESHOLD,
            &FILENAME_OVERRIDE,
            &FRESH,
            &AWS_PROFILE,
            &ENCRYPTION_CONTEXT,
            &LOCAL_KEYSERVICE,
            &KEYSERVICE,
            &VERBOSE,
        ],
    },
    Command {
        name: "decrypt",
        arguments: "[FILE]",
        help: "open a sealed file, or standard input",
        flags: &[
            &IN_PLACE,
            &EXTRACT,
            &OUTPUT,
            &INPUT_TYPE,
            &OUTPUT_TYPE,
            &IGNORE_MAC,
            &FILENAME_OVERRIDE,
            &DECRYPTION_ORDER,
            &LOCAL_KEYSERVICE,
            &KEYSERVICE,
            &VERBOSE,
        ],
    },
    Command {
        name: "set",
        arguments: "FILE PATH [JSON]",
        help: "set a value of a sealed file",
        flags: &[
            &INPUT_TYPE,
            &OUTPUT_TYPE,
            &VALUE_FILE,
            &VALUE_STDIN,
            &IGNORE_MAC,
            &IDEMPOTENT,
            &FRESH,
            &THRESHOLD,
            &DECRYPTION_ORDER,
            &LOCAL_KEYSERVICE,
            &KEYSERVICE,
            &VERBOSE,
        ],
    },
    Command {
        name: "unset",
        arguments: "FILE PATH",
        help: "remove a value of a sealed file",
        flags: &[
            &INPUT_TYPE,
            &OUTPUT_TYPE,
            &IGNORE_MAC,
            &IDEMPOTENT,
            &FRESH,
            &THRESHOLD,
            &DECRYPTION_ORDER,
            &LOCAL_KEYSERVICE,
            &KEYSERVICE,
            &VERBOSE,
        ],
    },
    Command {
        name: "rotate",
        arguments: "FILE",
        help: "make a new data key, and seal every value with it",
        flags: &[
            &IN_PLACE,
            &OUTPUT,
            &INPUT_TYPE,
            &OUTPUT_TYPE,
            &FILENAME_OVERRIDE,
            &IGNORE_MAC,
            &ADD_AGE,
            &RM_AGE,
            &ADD_PGP,
            &RM_PGP,
            &ADD_KMS,
            &RM_KMS,
            &ADD_GCP_KMS,
            &RM_GCP_KMS,
            &ADD_HCKMS,
            &RM_HCKMS,
            &ADD_AZURE_KV,
            &RM_AZURE_KV,
            &ADD_VAULT,
            &RM_VAULT,
            &ENCRYPTION_CONTEXT,
            &DECRYPTION_ORDER,
            &LOCAL_KEYSERVICE,
            &KEYSERVICE,
            &VERBOSE,
        ],
    },
    Command {
        name: "updatekeys",
        arguments: "FILE…",
        help: "seal the data key of files for whom .sops.yaml names now",
        flags: &[&YES, &INPUT_TYPE, &LOCAL_KEYSERVICE, &KEYSERVICE],
    },
    Command {
        name: "groups",
        arguments: "add|delete --file FILE [INDEX]",
        help: "add a key group to a sealed file, or take one away",
        flags: &[
            &FILE,
            &IN_PLACE,
            &THRESHOLD,
            &GROUP_AGE,
            &PGP,
            &KMS,
            &GCP_KMS,
            &HCKMS,
            &AZURE_KV,
            &VAULT,
            &AWS_PROFILE,
            &ENCRYPTION_CONTEXT,
            &LOCAL_KEYSERVICE,
            &KEYSERVICE,
        ],
    },
    Command {
        name: "edit",
        arguments: "FILE",
        help: "open a sealed file in an editor, and seal what was edited",
        flags: &[
            &AGE,
            &PGP,
            &KMS,
            &GCP_KMS,
            &HCKMS,
            &AZURE_KV,
            &VAULT,
            &INPUT_TYPE,
            &OUTPUT_TYPE,
            &UNENCRYPTED_SUFFIX,
            &ENCRYPTED_SUFFIX,
            &UNENCRYPTED_REGEX,
            &ENCRYPTED_REGEX,
            &THRESHOLD,
            &IGNORE_MAC,
            &FRESH,
            &AWS_PROFILE,
            &ENCRYPTION_CONTEXT,
            &DECRYPTION_ORDER,
            &LOCAL_KEYSERVICE,
            &KEYSERVICE,
            &SHOW_MASTER_KEYS,
            &VERBOSE,
        ],
    },
    Command {
        name: "filestatus",
        arguments: "FILE",
        help: "say whether a file is sealed, as JSON",
        flags: &[&INPUT_TYPE],
    },
    Command {
        name: "exec-env",
        arguments: "FILE COMMAND",
        help: "run a command with the values of a sealed file as variables",
        flags: &[
            &PRISTINE,
            &SAME_PROCESS,
            &BACKGROUND,
            &DECRYPTION_ORDER,
            &LOCAL_KEYSERVICE,
            &KEYSERVICE,
            &USER,
        ],
    },
    Command {
        name: "exec-file",
        arguments: "FILE COMMAND",
        help: "run a command with a sealed file, opened, in the place of {}",
        flags: &[
            &NO_FIFO,
            &FILENAME,
            &INPUT_TYPE,
            &OUTPUT_TYPE,
            &DECRYPTION_ORDER,
            &LOCAL_KEYSERVICE,
            &KEYSERVICE,
            &USER,
        ],
    },
];

/// Commands of sops that are not there.
pub(super) const ABSENT: [&str; 3] = ["publish", "keyservice", "completion"];
