//! The JSON schema of `config.toml`, for editors.

use super::declared::{SECTIONS, SETTINGS};
use super::setting::{Form, Limits, Setting};
use serde_json::{Map, Value, json};

/// Describes everything that `config.toml` may contain.
pub fn schema() -> Value {
    let mut whole = Map::new();
    for (section, about) in SECTIONS {
        let of_section = SETTINGS.iter().filter(|setting| setting.section == *section);
        let properties = of_section.map(|setting| (setting.key.to_owned(), property(setting)));
        if section.is_empty() {
            whole.extend(properties);
            continue;
        }
        let mut table = json!({
            "type": "object",
            "description": prose(about),
            "properties": properties.collect::<Map<String, Value>>(),
            "additionalProperties": false,
        });
        if *section == "detectors" {
            table["additionalProperties"] = detector();
        }
        whole.insert((*section).to_owned(), table);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Chaffinch: config.toml",
        "description": prose(SECTIONS[0].1),
        "type": "object",
        "additionalProperties": false,
        "properties": whole,
    })
}

/// The section of one detector.
fn detector() -> Value {
    json!({
        "type": "object",
        "properties": {
            "threshold": {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "description": "Samples that score below it are flagged",
                "examples": [0.5],
            },
        },
        "additionalProperties": {
            "type": ["number", "boolean", "string"],
            "description": "A parameter; choices are set by name",
        },
    })
}

fn property(setting: &Setting) -> Value {
    let mut property = match setting.form {
        Form::Text => json!({ "type": "string" }),
        Form::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Form::Flag => json!({ "type": "boolean" }),
        Form::Number => json!({ "type": "number" }),
        Form::Numbers => {
            json!({ "type": "object", "additionalProperties": { "type": "number", "minimum": 0 } })
        }
    };
    match setting.limits {
        Limits::Any => {}
        Limits::OneOf(words) | Limits::Words(words) => property["enum"] = json!(words),
        Limits::Within(low, high) => {
            property["minimum"] = json!(low);
            property["maximum"] = json!(high);
        }
        Limits::Pattern(pattern, _) if setting.form == Form::Texts => {
            property["items"]["pattern"] = json!(pattern);
        }
        Limits::Pattern(pattern, _) => property["pattern"] = json!(pattern),
    }
    property["description"] = json!(prose(setting.doc));
    let example: Option<toml::Table> = format!("example = {}", setting.example).parse().ok();
    if let Some(example) = example.and_then(|mut table| table.remove("example")) {
        property["examples"] = json!([example]);
    }
    property
}

/// Joins the lines of a comment into one paragraph.
pub(super) fn prose(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    lines.join(" ")
}
