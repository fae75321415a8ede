//! Checks what a detector says beside scores: attributes, findings and regions.

use super::Checked;
use crate::abi::{FindingRecord, RegionRecord};
use crate::host::HostServices;
use crate::{Region, Result, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

/// The most attributes of a detector, findings of a run, samples of a finding, and regions of a sample.
const MOST_ATTRIBUTES: usize = 32;
const MOST_FINDINGS: usize = 100;
const MOST_EVIDENCE: usize = 1000;
const MOST_REGIONS: usize = 64;
/// The longest name of an attribute, unit, text of a finding, and label of a region, in bytes.
const NAME: usize = 40;
const UNIT: usize = 16;
const TEXT: usize = 2000;
const LABEL: usize = 100;

/// How much a detector has said so far.
#[derive(Default)]
pub(super) struct Said {
    attributes: BTreeSet<String>,
    findings: usize,
    /// Regions by sample.
    regions: BTreeMap<usize, usize>,
}

impl<S: HostServices> Checked<'_, S> {
    fn said(&self) -> std::sync::MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::host) fn attribute(&self, name: &str, unit: &str, values: &[f32]) -> Result<()> {
        let count = self.data.labels.len();
        let shown = name.escape_debug();
        let proper = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if name.is_empty() || name.len() > NAME || !name.bytes().all(proper) {
            return Err(self.refuse(format!("names an attribute '{shown}'; use a-z, 0-9, - and _")));
        }
        if unit.len() > UNIT || unit.chars().any(char::is_control) {
            return Err(self.refuse(format!("gives the attribute {shown} a unit that is too long or odd")));
        }
        if values.len() != count {
            let values = values.len();
            return Err(self.refuse(format!("wrote {values} values of {shown} for {count} samples")));
        }
        if let Some((sample, value)) = values.iter().enumerate().find(|(_, value)| value.is_infinite()) {
            return Err(self.refuse(format!("gives sample {sample} the {shown} {value}")));
        }
        let mut said = self.said();
        if said.attributes.contains(name) {
            return Err(self
                .refuse(format!("writes the attribute {shown} twice; the second would replace the first")));
        }
        if said.attributes.len() >= MOST_ATTRIBUTES {
            return Err(self.refuse(format!("writes more than {MOST_ATTRIBUTES} attributes")));
        }
        said.attributes.insert(name.to_owned());
        drop(said);
        let of_decodable = |(sample, &value)| if self.decodable(sample) { value } else { f32::NAN };
        let values: Vec<f32> = values.iter().enumerate().map(of_decodable).collect();
        self.services.attribute(name, unit, &values);
        Ok(())
    }

    /// `text` and `evidence` are those of the record.
    pub(in crate::host) fn finding(
        &self,
        record: &FindingRecord,
        text: &str,
        evidence: &[u32],
    ) -> Result<()> {
        let count = self.data.labels.len();
        let Some(severity) = Severity::from_code(record.severity) else {
            return Err(self.refuse(format!("writes a finding of the unknown severity {}", record.severity)));
        };
        if text.trim().is_empty() || text.len() > TEXT {
            return Err(self.refuse(format!("writes a finding of {} bytes; use 1 to {TEXT}", text.len())));
        }
        if let Some(sample) = evidence.iter().find(|sample| **sample as usize >= count) {
            return Err(self.refuse(format!("names sample {sample} of {count} as evidence")));
        }
        if evidence.len() > MOST_EVIDENCE {
            let named = evidence.len();
            return Err(
                self.refuse(format!("names {named} samples as evidence; use at most {MOST_EVIDENCE}"))
            );
        }
        let mut said = self.said();
        said.findings += 1;
        if said.findings > MOST_FINDINGS {
            return Err(self.refuse(format!("writes more than {MOST_FINDINGS} findings")));
        }
        drop(said);
        self.services.finding(severity, text, evidence);
        Ok(())
    }

    pub(in crate::host) fn regions(&self, sample: usize, regions: &[Region<'_>]) -> Result<()> {
        let count = self.data.labels.len();
        if sample >= count {
            return Err(self.refuse(format!("names sample {sample} of {count}")));
        }
        // Those of several calls add up.
        let mut said = self.said();
        let all = said.regions.entry(sample).or_default();
        *all += regions.len();
        let given = *all;
        drop(said);
        if given > MOST_REGIONS {
            return Err(
                self.refuse(format!("gives sample {sample} {given} regions; use at most {MOST_REGIONS}"))
            );
        }
        let inside = |low: f32, high: f32| 0.0 <= low && low < high && high <= 1.0;
        let proper =
            |region: &&Region<'_>| inside(region.left, region.right) && inside(region.top, region.bottom);
        if let Some(region) = regions.iter().find(|region| !proper(region)) {
            let Region { left, top, right, bottom, .. } = region;
            return Err(self.refuse(format!(
                "gives sample {sample} a region from {left}, {top} to {right}, {bottom}, which is not a part of a picture"
            )));
        }
        if regions.iter().any(|region| region.label.len() > LABEL) {
            return Err(
                self.refuse(format!("gives a region of sample {sample} a label of more than {LABEL} bytes"))
            );
        }
        // What cannot be decoded is not shown.
        if self.decodable(sample) {
            self.services.regions(sample, regions);
        }
        Ok(())
    }
}

/// A record as a region with its label.
pub(in crate::host) fn region<'a>(record: &RegionRecord, label: &'a str) -> Region<'a> {
    let RegionRecord { left, top, right, bottom, .. } = *record;
    Region { left, top, right, bottom, label }
}
