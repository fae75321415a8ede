//! Which detector is selected.

use super::Model;
use chaffinch_protocol::{DetectorForm, DetectorState, DetectorSummary};
use std::collections::BTreeSet;

impl Model {
    /// The selected detector; none before one has run.
    pub fn chosen(&self) -> Option<&DetectorSummary> {
        self.session.as_ref()?.detectors.get(self.detector)
    }

    /// Its name.
    pub fn chosen_name(&self) -> Option<&str> {
        self.chosen().map(|detector| detector.name.as_str())
    }

    /// Its threshold, as shown on the screen.
    pub fn chosen_threshold(&self) -> Option<f32> {
        self.chosen().map(|detector| detector.threshold)
    }

    /// The detector whose parameters are set: one that has no results if it was chosen for that, or else the selected one.
    pub fn tuned(&self) -> Option<&str> {
        let selected = || self.chosen().filter(|detector| !detector.built_in).map(|one| one.name.as_str());
        let idle = || self.idle().next().map(|form| form.name.as_str());
        self.panels.idle.as_deref().or_else(selected).or_else(idle)
    }

    /// Whether that has results: only then it has a threshold to move.
    pub fn tunes_results(&self) -> bool {
        let name = self.tuned();
        name.is_some() && self.panels.idle.is_none() && name == self.chosen_name()
    }

    /// Detectors that have parameters to set and no results: not run yet, failed, disabled or set aside.
    pub fn idle(&self) -> impl Iterator<Item = &DetectorForm> {
        let session = self.session.iter().flat_map(|session| &session.detectors);
        let with_results: BTreeSet<&str> = session.map(|detector| detector.name.as_str()).collect();
        let forms = self.panels.forms.iter().flatten();
        forms.filter(move |form| is_idle(form) && !with_results.contains(form.name.as_str()))
    }
}

/// Whether a detector that has no results is loaded, so that it can be given parameters.
fn is_idle(form: &DetectorForm) -> bool {
    use DetectorState as D;
    !form.ran && !matches!(form.about.state, D::Refused | D::Changed | D::NotLoaded)
}
