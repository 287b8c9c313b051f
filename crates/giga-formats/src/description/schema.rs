//! The JSON Schema of a description, printed from the field table.

use serde_json::{Map, Value, json};

use super::decode::{NAME_MAX, TEXT_MAX};
use super::expand::{factor, thousandths};
use super::field::{AmountKind, Field, Kind, Preset, Section};
use super::table::FEDERATION;

/// The schema as indented JSON.
pub(crate) fn schema() -> String {
    let mut schema = section(&FEDERATION);
    let object = schema.as_object_mut().expect("a section is an object");
    object.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    object.insert("title".into(), json!("federation.toml"));
    serde_json::to_string_pretty(&schema).expect("a schema is plain data")
}

fn section(section: &Section) -> Value {
    let properties: Map<String, Value> =
        section.fields.iter().map(|f| (f.key.to_owned(), property(f))).collect();
    let required: Vec<&str> =
        section.fields.iter().filter(|f| matches!(f.preset, Preset::Required(_))).map(|f| f.key).collect();
    json!({
        "type": "object",
        "description": section.doc,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn property(field: &Field) -> Value {
    let mut schema = kind(&field.kind);
    let object = schema.as_object_mut().expect("every kind is an object");
    object.insert("description".into(), json!(describe(field)));
    if let (Preset::Is(text), true) = (field.preset, is_plain(&field.kind)) {
        object.insert("default".into(), default(text));
    }
    schema
}

fn is_plain(kind: &Kind) -> bool {
    !matches!(kind, Kind::Table(_) | Kind::Tables(..) | Kind::Inline(..) | Kind::Shares)
}

/// The default as JSON; a date has no form of its own there and becomes a text.
fn default(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

fn describe(field: &Field) -> String {
    match field.preset {
        Preset::Required(_) | Preset::Absent => field.doc.to_owned(),
        Preset::Is(_) => format!("{}. Source of the default: {}", field.doc, field.source),
        Preset::Rule => format!("{}. Default: {}", field.doc, field.source),
    }
}

fn kind(kind: &Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string", "minLength": 1, "maxLength": TEXT_MAX }),
        Kind::Name => json!({
            "type": "string", "minLength": 1, "maxLength": NAME_MAX,
            "pattern": r"^[^/\u0000-\u001f\u007f-\u009f]+$", "not": { "enum": [".", "..", "*"] },
        }),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Factor { min, max } => {
            let number = |ppm| default(&factor(ppm));
            json!({ "type": "number", "minimum": number(*min), "maximum": number(*max) })
        }
        Kind::Amount { of, min, max } => amount(of, min, max),
        Kind::AmountOr { of, min, max, words } => {
            json!({ "anyOf": [amount(of, min, max), { "enum": words }] })
        }
        Kind::Date => json!({ "type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$" }),
        Kind::Names { max } => {
            json!({ "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": max })
        }
        Kind::Amounts { of, min, max } => {
            json!({ "type": "array", "items": amount(of, min, max), "minItems": 1, "maxItems": 100 })
        }
        Kind::Numbers { min, max, most } => {
            let number = |count: &i64| default(&thousandths(*count));
            let item = json!({ "type": "number", "minimum": number(min), "maximum": number(max) });
            json!({ "type": "array", "items": item, "minItems": 1, "maxItems": most })
        }
        Kind::Shares => {
            let part = amount(&super::field::FRACTION, "0 %", "100 %");
            json!({ "type": "object", "additionalProperties": part })
        }
        Kind::Table(below) => section(below),
        Kind::Tables(below, max) | Kind::Inline(below, max) => {
            json!({ "type": "array", "items": section(below), "minItems": 1, "maxItems": max })
        }
    }
}

fn amount(of: &AmountKind, min: &str, max: &str) -> Value {
    let units: Vec<&str> = of.units.iter().map(|(unit, _)| *unit).collect();
    let pattern = format!(r"^\s*[-+]?[0-9_]*\.?[0-9]*\s*({})\s*$", units.join("|"));
    json!({ "type": "string", "pattern": pattern, "x-quantity": of.what, "x-minimum": min, "x-maximum": max })
}
