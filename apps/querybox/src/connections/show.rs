//! Connections as people read them.

use jiff::tz::TimeZone;
use querybox_contracts::core::v1 as core;

use crate::{connections::document, form, sanitize, screen::Paint, stdout, words};

/// All connections, one a line.
pub(crate) fn list(connections: &[core::Connection], paint: Paint) -> String {
    if connections.is_empty() {
        return "no connections; save one with `querybox connections add`\n".to_owned();
    }
    let rows: Vec<_> = connections
        .iter()
        .map(|connection| {
            let spec = connection.spec.clone().unwrap_or_default();
            let leads_to: Vec<_> = spec.parameters.iter().map(form::text_of).collect();
            let name = match spec.folder.as_str() {
                "" => spec.name.clone(),
                folder => format!("{folder}/{}", spec.name),
            };
            let marks: Vec<_> = document::color(spec.color())
                .into_iter()
                .chain(spec.read_only.then_some("read-only"))
                .collect();
            let used = local_time(connection.last_access.as_ref()).unwrap_or_else(|| "never".to_owned());
            [name, spec.driver_type.clone(), marks.join(", "), used, leads_to.join(" ")]
        })
        .collect();
    stdout::columns(["NAME", "DRIVER", "MARKS", "LAST USED", "LEADS TO"], &rows, paint)
}

/// All that is saved of a connection.
pub(crate) fn one(connection: &core::Connection, paint: Paint) -> String {
    let spec = connection.spec.clone().unwrap_or_default();
    let limit = |limit: Option<u64>, noun| limit.map(|limit| words::count(limit, noun)).unwrap_or_default();
    let mut facts = vec![
        ("name", spec.name.clone()),
        ("driver", spec.driver_type.clone()),
        ("folder", spec.folder.clone()),
        ("color", document::color(spec.color()).unwrap_or_default().to_owned()),
        ("read-only", if spec.read_only { "yes" } else { "no" }.to_owned()),
        ("deadline", spec.deadline.as_ref().and_then(document::deadline).unwrap_or_default()),
        ("row limit", limit(spec.rows_max, "row")),
        ("byte limit", limit(spec.bytes_max, "byte")),
        ("start-up SQL", spec.startup_sql.clone()),
        ("default schema", spec.default_schema.clone()),
        ("password", password(&spec).to_owned()),
        ("history", document::history(spec.history()).unwrap_or_default().to_owned()),
    ];
    let parameters: Vec<_> = spec
        .parameters
        .iter()
        .map(|parameter| (format!("param {}", parameter.name), form::text_of(parameter).to_owned()))
        .collect();
    facts.extend(parameters.iter().map(|(name, value)| (name.as_str(), value.clone())));
    facts.extend([
        ("id", connection.id.clone()),
        ("created", local_time(connection.created.as_ref()).unwrap_or_default()),
        ("changed", local_time(connection.updated.as_ref()).unwrap_or_default()),
        ("last used", local_time(connection.last_access.as_ref()).unwrap_or_else(|| "never".to_owned())),
    ]);
    facts.retain(|(_, value)| !value.is_empty());
    let width = facts.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (label, value) in facts {
        let padded = format!("{label:width$}");
        text.push_str(&format!("{}  {}\n", paint.dim(&sanitize::line(&padded)), sanitize::line(&value)));
    }
    text
}

fn password(spec: &core::ConnectionSpec) -> &'static str {
    match (spec.secret_place(), spec.secret_scope()) {
        (core::SecretPlace::Unspecified, _) => "",
        (core::SecretPlace::Ask, _) => "asked for at each use",
        (core::SecretPlace::Keyring, core::SecretScope::EachUser) => "in the keyring, each user's own",
        (core::SecretPlace::Keyring, _) => "in the keyring",
        (core::SecretPlace::Vault, core::SecretScope::EachUser) => "in the vault, each user's own",
        (core::SecretPlace::Vault, _) => "in the vault",
    }
}

/// A time in the user's zone, to the minute.
pub(crate) fn local_time(time: Option<&prost_types::Timestamp>) -> Option<String> {
    let time = jiff::Timestamp::new(time?.seconds, 0).ok()?;
    Some(time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string())
}
