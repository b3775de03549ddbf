//! The stable codes of everything that can be wrong, and the exit status each one asks for.

/// The exit status of a run, gravest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitStatus {
    /// Done.
    Success = 0,
    /// The input is wrong.
    Input = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A secret cannot be opened or sealed.
    Secret = 3,
    /// A check failed, or `--check` found a difference.
    Check = 4,
    /// A limit or deadline was hit.
    Limit = 5,
    /// A bug of ours.
    Bug = 70,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $exit:ident;)+) => {
        /// What is wrong, as a stable name that documentation, cases and tools can refer to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code, in the order of this file.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name that is printed and documented.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The exit status of a run that ends with it.
            pub fn exit_status(self) -> ExitStatus {
                match self { $(Self::$variant => ExitStatus::$exit,)+ }
            }
        }
    };
}

codes! {
    // cli
    /// An argument is missing, unknown or out of place.
    Usage = "usage", Usage;
    /// A newer kustomize makes something else of a root.
    LevelDiffers = "level-differs", Input;
    /// A change of a kustomization that cannot be made as it is asked for.
    EditRefused = "edit-refused", Input;
    /// A feature is switched off; the message names the flag that allows it.
    NotEnabled = "not-enabled", Input;

    // files
    /// The path of a Flux Kustomization is not in this tree, and its source is likely another one.
    SourceElsewhere = "source-elsewhere", Input;
    /// A file or directory that something names does not exist.
    FileMissing = "file-missing", Input;
    /// A file cannot be read: permission, or not a regular file.
    FileUnreadable = "file-unreadable", Input;
    /// A path leaves the root of the render.
    OutsideRoot = "outside-root", Input;
    /// A file is larger than a limit allows.
    FileTooLarge = "file-too-large", Limit;
    /// A file cannot be written.
    WriteFailed = "write-failed", Input;
    /// A written tree differs from what it would be.
    OutputDiffers = "output-differs", Check;

    // yaml
    /// Text that is not YAML as go-yaml reads it.
    YamlSyntax = "yaml-syntax", Input;
    /// A mapping has a key twice.
    YamlDuplicateKey = "yaml-duplicate-key", Input;
    /// A document is too deep, too large, or its aliases expand to too much.
    YamlLimit = "yaml-limit", Limit;
    /// A value that cannot be written as JSON, and so not as a manifest.
    YamlValue = "yaml-value", Input;
    /// A field has another type than it must have.
    FieldType = "field-type", Input;
    /// A field is not known.
    FieldUnknown = "field-unknown", Input;
    /// A field that must be there is missing.
    FieldMissing = "field-missing", Input;

    // programs
    /// A program cannot be started, fails, or takes too much.
    ProgramFailed = "program-failed", Input;
    /// A file or repository cannot be fetched.
    FetchFailed = "fetch-failed", Input;

    // kube
    /// Two objects of a build have the same identity.
    ResourceDuplicate = "resource-duplicate", Input;

    // sops
    /// A sealed file is not of the form that its format asks for.
    SopsForm = "sops-form", Input;
    /// A file that is to be opened has no SOPS metadata.
    SopsNotSealed = "sops-not-sealed", Secret;
    /// A file that is to be sealed has SOPS metadata already.
    SopsSealed = "sops-sealed", Input;
    /// A sealed file holds the markers of a merge that was not finished.
    SopsConflict = "sops-conflict", Secret;
    /// The metadata of a sealed file are incomplete or contradict each other.
    SopsMetadata = "sops-metadata", Secret;
    /// A file is sealed for keys other than age.
    SopsUnsupportedKey = "sops-unsupported-key", Secret;
    /// No identity opens a sealed file.
    SopsNoIdentity = "sops-no-identity", Secret;
    /// The wrapped data key of a sealed file is damaged.
    SopsDataKey = "sops-data-key", Secret;
    /// A value of a sealed file is not sealed, damaged, or was moved.
    SopsValue = "sops-value", Secret;
    /// A sealed file was changed after it was sealed.
    SopsMac = "sops-mac", Secret;
    /// A document cannot be written in the format that is asked for.
    SopsOutput = "sops-output", Input;
    /// `--extract` names a part that is not there.
    SopsExtract = "sops-extract", Input;
    /// `.sops.yaml` is wrong.
    SopsConfig = "sops-config", Input;
    /// No creation rule of `.sops.yaml` fits a file that is to be sealed.
    SopsNoRule = "sops-no-rule", Secret;
    /// A template makes a secret in a file that cannot be sealed.
    SecretUnsealable = "secret-unsealable", Secret;
    /// A recipient of a creation rule cannot be used.
    SopsRecipient = "sops-recipient", Secret;

    // template
    /// The delimiters or other settings of a template language are wrong.
    TemplateSettings = "template-settings", Input;
    /// Text that is not Jinja.
    TemplateSyntax = "template-syntax", Input;
    /// A name or field that is not set is used.
    TemplateUndefined = "template-undefined", Input;
    /// A filter, function or operator cannot do what it is asked.
    TemplateFailed = "template-failed", Input;
    /// A template that another one includes does not exist.
    TemplateMissing = "template-missing", Input;
    /// A template makes a file where something else stands.
    TemplateConflict = "template-conflict", Input;
    /// A `makejinja.toml` is wrong, or asks for what is not built in.
    MakejinjaInvalid = "makejinja-invalid", Input;
    /// A template works too long, nests too deep or gives too much.
    TemplateLimit = "template-limit", Limit;

    // values
    /// A file of values is no mapping, or is not YAML, TOML or JSON.
    ValuesInvalid = "values-invalid", Input;
    /// A profile was chosen by the name of a Python loader.
    ProfileChosen = "profile-chosen", Input;
    /// Files of values that must be there are not.
    ValuesMissing = "values-missing", Input;

    // kustomize
    /// A kustomization cannot be found in a directory, or is there more than once.
    KustomizationMissing = "kustomization-missing", Input;
    /// Kustomizations stand within each other more deeply than a limit allows.
    KustomizationLimit = "kustomization-limit", Limit;
    /// A kustomization says nothing, or what it must not.
    KustomizationInvalid = "kustomization-invalid", Input;
    /// A kustomization includes itself.
    KustomizationCycle = "kustomization-cycle", Input;
    /// A field of a kustomization is deprecated.
    FieldDeprecated = "field-deprecated", Input;
    /// A kustomization names a file outside of its directory.
    LoadRestricted = "load-restricted", Input;
    /// A document is not an object: it has no kind or no name.
    ManifestInvalid = "manifest-invalid", Input;
    /// A source of a generator cannot be read.
    GeneratorSource = "generator-source", Input;
    /// A generator makes a key twice.
    GeneratorKey = "generator-key", Input;
    /// A generated object meets one that is there, and does not say what to do; or meets none.
    GeneratorBehavior = "generator-behavior", Input;
    /// A generator, transformer or validator cannot be run or is configured wrongly.
    PluginInvalid = "plugin-invalid", Input;
    /// A validator refuses, or changes what it should only look at.
    ValidatorFailed = "validator-failed", Input;
    /// A name may mean several objects that are called differently now.
    ReferenceAmbiguous = "reference-ambiguous", Input;
    /// A var names nothing, or is declared twice.
    VarInvalid = "var-invalid", Input;
    /// Two field specs for one field disagree.
    FieldSpecConflict = "field-spec-conflict", Input;
    /// A field spec has a path that leads nowhere.
    FieldSpecInvalid = "field-spec-invalid", Input;
    /// A regular expression or label selector is malformed.
    SelectorInvalid = "selector-invalid", Input;
    /// A patch is malformed, or neither a strategic merge nor a JSON patch.
    PatchInvalid = "patch-invalid", Input;
    /// A patch names an object that is not in the build.
    PatchTargetMissing = "patch-target-missing", Input;
    /// A patch cannot be applied to its object.
    PatchFailed = "patch-failed", Input;
    /// A list of a patch is too large to be merged.
    PatchLimit = "patch-limit", Limit;
    /// An entry of `replicas` names no object.
    ReplicaTargetMissing = "replica-target-missing", Input;
    /// A replacement is malformed or has no source or target.
    ReplacementInvalid = "replacement-invalid", Input;
    /// A replacement's source or one of its fields does not exist.
    ReplacementMissing = "replacement-missing", Input;

    // overlay
    /// What the project says of overlays is wrong.
    OverlayConfig = "overlay-config", Input;
    /// An overlay or set does not exist, or not in that version.
    OverlayUnknown = "overlay-unknown", Input;
    /// The folder of an overlay is wrong.
    OverlayInvalid = "overlay-invalid", Input;
    /// An overlay reads a name that it does not declare.
    OverlayUndeclared = "overlay-undeclared", Input;
    /// A value that an overlay reads is not one that it allows.
    OverlayInput = "overlay-input", Input;
    /// A parameter of an overlay is not what its schema allows.
    OverlayParameter = "overlay-parameter", Input;
    /// What an overlay asserts of its target does not hold.
    OverlayAssertion = "overlay-assertion", Input;
    /// A selector of the project selects nothing.
    OverlaySelectsNothing = "overlay-selects-nothing", Input;
    /// An object that is declared is in the build too.
    OverlayDeclared = "overlay-declared", Input;
    /// An object that an overlay would add is there already, and different.
    OverlayConflict = "overlay-conflict", Input;
    /// An overlay is left out for the sake of another or of its target.
    OverlayLeftOut = "overlay-left-out", Input;
    /// The namespace of what an overlay adds is not known, or would be changed.
    OverlayNamespace = "overlay-namespace", Input;
    /// The root kustomization cannot be added to.
    OverlayRoot = "overlay-root", Input;

    // substitute
    /// A name that Flux takes for no variable.
    VariableName = "variable-name", Input;
    /// A reference that cannot be read, or whose value cannot be used.
    SubstitutionInvalid = "substitution-invalid", Input;
    /// A variable that is used has no value.
    VariableMissing = "variable-missing", Input;
    /// A quoted reference became something else than text.
    SubstitutionRetyped = "substitution-retyped", Input;
    /// Finished manifests hold what Flux would fill again, and are kept from it.
    SubstitutionProtected = "substitution-protected", Input;

    // validate
    /// A document lacks `apiVersion`, `kind` or a name.
    ObjectIncomplete = "object-incomplete", Input;
    /// Two documents have the same identity.
    ObjectDuplicate = "object-duplicate", Input;
    /// Something that sops sealed is left in a render.
    SealedLeftover = "sealed-leftover", Input;
    /// A delimiter of a template is left in a render.
    DelimiterLeftover = "delimiter-leftover", Input;
    /// A file, or a value in a sealed one, can be read, and is to be sealed.
    SecretReadable = "secret-readable", Check;
    /// A file is sealed for others than its creation rule names.
    SopsDrift = "sops-drift", Check;
    /// A limit of the whole run is reached.
    BudgetSpent = "budget-spent", Limit;
    /// What depends on a sealed value would leave though secrets are kept.
    SecretLeaves = "secret-leaves", Secret;
    /// What depends on sealed values was found by comparing texts alone.
    SecretsByText = "secrets-by-text", Input;
    /// A value of a sealed file stands outside a Secret.
    SecretExposed = "secret-exposed", Input;
    /// A render for a host has no objects.
    RenderEmpty = "render-empty", Input;
    /// A value has another type than its author saw.
    ValueRetyped = "value-retyped", Input;
    /// A field that the schema of its kind does not know.
    SchemaUnknown = "schema-unknown", Check;
    /// A field of another type than its schema asks for.
    SchemaType = "schema-type", Check;
    /// A field that the schema asks for is missing.
    SchemaMissing = "schema-missing", Check;
    /// A value that its schema does not allow.
    SchemaValue = "schema-value", Check;
    /// The API server has no such kind in this version.
    SchemaKind = "schema-kind", Check;
    /// A kind has no schema here, and every object was to be judged.
    SchemaNone = "schema-none", Check;
    /// A comment or a rule that leaves findings out is about none, or gives no reason.
    SuppressionUseless = "suppression-useless", Check;
    /// A server-side apply is refused where a plain request is not.
    SchemaApply = "schema-apply", Check;
    /// A field or version that is deprecated or gone.
    Deprecated = "deprecated", Check;
    /// A flow that is needed is dropped, or would be once the policies enforce.
    FlowDropped = "flow-dropped", Check;
    /// A network policy that its host refuses, and that denies nothing.
    PolicyRefused = "policy-refused", Check;
    /// A policy that was to deny, and allows.
    PolicyDeniesNothing = "policy-denies-nothing", Check;
    /// A policy that enforces where others only audit.
    PolicyEnforces = "policy-enforces", Check;
    /// Default deny that stops the CNPG operator.
    PolicyBlocksOperator = "policy-blocks-operator", Check;
    /// A metric that no exporter has, or that only some servers have.
    MetricDead = "metric-dead", Check;
    /// Custom queries that CNPG does not find, or names otherwise.
    QueriesUnreachable = "queries-unreachable", Check;
    /// A monitor that cannot speak to its targets.
    MonitorTls = "monitor-tls", Check;
    /// A monitor that finds nothing.
    MonitorIdle = "monitor-idle", Check;
    /// Pods that are scraped twice, or as what they are not.
    ScrapedTwice = "scraped-twice", Check;
    /// An ExternalSecret that fights another owner, or waits for nobody.
    SecretFought = "secret-fought", Check;
    /// Something that an object names, and that is not there as it is named.
    ReferenceMissing = "reference-missing", Check;
    /// Two databases that archive to one place.
    ArchiveShared = "archive-shared", Check;

    // argocd, flux
    /// A parameter or switch that an Application sets is not known, or has the wrong shape.
    ParameterInvalid = "parameter-invalid", Input;
    /// A Flux Kustomization says what the controller refuses.
    FluxInvalid = "flux-invalid", Input;
    /// A Flux Kustomization that is named does not exist.
    FluxMissing = "flux-missing", Input;
    /// Flux Kustomizations wait for each other.
    FluxCycle = "flux-cycle", Input;
    /// A ConfigMap or Secret of variables that is named does not exist.
    FluxVariables = "flux-variables", Input;
    /// A Flux Kustomization is left out: suspended, or its files are elsewhere.
    FluxLeftOut = "flux-left-out", Input;
    /// The administrator's policy does not let this Application render.
    PolicyRefuses = "policy-refuses", Input;
    /// The host would show an error in the place of objects.
    HostError = "host-error", Input;
    /// What the host warns of, or does without a warning.
    HostWarning = "host-warning", Input;
    /// Argo CD will never call an object Synced.
    NeverInSync = "never-in-sync", Input;

    // pipeline
    /// An object of a generator that is built in is wrong.
    GeneratorInvalid = "generator-invalid", Input;
    /// Values are redacted with a key of one run.
    RedactedForOneRun = "redacted-for-one-run", Input;
    /// The project file is wrong.
    ProjectInvalid = "project-invalid", Input;
    /// A limit of time or memory was reached.
    Deadline = "deadline", Limit;
    /// A bug of ours.
    Internal = "internal", Bug;
}
