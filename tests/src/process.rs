//! Watches and ends processes started by a test.

use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::time::{Duration, Instant};

/// Sends a signal; it is fine if the process is already gone.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(i32::try_from(pid).unwrap()) {
        let _ = kill_process(pid, signal);
    }
}

/// Whether a process is running: it exists and is not a zombie.
pub fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may contain anything, so the state is after the last parenthesis.
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !matches!(rest.trim_start().chars().next(), Some('Z' | 'X') | None))
}

/// CPU seconds used by a process so far, without its children.
pub fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

/// Waits for a condition; returns whether it held in time, and after how long.
pub fn wait_for(limit: Duration, mut holds: impl FnMut() -> bool) -> Result<Duration, Duration> {
    let started = Instant::now();
    loop {
        if holds() {
            return Ok(started.elapsed());
        }
        if started.elapsed() > limit {
            return Err(started.elapsed());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process is an engine, as opposed to the screen.
pub fn is_engine(pid: u32) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).nth(1) == Some(b"engine")
}

/// Processes that run this program with this text among their arguments, other than the caller.
pub fn running(program: &Path, argument: &str) -> Vec<u32> {
    let own = std::process::id();
    let pids = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|&pid: &u32| {
        let exe = std::fs::read_link(format!("/proc/{pid}/exe"));
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        pid != own
            && alive(pid)
            && exe.is_ok_and(|exe| exe == program)
            && String::from_utf8_lossy(&line).contains(argument)
    })
    .collect()
}
