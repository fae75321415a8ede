//! Compares JSON with the schemas in `configs/schema`.

use crate::artefacts::root;
use serde_json::Value;

/// This must be as the schema of this name says.
pub fn check(value: &Value, name: &str) {
    let path = root().join(format!("configs/schema/{name}.schema.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    fits(value, &schema, &schema, name);
}

/// The part of JSON Schema that ours uses: types, required and closed objects, items, and references.
fn fits(value: &Value, schema: &Value, whole: &Value, place: &str) {
    if let Some(path) = schema["$ref"].as_str() {
        return fits(value, whole.pointer(path.trim_start_matches('#')).unwrap(), whole, place);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let known = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    let fitting = known.iter().any(|known| known == kind || (known == "number" && kind == "integer"));
    assert!(fitting, "{place} is {value}, not of type {}", schema["type"]);
    if let Some(only) = schema.get("const") {
        assert_eq!(value, only, "{place}");
    }
    if let Some(choices) = schema["enum"].as_array() {
        assert!(choices.contains(value), "{place} is {value}");
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        fits(item, &schema["items"], whole, &format!("{place}[{index}]"));
    }
    let Some(object) = value.as_object() else { return };
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(object.contains_key(name.as_str().unwrap()), "{place} has no {name}");
    }
    for (name, value) in object {
        let known = schema["properties"].get(name).or(schema.get("additionalProperties"));
        let known = known.filter(|known| known.is_object());
        fits(value, known.unwrap_or_else(|| panic!("{place}.{name} is not in the schema")), whole, name);
    }
}
