//! A run whose worker is a recording of what one wrote, so that a test needs no process.

use super::conversation::{Lent, talk};
use super::death::{Death, Ended};
use super::files::Files;
use super::heard::Heard;
use super::message::{FromWorker, ToWorker};
use super::process::{CLOSED_OUTPUT, Partner};
use super::shared::SharedData;
use super::{Job, Limits, Workers};
use crate::declared::ALL;
use chaffinch_plugin::host::Dataset;
use chaffinch_plugin::{Detector, Error, Info, Param, Report, Result, View};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A detector that does what a worker would have done that writes these lines, and 64 times 0.5 to its file. What it asks for is
/// answered, and the answers are only read.
#[derive(Debug, Clone)]
pub struct Rehearsal<'a>(pub &'a [u8]);

/// What a recording was told about the dataset no longer matters.
const NOTHING: Dataset<'static> = Dataset {
    labels: &[],
    splits: &[],
    decodable: &[],
    hashes: &[],
    dimensions: &[],
    classes: &[],
    decisions: &[],
    relabels: &[],
};

const PARAMS: &[Param] = &[Param::number("share", 0.5, 0.0, 1.0, "a share")];

impl Detector for Rehearsal<'_> {
    const INFO: Info = Info::new("rehearsal", "does what a recording says").needs(ALL).params(PARAMS);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let unlent = |error: std::io::Error| Error::new(format!("could not be lent memory: {error}"));
        let data = SharedData::new(&NOTHING).map_err(unlent)?;
        let mut files = Files::new().map_err(unlent)?;
        files.out.append(bytemuck::cast_slice(&[0.5_f32; 64])).map_err(unlent)?;
        let lent = Lent {
            workers: &Workers::default(),
            job: &Job::Program { command: Vec::new(), folder: PathBuf::new() },
            limits: Limits::default(),
            info: &Self::INFO,
            needs: ALL,
            params: &BTreeMap::new(),
            data: &data,
            matrix: None,
            memory: &std::sync::atomic::AtomicU64::new(0),
            log: &|_, _| (),
            printed: &|_| (),
        };
        let mut lines =
            Recording { lines: self.0.split_inclusive(|byte| *byte == b'\n'), heard: Heard::default() };
        talk(&lent, view, report, &mut lines, &mut files).map_err(|ended| match ended {
            Ended::Refused(error) => error,
            Ended::Died(death) => Error::new(death.sentence),
        })
    }
}

/// How the sentence begins that a worker could not read what it is told.
const UNREAD: &str = "is told what it cannot read:";

/// What a worker wrote, line by line.
struct Recording<I> {
    lines: I,
    heard: Heard,
}

impl<'a, I: Iterator<Item = &'a [u8]>> Partner for Recording<I> {
    fn send(&mut self, message: &ToWorker, _: &dyn Fn() -> bool) -> std::result::Result<(), Death> {
        // It is written as it would be for a process, which reads it.
        let written = serde_json::to_vec(message);
        let read = written.and_then(|line| serde_json::from_slice::<ToWorker>(&line));
        read.map(drop).map_err(|error| Death::of_circumstances(format!("{UNREAD} {error}")))
    }

    fn next(&mut self, stop: &dyn Fn() -> bool) -> std::result::Result<Option<FromWorker>, Death> {
        if stop() {
            return Ok(None);
        }
        match self.lines.next() {
            Some(line) => self.heard.read(line).map(Some).map_err(|why| self.end_for(&why)),
            None => Err(self.end_for(CLOSED_OUTPUT)),
        }
    }

    fn check_memory(&mut self, _: u64) -> std::result::Result<(), Death> {
        Ok(())
    }

    fn end_for(&mut self, why: &str) -> Death {
        Death::ended(why, &self.heard.last, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_plugin::testing::MemoryHost;

    #[test]
    fn a_recording_reports_what_its_worker_would_have() {
        let host = MemoryHost::new().classes(&["cat", "dog"]).labels(&[0, 1, 1]);
        let lines = b"{\"type\":\"hello\",\"protocol\":1}\n{\"type\":\"scores\",\"values\":[0.5,null,1]}\n{\"type\":\"done\"}\n";
        let outcome = host.run(&Rehearsal(lines));
        assert_eq!((outcome.error, outcome.scores), (None, vec![Some(0.5), None, Some(1.0)]));
        let lent = b"{\"type\":\"hello\",\"protocol\":1}\n{\"type\":\"scores\",\"out\":{\"offset\":8,\"length\":3}}\n{\"type\":\"done\"}\n";
        assert_eq!(host.run(&Rehearsal(lent)).scores, [Some(0.5); 3]);
        let cut = host.run(&Rehearsal(&lines[..60])).error.unwrap();
        assert!(cut.contains("which ends in the middle of a message"), "{cut}");
        let short = host.run(&Rehearsal(&lines[..30])).error.unwrap();
        assert_eq!(short, format!("{CLOSED_OUTPUT} after its greeting"));
    }
}
