//! `config schema`: JSON schemas of the configuration files, for validation in editors, and of what the program prints, for scripts.

use super::output::results;
use anyhow::Result;
use chaffinch_data::config;
use chaffinch_screen::action::{Action, Scope};
use chaffinch_screen::theme::Role;
use clap::ValueEnum;
use serde_json::{Map, Value, json};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Files with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaOf {
    /// config.toml
    Config,
    /// keymap.toml
    Keymap,
    /// theme.toml
    Theme,
    /// What `dataset --format json` prints
    Dataset,
    /// What `report --format json` writes
    Report,
    /// What `--progress json` prints
    Progress,
}

/// Prints a schema.
pub(super) fn run(of: SchemaOf) -> Result<()> {
    let text = match of {
        SchemaOf::Config => written(&config::schema())?,
        SchemaOf::Keymap => written(&keymap())?,
        SchemaOf::Theme => written(&theme())?,
        SchemaOf::Dataset => include_str!("../../../configs/schema/dataset.schema.json").to_owned(),
        SchemaOf::Report => include_str!("../../../configs/schema/report.schema.json").to_owned(),
        SchemaOf::Progress => written(&progress())?,
    };
    results(|out| Ok(out.write_all(text.as_bytes())?))
}

fn written(schema: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(schema)? + "\n")
}

/// All actions with their names and descriptions.
fn keymap() -> Value {
    let scopes = Scope::ALL.into_iter().map(|scope| {
        let of_scope = Action::ALL.iter().filter(|action| action.scope() == scope);
        let mut choices: Vec<Value> =
            of_scope.map(|action| json!({ "const": action.name(), "description": action.doc() })).collect();
        choices.push(json!({ "const": "<disabled>", "description": "Removes the key" }));
        let table = json!({ "type": "object", "additionalProperties": { "oneOf": choices } });
        (scope.name().to_owned(), table)
    });
    json!({
        "$schema": DRAFT,
        "title": "Chaffinch: keymap.toml",
        "description": "Keys and their actions. Keys are characters, sequences, or names such as <C-d>.",
        "type": "object",
        "additionalProperties": false,
        "properties": scopes.collect::<Map<String, Value>>(),
    })
}

/// All roles and their attributes.
fn theme() -> Value {
    let look = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "fg": { "type": "string", "description": "Text color: #rrggbb, a number from 0 to 255, or a name such as red" },
            "bg": { "type": "string", "description": "Background color, like fg" },
            "attr": { "type": "string", "description": "bold, dim, italic, underline, reverse; separate several with spaces" },
            "glyph": { "type": "string", "description": "A single character, one cell wide" },
        },
    });
    let roles = Role::ALL.iter().map(|role| (role.name().to_owned(), look.clone()));
    json!({
        "$schema": DRAFT,
        "title": "Chaffinch: theme.toml",
        "description": "Styles by role.",
        "type": "object",
        "additionalProperties": false,
        "properties": roles.collect::<Map<String, Value>>(),
    })
}

/// Lines of `--progress json`.
fn progress() -> Value {
    let number = |description: &str| json!({ "type": "integer", "minimum": 0, "description": description });
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "$schema": DRAFT,
        "title": "A line of chaffinch --progress json",
        "description": "Fields depend on the type; programs ignore those and types that they do not know.",
        "type": "object",
        "required": ["schema", "type"],
        "additionalProperties": false,
        "properties": {
            "schema": { "type": "integer", "const": 1 },
            "type": { "type": "string", "enum": ["progress", "download", "remark", "warning", "error", "end"] },
            "stage": text("progress: name of the step"),
            "step": number("progress: the step, counted from 1"),
            "steps": number("progress: number of steps"),
            "done": number("progress: what is done; download: bytes that are there"),
            "total": number("progress and download: what there is in all; 0 if it is not known"),
            "rate": { "type": "number", "description": "progress: per second; 0 if it is not known" },
            "remaining": { "type": ["number", "null"], "description": "progress: seconds that are left" },
            "model": text("download: the model"),
            "file": text("download: the file"),
            "about": text("warning: what it is about"),
            "text": text("remark, warning and error: what happened"),
            "status": number("end: the exit status"),
            "seconds": { "type": "number", "description": "end: seconds since the start" },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::config::{Config, DEFAULT_CONFIG};

    fn shipped(name: &str, schema: &Value) {
        let file = format!("{}/../../configs/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
        let text = written(schema).unwrap();
        if std::env::var_os("CHAFFINCH_UPDATE").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let found = std::fs::read_to_string(&file).unwrap();
        assert!(found == text, "{file} is out of date; run this test with CHAFFINCH_UPDATE=1 to update it");
    }

    #[test]
    fn shipped_schemas_are_up_to_date() {
        shipped("keymap", &keymap());
        shipped("theme", &theme());
        shipped("progress", &progress());
    }

    #[test]
    fn every_default_is_in_the_schema() {
        let schema: Value = config::schema();
        let defaults: toml::Table = DEFAULT_CONFIG.parse().unwrap();
        fn look(table: &toml::Table, schema: &Value, path: &str) {
            for (key, value) in table {
                let found = &schema["properties"][key];
                assert!(!found.is_null(), "{path}{key} is not in the schema");
                if let Some(table) = value.as_table().filter(|_| !found["properties"].is_null()) {
                    look(table, found, &format!("{path}{key}."));
                }
                let text = value.as_str().map(|text| Value::from(text.to_owned()));
                if let (Some(choices), Some(text)) = (found["enum"].as_array(), text) {
                    assert!(choices.contains(&text), "{path}{key}: {text} is not allowed by the schema");
                }
            }
        }
        look(&defaults, &schema, "");
    }

    #[test]
    fn everything_in_the_schema_is_known_to_the_program() {
        let schema: Value = config::schema();
        fn example(schema: &Value) -> Option<toml::Value> {
            if let Some(example) = schema["examples"].get(0) {
                return Some(toml::Value::try_from(example).unwrap());
            }
            let fields = schema["properties"].as_object()?.iter();
            let fields = fields.map(|(key, schema)| {
                (key.clone(), example(schema).unwrap_or_else(|| panic!("{key} has no example")))
            });
            Some(toml::Value::Table(fields.collect()))
        }
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("config.toml");
        std::fs::write(&file, toml::to_string(&example(&schema).unwrap()).unwrap()).unwrap();
        let config = Config::load_with(&file, None).unwrap();
        assert_eq!(config.warnings(), [] as [String; 0]);
        assert_eq!(config.ui().theme, "light");
    }
}
