//! Groups of arguments shared by several commands. Arguments of a single command are in its own file.

mod attach;
mod blind;
mod copies;
mod dataset;
mod detectors;
mod engine;
mod forms;
mod formulas;
mod global;
mod reviewer;
mod screen;

pub(super) use attach::AttachArgs;
pub(super) use blind::BlindArgs;
pub(super) use copies::CopyMode;
pub(super) use dataset::{DatasetArgs, ReadingArgs, dataset_forms};
pub(super) use detectors::detectors;
pub(super) use engine::{EngineArgs, rule};
pub(super) use forms::{Format, ReportFormat};
pub(super) use formulas::Formulas;
pub(super) use global::{Global, ProgressFormat};
pub(super) use reviewer::{ReviewerArgs, reviewer};
pub(super) use screen::ScreenArgs;
