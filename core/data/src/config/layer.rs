//! Merges one settings file into the layers before it.

use super::declared::SECTIONS;
use super::renamed::name_now;
use super::setting::Setting;
use super::{Config, Origin};
use crate::toml_table::{Source, Table, Value};
use crate::{Error, Result};
use chaffinch_protocol::display::safe_path;
use std::path::Path;

/// The owner of a settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The user, or Chaffinch itself.
    User,
    /// A project or a session, which may come from someone else.
    Other,
}

impl Config {
    /// Merges a file into the settings read so far, and returns which it sets.
    pub(super) fn merge(&mut self, text: &str, path: &Path, owner: Owner) -> Result<Vec<&'static Setting>> {
        let source = Source { path, text };
        let parsed = source.parse()?;
        let base = path.parent().unwrap_or(Path::new(""));
        let mut file = source.table(parsed.get_ref(), "");
        let origin = Origin::File(path.to_path_buf());
        let mut found = self.settings.read("", &mut file, base)?;
        for (section, _) in SECTIONS.iter().filter(|(section, _)| !section.is_empty()) {
            let Some(mut table) = file.section(section, section)? else { continue };
            found.extend(self.settings.read(section, &mut table, base)?);
            match *section {
                "detectors" => self.merge_detectors(&table, path)?,
                _ => self.warnings.extend(table.unknown_keys()),
            }
        }
        self.warnings.extend(file.unknown_keys());
        if owner == Owner::Other
            && let Some(reason) = found.iter().find_map(|setting| setting.user_only)
        {
            return Err(Error::format(path, reason));
        }
        let enabled = |setting: &&Setting| (setting.section, setting.key) == ("detectors", "enabled");
        if found.iter().copied().any(|setting| enabled(&setting)) {
            let enabled = std::mem::take(&mut self.settings.detectors.enabled);
            self.enable(enabled);
        }
        self.note_all(&found, &origin);
        Ok(found)
    }

    /// The sections of detectors. Parameters are checked when the detector runs, since only it knows them.
    fn merge_detectors(&mut self, table: &Table<'_, '_>, path: &Path) -> Result<()> {
        let (detectors, unknown) = table.other_tables_and_unknown_keys();
        self.warnings.extend(unknown);
        for (name, detector) in detectors {
            let title = format!("detectors.{name}");
            let mut table = table.sibling(detector, &title);
            if let Some(threshold) = table.number("threshold")? {
                if !(0.0..=1.0).contains(&threshold) {
                    let message = format!("threshold {threshold} is not between 0 and 1");
                    return Err(table.complain("threshold", message));
                }
                self.thresholds.insert(name.clone(), threshold as f32);
                self.note(&title, "threshold", Origin::File(path.to_path_buf()));
            }
            for (param, value) in table.other_values()? {
                let now = name_now(&param).to_owned();
                if now != param {
                    let file = safe_path(path);
                    self.outdated.push(format!(
                        "{file}: '{param}' in [{title}] is called '{now}' now; write that instead"
                    ));
                }
                let param = now;
                self.note(&title, &param, Origin::File(path.to_path_buf()));
                let (params, choices) = (
                    self.params.entry(name.clone()).or_default(),
                    self.choices.entry(name.clone()).or_default(),
                );
                // A name replaces a number from an earlier layer, and the other way around.
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
        }
        self.params.retain(|_, params| !params.is_empty());
        self.choices.retain(|_, choices| !choices.is_empty());
        Ok(())
    }
}
