//! What the driver says of itself.

use querybox_plugin::{CONTRACT_VERSION, pb};

use crate::keywords::KEYWORDS;

/// Names of the connection form's fields.
pub(crate) mod field {
    pub(crate) const FILE: &str = "file";
    pub(crate) const CREATE: &str = "create";
    pub(crate) const FOREIGN_KEYS: &str = "foreign_keys";
    pub(crate) const BUSY_TIMEOUT_MS: &str = "busy_timeout_ms";
}

pub(crate) fn info() -> pb::PluginInfo {
    use pb::Capability::{Bindings, Cancel, Ddl, ReadOnly, Schema, Transactions};
    pb::PluginInfo {
        name: "SQLite".into(),
        driver_type: "sqlite".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        contract_version: CONTRACT_VERSION,
        description: format!(
            "Opens database files of SQLite 3, with SQLite {} built in.",
            rusqlite::version()
        ),
        license: env!("CARGO_PKG_LICENSE").into(),
        icon_name: "sqlite".into(),
        capabilities: [Cancel, Schema, Transactions, ReadOnly, Bindings, Ddl].map(i32::from).to_vec(),
        dialect: Some(dialect()),
        connection_form: form(),
        network_need: pb::NetworkNeed::None.into(),
        file_need: pb::FileNeed::Database.into(),
        socket_kinds: Vec::new(),
        url_schemes: vec!["sqlite".into()],
    }
}

fn dialect() -> pb::Dialect {
    use pb::ParameterStyle::{AtName, ColonName, DollarName, QuestionMark, QuestionNumber};
    pb::Dialect {
        keywords: KEYWORDS.map(str::to_owned).to_vec(),
        identifier_quotes: ["\"", "`", "["].map(str::to_owned).to_vec(),
        parameter_styles: [QuestionMark, QuestionNumber, ColonName, AtName, DollarName]
            .map(i32::from)
            .to_vec(),
        line_comments: vec!["--".into()],
        nested_block_comments: false,
        // A misfeature, and no editor should teach it; but who hides literals has to know of it.
        string_forms: vec![pb::StringForm::DoubleQuotes.into()],
        compound_bodies: pb::CompoundBodies::Triggers.into(),
        carriage_return_ends_line: false,
        backslash_commands: false,
        byte_literals: pb::ByteLiterals::Standard.into(),
    }
}

fn form() -> Vec<pb::FormField> {
    let option =
        |name: &str, label: &str, kind: pb::FormFieldKind, default: &str, help: &str| pb::FormField {
            name: name.into(),
            label: label.into(),
            kind: kind.into(),
            role: pb::FormFieldRole::Option.into(),
            default_value: default.into(),
            help: help.into(),
            ..pb::FormField::default()
        };
    vec![
        pb::FormField {
            name: field::FILE.into(),
            label: "Database file".into(),
            kind: pb::FormFieldKind::FilePath.into(),
            role: pb::FormFieldRole::File.into(),
            required: true,
            placeholder: "/home/ada/shop.sqlite".into(),
            help: "The whole path of the file.".into(),
            ..pb::FormField::default()
        },
        option(
            field::CREATE,
            "Create a missing file",
            pb::FormFieldKind::Checkbox,
            "false",
            "Makes an empty database where no file is.",
        ),
        option(
            field::FOREIGN_KEYS,
            "Enforce foreign keys",
            pb::FormFieldKind::Checkbox,
            "true",
            "SQLite itself leaves them unchecked unless it is told.",
        ),
        option(
            field::BUSY_TIMEOUT_MS,
            "Wait for locks (ms)",
            pb::FormFieldKind::Number,
            "5000",
            "How long a statement waits while another program holds the database.",
        ),
    ]
}
