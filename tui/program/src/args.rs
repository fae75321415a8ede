//! Groups of arguments that several commands share. What only one command takes is in that command's own file.

mod copies;
mod dataset;
mod engine;
mod forms;
mod global;
mod screen;

pub(super) use copies::CopyMode;
pub(super) use dataset::{DatasetArgs, dataset_forms};
pub(super) use engine::{EngineArgs, rule};
pub(super) use forms::{Format, ReportFormat};
pub(super) use global::Global;
pub(super) use screen::ScreenArgs;
