//! Objects of a catalog as they are shown and written as JSON: what is not so is left out.

use std::ops::Not;

use querybox_contracts::plugin::v1 as plugin;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(crate) struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub database_type: String,
    pub nullable: bool,
    #[serde(rename = "default", skip_serializing_if = "Option::is_none")]
    pub default_expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated: Option<&'static str>,
    /// From 1. `None`: not part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_key_position: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub collation: String,
    #[serde(skip_serializing_if = "Not::not")]
    pub inherited: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

impl From<plugin::RelationColumn> for Column {
    fn from(column: plugin::RelationColumn) -> Self {
        let generated = match column.generated() {
            plugin::Generated::Unspecified => None,
            plugin::Generated::Stored => Some("stored"),
            plugin::Generated::Virtual => Some("virtual"),
        };
        let identity = match column.identity() {
            plugin::Identity::Unspecified => None,
            plugin::Identity::Always => Some("always"),
            plugin::Identity::ByDefault => Some("by default"),
        };
        Self {
            name: column.name,
            database_type: column.database_type,
            nullable: column.nullable,
            default_expression: column.default_expression,
            generated,
            primary_key_position: (column.primary_key_position > 0).then_some(column.primary_key_position),
            identity,
            collation: column.collation,
            inherited: column.inherited,
            comment: column.comment,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Key {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    pub kind: &'static str,
    pub columns: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub references: Option<Reference>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub definition: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deferral: Option<&'static str>,
    #[serde(skip_serializing_if = "Not::not")]
    pub not_validated: bool,
    #[serde(skip_serializing_if = "Not::not")]
    pub not_enforced: bool,
    #[serde(skip_serializing_if = "Not::not")]
    pub inherited: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Reference {
    pub schema: String,
    pub relation: String,
    pub columns: Vec<String>,
}

impl From<plugin::Key> for Key {
    fn from(key: plugin::Key) -> Self {
        let kind = match key.kind() {
            plugin::KeyKind::Unspecified => "key",
            plugin::KeyKind::Primary => "primary key",
            plugin::KeyKind::Unique => "unique",
            plugin::KeyKind::Foreign => "foreign key",
            plugin::KeyKind::Check => "check",
            plugin::KeyKind::Exclusion => "exclusion",
        };
        let deferral = match key.deferral() {
            plugin::Deferral::Unspecified => None,
            plugin::Deferral::Deferrable => Some("deferrable"),
            plugin::Deferral::Deferred => Some("deferred"),
        };
        let references = (!key.referenced_relation.is_empty()).then_some(Reference {
            schema: key.referenced_schema,
            relation: key.referenced_relation,
            columns: key.referenced_columns,
        });
        Self {
            name: key.name,
            kind,
            columns: key.columns,
            references,
            definition: key.definition,
            deferral,
            not_validated: key.not_validated,
            not_enforced: key.not_enforced,
            inherited: key.inherited,
            comment: key.comment,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Index {
    pub name: String,
    pub unique: bool,
    pub columns: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub definition: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    #[serde(skip_serializing_if = "Not::not")]
    pub primary: bool,
    #[serde(skip_serializing_if = "Not::not")]
    pub invalid: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub method: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub included_columns: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

impl From<plugin::Index> for Index {
    fn from(index: plugin::Index) -> Self {
        Self {
            name: index.name,
            unique: index.unique,
            columns: index.columns,
            definition: index.definition,
            key: index.key,
            primary: index.primary,
            invalid: index.invalid,
            method: index.method,
            included_columns: index.included_columns,
            size_bytes: index.size_bytes,
            comment: index.comment,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Trigger {
    pub name: String,
    pub definition: String,
    /// `None`: it runs as its definition says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub function_schema: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub function: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

impl From<plugin::Trigger> for Trigger {
    fn from(trigger: plugin::Trigger) -> Self {
        let state = match trigger.state() {
            plugin::TriggerState::Unspecified => None,
            plugin::TriggerState::Disabled => Some("disabled"),
            plugin::TriggerState::Replica => Some("replica"),
            plugin::TriggerState::Always => Some("always"),
        };
        Self {
            name: trigger.name,
            definition: trigger.definition,
            state,
            function_schema: trigger.function_schema,
            function: trigger.function,
            comment: trigger.comment,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Policy {
    pub name: String,
    pub command: String,
    #[serde(skip_serializing_if = "Not::not")]
    pub restrictive: bool,
    pub roles: Vec<String>,
    #[serde(rename = "using", skip_serializing_if = "Option::is_none")]
    pub using_expression: Option<String>,
    #[serde(rename = "check", skip_serializing_if = "Option::is_none")]
    pub check_expression: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

impl From<plugin::Policy> for Policy {
    fn from(policy: plugin::Policy) -> Self {
        Self {
            name: policy.name,
            command: policy.command,
            restrictive: policy.restrictive,
            roles: policy.roles,
            using_expression: policy.using_expression,
            check_expression: policy.check_expression,
            comment: policy.comment,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Sequence {
    pub name: String,
    #[serde(rename = "type")]
    pub database_type: String,
    pub start: i64,
    pub increment: i64,
    pub minimum: i64,
    pub maximum: i64,
    pub cache: i64,
    pub cycle: bool,
    /// The column that it goes with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<ColumnName>,
    #[serde(skip_serializing_if = "Not::not")]
    pub of_identity: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub extension: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct ColumnName {
    pub schema: String,
    pub relation: String,
    pub column: String,
}

impl From<plugin::Sequence> for Sequence {
    fn from(sequence: plugin::Sequence) -> Self {
        let persistence = super::persistence(sequence.persistence());
        let owned_by = (!sequence.owned_by_relation.is_empty()).then_some(ColumnName {
            schema: sequence.owned_by_schema,
            relation: sequence.owned_by_relation,
            column: sequence.owned_by_column,
        });
        Self {
            name: sequence.name,
            database_type: sequence.database_type,
            start: sequence.start,
            increment: sequence.increment,
            minimum: sequence.minimum,
            maximum: sequence.maximum,
            cache: sequence.cache,
            cycle: sequence.cycle,
            owned_by,
            of_identity: sequence.of_identity,
            owner: sequence.owner,
            persistence,
            extension: sequence.extension,
            comment: sequence.comment,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct OwnType {
    pub name: String,
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub base_type: String,
    #[serde(skip_serializing_if = "Not::not")]
    pub not_null: bool,
    #[serde(rename = "default", skip_serializing_if = "Option::is_none")]
    pub default_expression: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub extension: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Attribute {
    pub name: String,
    #[serde(rename = "type")]
    pub database_type: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Check {
    pub name: String,
    pub definition: String,
}

impl From<plugin::Type> for OwnType {
    fn from(own: plugin::Type) -> Self {
        let kind = match own.kind() {
            plugin::TypeKind::Unspecified => "type",
            plugin::TypeKind::Enum => "enum",
            plugin::TypeKind::Composite => "composite type",
            plugin::TypeKind::Domain => "domain",
            plugin::TypeKind::Range => "range type",
            plugin::TypeKind::Base => "base type",
        };
        let attribute =
            |it: plugin::TypeAttribute| Attribute { name: it.name, database_type: it.database_type };
        Self {
            name: own.name,
            kind,
            labels: own.labels,
            attributes: own.attributes.into_iter().map(attribute).collect(),
            base_type: own.base_type,
            not_null: own.not_null,
            default_expression: own.default_expression,
            checks: own
                .checks
                .into_iter()
                .map(|it| Check { name: it.name, definition: it.definition })
                .collect(),
            owner: own.owner,
            extension: own.extension,
            comment: own.comment,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Routine {
    pub name: String,
    pub kind: &'static str,
    pub arguments: String,
    pub identity_arguments: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub result: String,
    pub language: String,
    pub volatility: &'static str,
    #[serde(skip_serializing_if = "Not::not")]
    pub security_definer: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub extension: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

impl From<plugin::Routine> for Routine {
    fn from(routine: plugin::Routine) -> Self {
        let kind = match routine.kind() {
            plugin::RoutineKind::Unspecified | plugin::RoutineKind::Function => "function",
            plugin::RoutineKind::Procedure => "procedure",
            plugin::RoutineKind::Aggregate => "aggregate",
            plugin::RoutineKind::Window => "window function",
        };
        let volatility = match routine.volatility() {
            plugin::Volatility::Unspecified => "volatile",
            plugin::Volatility::Stable => "stable",
            plugin::Volatility::Immutable => "immutable",
        };
        Self {
            name: routine.name,
            kind,
            arguments: routine.arguments,
            identity_arguments: routine.identity_arguments,
            result: routine.result,
            language: routine.language,
            volatility,
            security_definer: routine.security_definer,
            owner: routine.owner,
            extension: routine.extension,
            comment: routine.comment,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Extension {
    pub name: String,
    pub version: String,
    pub schema: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

impl From<plugin::Extension> for Extension {
    fn from(it: plugin::Extension) -> Self {
        let plugin::Extension { name, version, schema, comment, owner } = it;
        Self { name, version, schema, owner, comment }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Role {
    pub name: String,
    /// What it may do beyond what it is granted.
    pub attributes: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections_max: Option<u32>,
    pub member_of: Vec<String>,
    pub is_current: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

impl From<plugin::Role> for Role {
    fn from(role: plugin::Role) -> Self {
        let attributes = [
            (role.superuser, "superuser"),
            (role.can_log_in, "login"),
            (role.creates_databases, "creates databases"),
            (role.creates_roles, "creates roles"),
            (!role.inherits, "inherits nothing"),
            (role.replicates, "replication"),
            (role.bypasses_row_security, "bypasses row security"),
        ];
        Self {
            name: role.name,
            attributes: attributes.into_iter().filter_map(|(has, name)| has.then_some(name)).collect(),
            connections_max: role.connections_max,
            member_of: role.member_of,
            is_current: role.is_current,
            comment: role.comment,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Database {
    pub name: String,
    pub owner: String,
    pub encoding: String,
    pub collation: String,
    pub is_current: bool,
    #[serde(skip_serializing_if = "Not::not")]
    pub template: bool,
    #[serde(skip_serializing_if = "Not::not")]
    pub closed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

impl From<plugin::Database> for Database {
    fn from(it: plugin::Database) -> Self {
        Self {
            name: it.name,
            owner: it.owner,
            encoding: it.encoding,
            collation: it.collation,
            is_current: it.is_current,
            template: it.template,
            closed: it.closed,
            size_bytes: it.size_bytes,
            comment: it.comment,
        }
    }
}
