//! Settings from the environment: above all files, below flags.

use super::layer::{GLYPHS, Layer, MOUSE};
use crate::nearest::hint;
use crate::{Error, Result};

/// The variables that are read, and what each of them sets. An empty one counts as not set.
pub const VARIABLES: [(&str, &str); 9] = [
    ("CHAFFINCH_MODEL", "model"),
    ("CHAFFINCH_DEVICE", "device"),
    ("CHAFFINCH_VRAM_BUDGET", "vram-budget"),
    ("CHAFFINCH_REVIEWER", "reviewer"),
    ("CHAFFINCH_THEME", "ui.theme"),
    ("CHAFFINCH_KEYMAP", "ui.keymap"),
    ("CHAFFINCH_PICTURES", "ui.picture"),
    ("CHAFFINCH_MOUSE", "ui.mouse"),
    ("CHAFFINCH_GLYPHS", "ui.glyphs"),
];

pub(super) fn layer(get: impl Fn(&str) -> Option<String>) -> Result<Layer> {
    let mut layer = Layer::default();
    for (variable, key) in VARIABLES {
        let Some(value) = get(variable).filter(|value| !value.is_empty()) else { continue };
        let check = |known: &[&str]| match known.contains(&value.as_str()) {
            true => Ok(()),
            false => {
                let hint = hint(&value, known.iter().copied());
                let known = known.join(", ");
                Err(Error::Invalid(format!("{variable}: '{value}' is none of {known}{hint}")))
            }
        };
        match key {
            "model" => layer.model = Some(value),
            "device" => layer.device = Some(value),
            "vram-budget" => layer.vram_budget = Some(value),
            "reviewer" => layer.reviewer = Some(value),
            "ui.theme" => layer.theme = Some(value),
            "ui.keymap" => layer.keymap = Some(value),
            "ui.picture" => layer.picture = Some(value),
            "ui.mouse" => {
                check(&MOUSE)?;
                layer.mouse = Some(value);
            }
            _ => {
                check(&GLYPHS)?;
                layer.glyphs = Some(value);
            }
        }
    }
    Ok(layer)
}
