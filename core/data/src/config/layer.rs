//! One file of settings.

use crate::Result;
use crate::nearest::hint;
use crate::toml_table::{Source, Table, Value};
use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::ensemble::RULES;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Whether clicks and the wheel are taken from the terminal.
pub(super) const MOUSE: [&str; 3] = ["auto", "on", "off"];
/// Which signs the screen is made of.
pub(super) const GLYPHS: [&str; 3] = ["auto", "unicode", "ascii"];

/// What one file says; what it does not say is `None` or empty.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) model: Option<String>,
    pub(super) device: Option<String>,
    pub(super) vram_budget: Option<String>,
    pub(super) reviewer: Option<String>,
    pub(super) enabled: Option<Vec<String>>,
    pub(super) disabled: Option<Vec<String>>,
    pub(super) thresholds: BTreeMap<String, f32>,
    pub(super) params: BTreeMap<String, BTreeMap<String, f64>>,
    pub(super) rule: Option<String>,
    pub(super) weights: BTreeMap<String, f32>,
    pub(super) plugin_folders: Option<Vec<PathBuf>>,
    pub(super) prompt_files: Option<Vec<PathBuf>>,
    pub(super) theme: Option<String>,
    pub(super) keymap: Option<String>,
    pub(super) picture: Option<String>,
    pub(super) mouse: Option<String>,
    pub(super) glyphs: Option<String>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) list_width: Option<u16>,
    pub(super) strip: Option<bool>,
    /// Choices of detectors by their names.
    pub(super) choices: BTreeMap<String, BTreeMap<String, String>>,
    /// What was passed over: keys that are not known, each with file and line.
    pub(super) warnings: Vec<String>,
}

impl Layer {
    pub(super) fn parse(text: &str, path: &Path) -> Result<Layer> {
        let source = Source { path, text };
        let parsed = source.parse()?;
        let mut file = source.table(parsed.get_ref(), "");
        let mut layer = Layer {
            model: file.text("model")?,
            device: file.text("device")?,
            vram_budget: file.text("vram-budget")?,
            reviewer: file.text("reviewer")?,
            ..Layer::default()
        };
        if let Some(detectors) = file.table("detectors")? {
            let mut table = source.table(detectors, "detectors");
            layer.enabled = table.texts("enabled")?;
            layer.disabled = table.texts("disabled")?;
            let (detectors, strays) = table.other_tables_and_strays();
            layer.warnings.extend(strays);
            for (name, detector) in detectors {
                layer.detector(&source, name, detector)?;
            }
        }
        if let Some(ensemble) = file.table("ensemble")? {
            let mut table = source.table(ensemble, "ensemble");
            layer.rule = table.text("rule")?;
            let known = |rule: &str| EnsembleRule::parse(rule, &BTreeMap::new()).is_some();
            if let Some(rule) = layer.rule.as_deref().filter(|rule| !known(rule)) {
                let message = format!(
                    "there is no rule '{rule}' (there are: {}, and 2-of-n with any number){}",
                    RULES.join(", "),
                    hint(rule, RULES)
                );
                return Err(table.complain("rule", message));
            }
            if let Some(weights) = table.table("weights")? {
                let weights = source.table(weights, "ensemble.weights");
                for (name, weight) in weights.other_numbers()? {
                    if weight < 0.0 {
                        return Err(weights.complain(&name, format!("the weight {weight} is below 0")));
                    }
                    layer.weights.insert(name, weight as f32);
                }
            }
            layer.warnings.extend(table.strays());
        }
        let beside = path.parent().unwrap_or(Path::new(""));
        if let Some(plugins) = file.table("plugins")? {
            let mut table = source.table(plugins, "plugins");
            layer.plugin_folders = table
                .texts("folders")?
                .map(|folders| folders.iter().map(|folder| place(folder, beside)).collect());
            layer.warnings.extend(table.strays());
        }
        if let Some(prompts) = file.table("prompts")? {
            let mut table = source.table(prompts, "prompts");
            layer.prompt_files = table.texts("files")?.map(|files| {
                // A plain word is the name of a built-in set.
                let word = |file: &str| !file.contains(['/', '.']);
                files.iter().map(|file| if word(file) { file.into() } else { place(file, beside) }).collect()
            });
            layer.warnings.extend(table.strays());
        }
        if let Some(ui) = file.table("ui")? {
            let mut table = source.table(ui, "ui");
            let looks = |name: String| {
                let file = name.contains(['/', '.']);
                if file { place(&name, beside).to_string_lossy().into_owned() } else { name }
            };
            layer.theme = table.text("theme")?.map(looks);
            layer.keymap = table.text("keymap")?.map(looks);
            layer.picture = table.text("picture")?;
            layer.mouse = one_of(&mut table, "mouse", &MOUSE)?;
            layer.glyphs = one_of(&mut table, "glyphs", &GLYPHS)?;
            layer.tags = table.texts("tags")?;
            layer.strip = table.boolean("strip")?;
            if let Some(width) = table.number("list-width")? {
                if !(20.0..=80.0).contains(&width) {
                    return Err(table.complain("list-width", format!("{width} is not within 20..=80")));
                }
                layer.list_width = Some(width as u16);
            }
            layer.warnings.extend(table.strays());
        }
        layer.warnings.extend(file.strays());
        Ok(layer)
    }

    fn detector<'a>(
        &mut self,
        source: &Source<'a>,
        name: String,
        detector: &toml::de::DeTable<'a>,
    ) -> Result<()> {
        let title = format!("detectors.{name}");
        let mut table = source.table(detector, &title);
        if let Some(threshold) = table.number("threshold")? {
            if !(0.0..=1.0).contains(&threshold) {
                return Err(
                    table.complain("threshold", format!("the threshold {threshold} is not within 0..=1"))
                );
            }
            self.thresholds.insert(name.clone(), threshold as f32);
        }
        // Which parameters there are, the detector itself says when it runs.
        for (param, value) in table.other_values()? {
            match value {
                Value::Number(number) => {
                    self.params.entry(name.clone()).or_default().insert(param, number);
                }
                Value::Text(word) => {
                    self.choices.entry(name.clone()).or_default().insert(param, word);
                }
            }
        }
        Ok(())
    }
}

/// A text that must be one of a few.
fn one_of(table: &mut Table<'_, '_>, key: &'static str, known: &[&str]) -> Result<Option<String>> {
    let text = table.text(key)?;
    match text.as_deref().filter(|text| !known.contains(text)) {
        Some(other) => {
            let hint = hint(other, known.iter().copied());
            Err(table.complain(key, format!("'{other}' is none of {}{hint}", known.join(", "))))
        }
        None => Ok(text),
    }
}

/// A path as a settings file gives it: from the home folder after `~/`, else from the file's own folder.
fn place(text: &str, beside: &Path) -> PathBuf {
    match text.strip_prefix("~/").and_then(|rest| Some(etcetera::home_dir().ok()?.join(rest))) {
        Some(path) => path,
        None => beside.join(text),
    }
}
