//! Which detector is selected.

use super::Model;
use chaffinch_protocol::DetectorSummary;

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
}
