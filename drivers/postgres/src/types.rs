//! Types of the server: their names, and how a column of each travels.

use querybox_plugin::{Column, ColumnKind, TextKind};

use crate::{
    decode::{Decoder, Element, Encoding, Native},
    message::Field,
    settings::{Looks, Reported},
};

// Object ids of built-in types never change: src/include/catalog/pg_type.dat of PostgreSQL.
const BOOL: u32 = 16;
const BYTEA: u32 = 17;
const CHAR: u32 = 18;
const NAME: u32 = 19;
const INT8: u32 = 20;
const INT2: u32 = 21;
const INT4: u32 = 23;
const TEXT: u32 = 25;
const OID: u32 = 26;
const JSON: u32 = 114;
const XML: u32 = 142;
const FLOAT4: u32 = 700;
const FLOAT8: u32 = 701;
const MONEY: u32 = 790;
const BPCHAR: u32 = 1042;
const VARCHAR: u32 = 1043;
const DATE: u32 = 1082;
const TIME: u32 = 1083;
const TIMESTAMP: u32 = 1114;
const TIMESTAMPTZ: u32 = 1184;
const INTERVAL: u32 = 1186;
const TIMETZ: u32 = 1266;
const NUMERIC: u32 = 1700;
const UUID: u32 = 2950;
const JSONB: u32 = 3802;

/// Types of arrays with the types of their elements, which all have a comma between them.
const ARRAYS: [(u32, u32); 25] = [
    (143, XML),
    (199, JSON),
    (791, MONEY),
    (1000, BOOL),
    (1001, BYTEA),
    (1002, CHAR),
    (1003, NAME),
    (1005, INT2),
    (1007, INT4),
    (1009, TEXT),
    (1014, BPCHAR),
    (1015, VARCHAR),
    (1016, INT8),
    (1021, FLOAT4),
    (1022, FLOAT8),
    (1028, OID),
    (1115, TIMESTAMP),
    (1182, DATE),
    (1183, TIME),
    (1185, TIMESTAMPTZ),
    (1187, INTERVAL),
    (1231, NUMERIC),
    (1270, TIMETZ),
    (2951, UUID),
    (3807, JSONB),
];

/// The digits that Arrow's 128-bit decimal holds.
const DECIMAL_DIGITS_MAX: i32 = 38;

/// How a column travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) kind: ColumnKind,
    pub(crate) decoder: Decoder,
}

/// Whether the look of a type depends on settings that have to be asked for.
pub(crate) fn needs_looks(type_oid: u32) -> bool {
    matches!(element_of(type_oid).unwrap_or(type_oid), FLOAT4 | FLOAT8 | BYTEA)
}

/// The type of an array's elements; none for what is no array, or one of another type.
fn element_of(type_oid: u32) -> Option<u32> {
    ARRAYS.iter().find(|(array, _)| *array == type_oid).map(|(_, element)| *element)
}

/// Chooses the form of a column: exact in every case, and the server's own text where no Arrow type is, or where the
/// session shows values in another way than the display kind would.
pub(crate) fn plan(field: &Field, reported: &Reported, looks: Looks) -> Plan {
    let Some(element_oid) = element_of(field.type_oid) else {
        return plan_of(field.type_oid, field.modifier, reported, looks);
    };
    let Plan { kind, decoder } = plan_of(element_oid, field.modifier, reported, looks);
    let element = match decoder {
        Decoder::Native(native) => Element::Native(native),
        Decoder::Text if reported.encoding() != Encoding::Utf8 => return text(TextKind::Text),
        Decoder::Text => match element_oid {
            TEXT | VARCHAR | BPCHAR | NAME | JSON => Element::Text,
            JSONB => Element::Jsonb,
            _ => return text(TextKind::Text),
        },
        Decoder::List(_) => return text(TextKind::Text),
    };
    Plan { kind: ColumnKind::List(Box::new(kind)), decoder: Decoder::List(element) }
}

fn text(kind: TextKind) -> Plan {
    Plan { kind: ColumnKind::Text(kind), decoder: Decoder::Text }
}

fn plan_of(type_oid: u32, modifier: i32, reported: &Reported, looks: Looks) -> Plan {
    let binary = |kind, native| Plan { kind, decoder: Decoder::Native(native) };
    let (floats_are_shortest, bytes_are_hex) = match looks {
        Looks::Known { floats_are_shortest, bytes_are_hex } => (floats_are_shortest, bytes_are_hex),
        Looks::Stale | Looks::Unavailable => (false, false),
    };
    let times_are_exact = reported.has_iso_dates() && reported.has_integer_times();
    match type_oid {
        BOOL => binary(ColumnKind::BoolTF, Native::Bool),
        INT2 => binary(ColumnKind::Int16, Native::Int2),
        INT4 => binary(ColumnKind::Int32, Native::Int4),
        INT8 => binary(ColumnKind::Int64, Native::Int8),
        OID => binary(ColumnKind::UInt32, Native::Oid),
        FLOAT4 if floats_are_shortest => binary(ColumnKind::Float32, Native::Float4),
        FLOAT8 if floats_are_shortest => binary(ColumnKind::Float64, Native::Float8),
        FLOAT4 | FLOAT8 => text(TextKind::Float),
        NUMERIC => match numeric_modifier(modifier) {
            Some((precision, scale))
                if (1..=DECIMAL_DIGITS_MAX).contains(&precision) && (0..=precision).contains(&scale) =>
            {
                let digits = |number: i32| i8::try_from(number).expect("38 at most");
                binary(
                    ColumnKind::Decimal { precision: digits(precision).unsigned_abs(), scale: digits(scale) },
                    Native::Numeric {
                        precision: digits(precision).unsigned_abs(),
                        scale: digits(scale).unsigned_abs(),
                    },
                )
            }
            _ => text(TextKind::Decimal),
        },
        DATE if times_are_exact => binary(ColumnKind::Date, Native::Date),
        TIME if reported.has_integer_times() => binary(ColumnKind::Time, Native::Time),
        TIMESTAMP if times_are_exact => binary(ColumnKind::Timestamp, Native::Timestamp),
        TIMESTAMPTZ if times_are_exact && reported.is_utc() => {
            binary(ColumnKind::TimestampUtc, Native::TimestampUtc)
        }
        TIMESTAMPTZ if reported.has_iso_dates() => text(TextKind::TimestampUtc),
        TIME => text(TextKind::Time),
        TIMETZ => text(TextKind::TimeZoned),
        INTERVAL if reported.has_own_intervals() => text(TextKind::Interval),
        MONEY => text(TextKind::Money),
        UUID => binary(ColumnKind::Uuid, Native::Uuid),
        BYTEA if bytes_are_hex => binary(ColumnKind::Bytes, Native::Bytes),
        JSON | JSONB => text(TextKind::Json),
        _ => text(TextKind::Text),
    }
}

/// Describes a column for the SDK.
pub(crate) fn column(field: &Field, type_name: String, plan: Plan) -> Column {
    let origin_id =
        if field.table == 0 { String::new() } else { format!("{}.{}", field.table, field.attribute) };
    Column { name: field.name.clone(), database_type: type_name, kind: plan.kind, origin_id }
}

/// The name of a built-in type as the server's `format_type` gives it; none for a type that the server has to be asked.
pub(crate) fn name(type_oid: u32, modifier: i32) -> Option<String> {
    if let Some(element) = element_of(type_oid) {
        return name(element, modifier).map(|name| name + "[]");
    }
    let plain = match type_oid {
        BOOL => "boolean",
        BYTEA => "bytea",
        CHAR => "\"char\"",
        NAME => "name",
        INT8 => "bigint",
        INT2 => "smallint",
        INT4 => "integer",
        TEXT => "text",
        OID => "oid",
        JSON => "json",
        XML => "xml",
        FLOAT4 => "real",
        FLOAT8 => "double precision",
        MONEY => "money",
        DATE => "date",
        UUID => "uuid",
        JSONB => "jsonb",
        INTERVAL if modifier < 0 => "interval",
        BPCHAR if modifier < 0 => "bpchar",
        BPCHAR => return Some(format!("character({})", modifier.saturating_sub(4))),
        VARCHAR => {
            return Some(format!("character varying{}", parenthesized(modifier.saturating_sub(4), modifier)));
        }
        NUMERIC => {
            return Some(match numeric_modifier(modifier) {
                Some((precision, scale)) => format!("numeric({precision},{scale})"),
                None => "numeric".to_owned(),
            });
        }
        TIME => return Some(format!("time{} without time zone", parenthesized(modifier, modifier))),
        TIMETZ => return Some(format!("time{} with time zone", parenthesized(modifier, modifier))),
        TIMESTAMP => {
            return Some(format!("timestamp{} without time zone", parenthesized(modifier, modifier)));
        }
        TIMESTAMPTZ => return Some(format!("timestamp{} with time zone", parenthesized(modifier, modifier))),
        _ => return None,
    };
    Some(plain.to_owned())
}

fn parenthesized(number: i32, modifier: i32) -> String {
    if modifier < 0 { String::new() } else { format!("({number})") }
}

/// Precision and scale of a numeric type; none when it has neither.
fn numeric_modifier(modifier: i32) -> Option<(i32, i32)> {
    let packed = modifier.checked_sub(4).filter(|packed| *packed >= 0)?;
    // Eleven bits with a sign, from version 15; before, scales were from 0 to 1000, which look the same.
    let scale = ((packed & 0x7ff) ^ 1024) - 1024;
    Some(((packed >> 16) & 0xffff, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_modifier_holds_precision_and_a_scale_of_either_sign() {
        assert_eq!(numeric_modifier(-1), None);
        assert_eq!(numeric_modifier(((10 << 16) | 2) + 4), Some((10, 2)));
        assert_eq!(numeric_modifier(((1000 << 16) | 1000) + 4), Some((1000, 1000)));
        // numeric(3,-3), as version 15 packs it.
        assert_eq!(numeric_modifier(((3 << 16) | (-3 & 0x7ff)) + 4), Some((3, -3)));
    }
}
