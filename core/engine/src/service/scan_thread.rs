//! A scan on a thread of its own: its reports become events.

use crate::Setup;
use crate::answers::internal::Internal;
use crate::findings::Findings;
use crate::scan::{Done, Reporter, Scan, ScanPlan};
use chaffinch_protocol::display;
use chaffinch_protocol::{Event, Progress, ScanReport};
use crossbeam_channel::Sender;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Minimum interval between progress events.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Runs a scan and turns its reports into events. A panic fails the scan, not the engine.
pub(super) fn run(
    setup: &Setup,
    plan: &ScanPlan,
    findings: Findings,
    events: &Sender<Event>,
    internal: &Sender<Internal>,
    stop: &AtomicBool,
) -> Done {
    let meter = Mutex::new(Meter::default());
    let progress = |stage: &str, done: u64, total: u64, step: (u32, u32)| {
        let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(progress) = meter.tick(stage, done, total, step) {
            let _ = events.send(Event::Progress(progress));
        }
    };
    let safe = |text: &str| display::safe_text(text).into_owned();
    let reporter = Reporter {
        stop,
        progress: &progress,
        trouble: &|about, message| {
            let _ = events.send(Event::Trouble { about: safe(about), message: safe(message) });
        },
        log: &|line| {
            let _ = events.send(Event::Log { line: safe(line) });
        },
        publish: &|findings| {
            let _ = internal.send(Internal::Published(Box::new(findings.clone())));
        },
    };
    let before = findings.clone();
    let registry = setup.detectors.now();
    let scan = std::panic::AssertUnwindSafe(|| Scan::new(setup, &registry, &reporter).run(plan, findings));
    std::panic::catch_unwind(scan).unwrap_or_else(|payload| {
        let why = format!("the scan failed: {}", chaffinch_plugin::PanicMessage(&*payload));
        let _ = events.send(Event::Trouble { about: "scan".into(), message: safe(&why) });
        let report = ScanReport { failed: vec![("scan".into(), why)], ..ScanReport::default() };
        Done { report, findings: before, trial: None }
    })
}

/// Turns counts into a rate and a remaining time, and throttles events.
#[derive(Default)]
struct Meter {
    stage: String,
    started: Option<Instant>,
    told: Option<Instant>,
    first: u64,
    last: u64,
}

impl Meter {
    fn tick(&mut self, stage: &str, done: u64, total: u64, step: (u32, u32)) -> Option<Progress> {
        let now = Instant::now();
        if self.stage != stage || self.started.is_none() {
            *self =
                Meter { stage: stage.to_owned(), started: Some(now), told: None, first: done, last: done };
        }
        // Counts from several threads may arrive out of order.
        self.last = self.last.max(done);
        let finished = total > 0 && self.last >= total;
        if !finished && self.told.is_some_and(|told| now - told < PROGRESS_EVERY) {
            return None;
        }
        self.told = Some(now);
        let seconds = self.started.map_or(0.0, |started| (now - started).as_secs_f64());
        let rate = if seconds > 0.2 { (self.last - self.first) as f64 / seconds } else { 0.0 };
        let remaining = (rate > 0.0 && total > 0).then(|| total.saturating_sub(self.last) as f64 / rate);
        Some(Progress { stage: stage.to_owned(), done: self.last, total, rate, remaining, step })
    }
}
