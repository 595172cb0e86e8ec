//! From the contract's columns to the renderer's.

use anyhow::Context as _;
use querybox_contracts::plugin::v1 as plugin;
use querybox_results::{Column, Display};

pub(super) fn column(column: &plugin::Column) -> anyhow::Result<Column> {
    let display = match (column.display(), column.element_display()) {
        (plugin::Display::Array, element) => scalar(element).map(|element| Display::Array(Box::new(element))),
        (plugin::Display::ArrayText, element) => {
            scalar(element).map(|element| Display::ArrayText(Box::new(element)))
        }
        (display, _) => scalar(display),
    };
    let display = display.with_context(|| format!("{} does not say how it looks", column.name))?;
    Ok(Column { name: column.name.clone(), database_type: column.database_type.clone(), display })
}

fn scalar(display: plugin::Display) -> Option<Display> {
    Some(match display {
        plugin::Display::Unspecified | plugin::Display::Array | plugin::Display::ArrayText => return None,
        plugin::Display::BoolTF => Display::BoolTF,
        plugin::Display::Bool10 => Display::Bool10,
        plugin::Display::Integer => Display::Integer,
        plugin::Display::FloatPg => Display::FloatPg,
        plugin::Display::FloatPoint => Display::FloatPoint,
        plugin::Display::Decimal => Display::Decimal,
        plugin::Display::DateIso => Display::DateIso,
        plugin::Display::TimestampIso => Display::TimestampIso,
        plugin::Display::TimestampIsoUtc => Display::TimestampIsoUtc,
        plugin::Display::Time => Display::Time,
        plugin::Display::Uuid => Display::Uuid,
        plugin::Display::BytesHex => Display::BytesHex,
        plugin::Display::Text => Display::Text,
        plugin::Display::Json => Display::Json,
    })
}
