//! What a tree shows beside relations: sequences, types and routines of a schema, and what belongs to no schema.

use super::{Leaf, quoted};
use crate::{
    schema::model::{Attribute, Catalog, OwnType, Policy, Role, Routine, Schema, Trigger},
    words,
};

/// What stands in a schema behind its relations. What an extension has brought is only counted: it can be thousands.
pub(super) fn of_schema(schema: &Schema) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let mut of_extensions = Vec::<(&str, u64)>::new();
    // A sequence that goes with a column shows as that column's default.
    let own = schema.sequences.iter().filter(|it| it.owned_by.is_none() && it.extension.is_empty());
    leaves.extend(own.map(|sequence| Leaf {
        name: sequence.name.clone(),
        facts: format!("sequence of {}", sequence.database_type),
        comment: sequence.comment.clone(),
    }));
    leaves.extend(schema.types.iter().filter(|it| it.extension.is_empty()).map(of_type));
    leaves.extend(schema.routines.iter().filter(|it| it.extension.is_empty()).map(of_routine));
    let extensions = schema.sequences.iter().map(|it| &it.extension);
    let extensions = extensions.chain(schema.types.iter().map(|it| &it.extension));
    for extension in extensions.chain(schema.routines.iter().map(|it| &it.extension)) {
        match of_extensions.iter_mut().find(|(name, _)| name == extension) {
            _ if extension.is_empty() => {}
            Some((_, count)) => *count += 1,
            None => of_extensions.push((extension, 1)),
        }
    }
    leaves.extend(of_extensions.into_iter().map(|(extension, count)| Leaf {
        name: "…".to_owned(),
        facts: format!("{} of the extension {extension}", words::count(count, "object")),
        comment: String::new(),
    }));
    leaves
}

fn of_type(own: &OwnType) -> Leaf {
    let details = match own.kind {
        "enum" => own.labels.join(", "),
        "composite type" => {
            let attribute = |it: &Attribute| format!("{} {}", quoted(&it.name), it.database_type);
            own.attributes.iter().map(attribute).collect::<Vec<_>>().join(", ")
        }
        _ => own.base_type.clone(),
    };
    let facts = if details.is_empty() { own.kind.to_owned() } else { format!("{}: {details}", own.kind) };
    Leaf { name: own.name.clone(), facts, comment: own.comment.clone() }
}

fn of_routine(routine: &Routine) -> Leaf {
    let result = if routine.result.is_empty() { String::new() } else { format!(" → {}", routine.result) };
    Leaf {
        name: format!("{}({})", quoted(&routine.name), routine.arguments),
        facts: format!("{}{result}", routine.kind),
        comment: routine.comment.clone(),
    }
}

/// What belongs to the database or its server, under titles of their own.
pub(super) fn beside_schemas(catalog: &Catalog) -> Vec<(&'static str, Vec<Leaf>)> {
    let extensions = catalog.extensions.iter().map(|it| Leaf {
        name: it.name.clone(),
        facts: format!("version {}", it.version),
        comment: it.comment.clone(),
    });
    let databases = catalog.databases.iter().map(|it| {
        let mut facts = vec![it.encoding.clone(), it.collation.clone(), format!("owner {}", it.owner)];
        facts.extend(it.size_bytes.map(words::bytes));
        let marks = [(it.template, "template"), (it.closed, "closed"), (it.is_current, "this one")];
        facts.extend(marks.iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| (*mark).to_owned()));
        Leaf { name: it.name.clone(), facts: facts.join(", "), comment: it.comment.clone() }
    });
    [
        ("extensions", extensions.collect::<Vec<_>>()),
        ("roles", catalog.roles.iter().map(of_role).collect()),
        ("databases", databases.collect()),
    ]
    .into_iter()
    .filter(|(_, leaves)| !leaves.is_empty())
    .collect()
}

fn of_role(role: &Role) -> Leaf {
    let mut facts: Vec<_> = role.attributes.iter().map(|&attribute| attribute.to_owned()).collect();
    if !role.member_of.is_empty() {
        facts.push(format!("member of {}", role.member_of.join(", ")));
    }
    facts.extend(
        role.connections_max.map(|max| format!("at most {}", words::count(u64::from(max), "session"))),
    );
    facts.extend(role.is_current.then(|| "this one".to_owned()));
    if facts.is_empty() {
        facts.push("no login".to_owned());
    }
    Leaf { name: role.name.clone(), facts: facts.join(", "), comment: role.comment.clone() }
}

pub(super) fn describe_trigger(trigger: &Trigger) -> String {
    let state = trigger.state.map(|state| format!(", {state}")).unwrap_or_default();
    let function = match trigger.function.as_str() {
        "" => String::new(),
        function => format!(" → {}()", quoted(function)),
    };
    format!("trigger {}{function}{state}", quoted(&trigger.name))
}

pub(super) fn describe_policy(policy: &Policy) -> String {
    let kind = if policy.restrictive { "restrictive policy" } else { "policy" };
    let using = policy.using_expression.as_ref().map(|text| format!(" using {text}")).unwrap_or_default();
    let check = policy.check_expression.as_ref().map(|text| format!(" check {text}")).unwrap_or_default();
    format!(
        "{kind} {} for {} to {}{using}{check}",
        quoted(&policy.name),
        policy.command,
        policy.roles.join(", ")
    )
}
