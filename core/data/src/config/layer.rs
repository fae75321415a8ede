//! One file of settings, laid over those before it.

use super::Config;
use super::declared::SECTIONS;
use super::setting::Setting;
use crate::toml_table::{Source, Table, Value};
use crate::{Error, Result};
use std::path::Path;

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The user's, or the program's own.
    User,
    /// A project's or a session's, which may have come from somebody else.
    Other,
}

impl Config {
    /// Lays a file over what was read before.
    pub(super) fn lay(&mut self, text: &str, path: &Path, owner: Owner) -> Result<()> {
        let source = Source { path, text };
        let parsed = source.parse()?;
        let beside = path.parent().unwrap_or(Path::new(""));
        let mut file = source.table(parsed.get_ref(), "");
        let mut said = self.settings.read("", &mut file, beside)?;
        for (section, _) in SECTIONS.iter().filter(|(section, _)| !section.is_empty()) {
            let Some(mut table) = file.section(section, section)? else { continue };
            said.extend(self.settings.read(section, &mut table, beside)?);
            match *section {
                "detectors" => self.lay_detectors(&table)?,
                _ => self.warnings.extend(table.strays()),
            }
        }
        self.warnings.extend(file.strays());
        if owner == Owner::Other
            && let Some(reason) = said.iter().find_map(|setting| setting.user_only)
        {
            return Err(Error::format(path, reason));
        }
        let enabled = |setting: &&Setting| (setting.section, setting.key) == ("detectors", "enabled");
        if said.iter().copied().any(|setting| enabled(&setting)) {
            let enabled = std::mem::take(&mut self.settings.detectors.enabled);
            self.enable(enabled);
        }
        Ok(())
    }

    /// The sections of detectors. Which parameters there are, each detector itself says when it runs.
    fn lay_detectors(&mut self, table: &Table<'_, '_>) -> Result<()> {
        let (detectors, strays) = table.other_tables_and_strays();
        self.warnings.extend(strays);
        for (name, detector) in detectors {
            let title = format!("detectors.{name}");
            let mut table = table.beside(detector, &title);
            if let Some(threshold) = table.number("threshold")? {
                if !(0.0..=1.0).contains(&threshold) {
                    let message = format!("the threshold {threshold} is not within 0..=1");
                    return Err(table.complain("threshold", message));
                }
                self.thresholds.insert(name.clone(), threshold as f32);
            }
            let (params, choices) =
                (self.params.entry(name.clone()).or_default(), self.choices.entry(name.clone()).or_default());
            for (param, value) in table.other_values()? {
                // A name takes the place of a number in an earlier layer, and a number that of a name.
                match value {
                    Value::Number(number) => {
                        choices.remove(&param);
                        params.insert(param, number);
                    }
                    Value::Text(word) => {
                        params.remove(&param);
                        choices.insert(param, word);
                    }
                }
            }
            if params.is_empty() {
                self.params.remove(&name);
            }
            if choices.is_empty() {
                self.choices.remove(&name);
            }
        }
        Ok(())
    }
}
