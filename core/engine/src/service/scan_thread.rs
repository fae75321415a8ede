//! A scan on a thread of its own: its reports become events.

use super::meter::Meter;
use crate::Setup;
use crate::answers::internal::Internal;
use crate::findings::Findings;
use crate::outlet::Outlet;
use crate::scan::{Done, Reporter, Scan, ScanPlan, codes};
use chaffinch_protocol::display;
use chaffinch_protocol::{Event, ScanReport};
use crossbeam_channel::Sender;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

/// Runs a scan and turns its reports into events. A panic fails the scan, not the engine.
pub(super) fn run(
    setup: &Setup,
    plan: &ScanPlan,
    findings: Findings,
    events: &Outlet,
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
        Done {
            report,
            findings: before,
            trial: None,
            model: None,
            printed: BTreeMap::new(),
            current: BTreeSet::new(),
            codes: codes(&registry),
        }
    })
}
