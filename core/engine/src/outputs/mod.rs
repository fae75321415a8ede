//! What a session can write: exports, plans, reports and changed copies. The commands and the dialogs of the interface both
//! go through [`Outputs`], so that the same session writes the same whoever asks.
//!
//! - `paths` expands, completes and proposes destinations.
//! - `fields` are the parts of a form, `forms` makes the form of each kind with its preview, and `writing` writes it.
//! - `remarks` are what to know before relying on what is written.

mod fields;
mod forms;
mod paths;
mod preview;
mod remarks;
mod snapshot;
mod writing;

pub(crate) use forms::{form, previewed};
pub(crate) use paths::completed;
pub use remarks::OutputRemark;
pub(crate) use snapshot::Snapshot;
pub(crate) use writing::{stage, write};

use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::journal::{Decisions, Now, changed_files};
use chaffinch_data::uses::Uses;
use chaffinch_formats::export::{self, Export, Finders, Request, Written};
use chaffinch_protocol::display::safe_path;
use chaffinch_protocol::sample::SampleId;
use chaffinch_report::{About, Subject};
use chaffinch_review::atlas::Atlas;
use chaffinch_review::query::Source;
use chaffinch_review::repair::{self, Plan, Policies};
use std::path::Path;

/// Why nothing is written during a blind review.
pub const BLIND: &str =
    "this is a blind review, and what is written would show what others decided; end it first";

/// Everything that is needed to write something about a session.
pub struct Outputs<'a> {
    subject: Subject<'a>,
    dataset: &'a Path,
    reading: &'a DatasetOptions,
    finders: Finders,
    /// Decisions about contents that are still there.
    decisions: Decisions,
    changed: Vec<(SampleId, Now)>,
}

impl<'a> Outputs<'a> {
    /// Of this session. Looks whether the files that were decided are still what they were: what was decided about other
    /// content says nothing of what is there now.
    ///
    /// # Errors
    /// When stopped.
    pub fn new(
        subject: Subject<'a>,
        dataset: &'a Path,
        reading: &'a DatasetOptions,
        finders: Finders,
        job: &Job<'_>,
    ) -> Result<Outputs<'a>> {
        let source = subject.source;
        let decisions = subject.journal.decisions();
        let changed = changed_files(source.manifest, source.file_metadata, decisions, job)?;
        let other = changed.iter().filter(|(_, now)| *now == Now::Changed).map(|(id, _)| *id);
        let decisions = subject.journal.snapshot().without(other);
        Ok(Outputs { subject, dataset, reading, finders, decisions, changed })
    }

    /// The decisions that count.
    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// Decided files that are no longer what was decided about.
    pub fn changed(&self) -> &[(SampleId, Now)] {
        &self.changed
    }

    fn source(&self) -> Source<'_> {
        Source { decisions: &self.decisions, ..self.subject.source }
    }

    /// Writes decisions in an export format.
    ///
    /// # Errors
    /// When the dataset is half changed, and as [`export::Format::write`].
    pub fn export(
        &self,
        format: &export::Format,
        request: Request,
        embeddings: &dyn Fn() -> Option<Atlas>,
        job: &Job<'_>,
    ) -> Result<Written> {
        chaffinch_formats::repair::require_whole(self.dataset)?;
        let root = self.subject.source.manifest.root();
        let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let export = Export { source: self.source(), dataset: &name, place: Some(self.dataset), embeddings };
        format.write(&export, &Request { finders: self.finders, ..request }, job)
    }

    /// The plan that decisions and policies make.
    ///
    /// # Errors
    /// When the dataset is half changed, or when stopped.
    pub fn plan(&self, policies: Policies, job: &Job<'_>) -> Result<Plan> {
        chaffinch_formats::repair::require_whole(self.dataset)?;
        repair::make(&self.source(), self.dataset, self.reading, policies, job)
    }

    /// The same for a file, which is to be carried out later, and what it will leave contradictory.
    ///
    /// # Errors
    /// When stopped, or when the dataset cannot be changed like that, as `apply` would say.
    pub fn plan_to_apply(&self, policies: Policies, job: &Job<'_>) -> Result<(Plan, Option<String>)> {
        let plan = self.plan(policies, job)?;
        let left = match plan.changes.is_empty() {
            true => None,
            false => chaffinch_formats::repair::check(&plan, job)?,
        };
        Ok((plan, left))
    }

    /// Writes a report.
    ///
    /// # Errors
    /// As [`chaffinch_report::Format::write`].
    pub fn report(
        &self,
        format: &chaffinch_report::Format,
        request: &chaffinch_report::Request,
        job: &Job<'_>,
    ) -> Result<chaffinch_report::Written> {
        format.write(&self.subject, request, job)
    }

    /// How many suspects a report lists if nothing else is asked for; `None` for all.
    pub fn listed_by_default(format: &chaffinch_report::Format) -> Option<usize> {
        match format.name {
            "json" | "card" => None,
            "md" => Some(100),
            _ => Some(5000),
        }
    }
}

/// Where a session is from, as reports name it.
pub fn about(dataset: &Path, program: String, uses: Uses) -> About {
    let name = dataset.file_name().map_or_else(|| safe_path(dataset), |name| safe_path(Path::new(name)));
    About { name, dataset: safe_path(dataset), program, uses }
}
