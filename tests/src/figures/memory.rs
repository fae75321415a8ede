//! Many small pictures and some that take much memory, scanned within one budget.

use super::{Report, Scale};
use crate::hostile;
use crate::sandbox::{Ran, Sandbox, number, report as scan_report};
use std::time::Instant;

/// Bytes of the budget.
const BUDGET: u64 = 2 << 30;

pub(super) fn memory(scale: Scale) -> Report {
    let mut report = Report::default();
    let sandbox = Sandbox::new();
    let (small, large) = scale.of((99_700, 300), (300, 8));
    // 183 MiB of pixels each at full size.
    hostile::dataset(&sandbox.data(), small, large, scale.of(8_000, 4_000));
    let mut args = sandbox.scan_args();
    args.extend(["--memory", "2GiB", "--detectors", "duplicates,image-quality"].map(str::to_owned));
    let mut command = sandbox.command(args);
    // As on a machine with many processors, each of which would hold a picture.
    command.env("RAYON_NUM_THREADS", "16");
    let started = Instant::now();
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let found = scan_report(&ran);
    report.count("pictures", number(&found, "samples") as f64, "", None);
    report.count("of them large", large as f64, "", None);
    report.count("pictures that could not be read", number(&found, "unreadable") as f64, "", Some(0.0));
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let peak = mib(number(&found, "peak_memory"));
    report.count("peak memory of the scan", peak.round(), "MiB", Some(mib(BUDGET)));
    report.time("the scan", started.elapsed().as_secs_f64(), "s", None);
    report
}
