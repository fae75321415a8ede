//! Twelve kinds of terminals that respond late, in pieces or not at all, and what the shell receives.

use super::{Report, Scale, milliseconds};
use crate::answers::Manner;
use crate::process;
use crate::sandbox::Sandbox;
use crate::terminal::Terminal;
use rustix::process::{Pid, Signal};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The terminals: their behavior and their environment.
fn terminals() -> Vec<(&'static str, Manner, Vec<(&'static str, &'static str)>)> {
    let cell = Some((10, 20));
    let plain = Manner::default;
    vec![
        ("kitty", Manner::kitty(), vec![("TERM", "xterm-kitty")]),
        (
            "ghostty",
            Manner { version: Some("ghostty 1.2.0"), ..Manner::kitty() },
            vec![("TERM", "xterm-ghostty")],
        ),
        ("WezTerm", Manner { version: Some("WezTerm 20240203"), sixel: true, ..Manner::kitty() }, vec![]),
        ("foot", Manner { version: Some("foot(1.20.0)"), ..Manner::sixel() }, vec![("TERM", "foot")]),
        ("xterm with sixels", Manner { version: Some("XTerm(390)"), ..Manner::sixel() }, vec![]),
        (
            "iTerm2",
            Manner { cell, version: Some("iTerm2 3.5.0"), ..plain() },
            vec![("LC_TERMINAL", "iTerm2")],
        ),
        ("plain xterm", plain(), vec![]),
        ("VTE", Manner { version: Some("VTE(7600)"), ..plain() }, vec![]),
        ("answers in single bytes", Manner { pieces: Some(1), ..Manner::kitty() }, vec![]),
        ("answers in halves", Manner { pieces: Some(7), ..Manner::sixel() }, vec![]),
        ("mute", Manner { mute: true, ..plain() }, vec![]),
        ("Linux console", plain(), vec![("TERM", "linux")]),
    ]
}

/// How the program ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Quit,
    Term,
    /// Stopped, continued, and quit.
    Stop,
}

struct Case {
    name: String,
    manner: Manner,
    environment: Vec<(&'static str, &'static str)>,
    end: End,
    /// How long the program runs before it ends.
    after: Duration,
}

/// The faults, and the time to the first frame.
fn play(case: &Case, sandbox: &Sandbox) -> (Vec<String>, f64) {
    let session: PathBuf = sandbox.session();
    let program = sandbox.command(["open", session.to_str().unwrap()]);
    // Inside a shell: a response that comes too late is echoed there, as at a prompt.
    let mut shell = Command::new("sh");
    shell.arg("-c").arg("sh -c 'echo $$ >pid; exec \"$0\" \"$@\"' \"$0\" \"$@\"; printf 'PROMPT'; sleep 12");
    shell.arg(program.get_program()).args(program.get_args());
    shell.envs(sandbox.environment()).current_dir(sandbox.path());
    shell.env("TERM", "xterm-256color").env("COLORTERM", "truecolor");
    for (key, value) in &case.environment {
        shell.env(key, value);
    }
    let _ = std::fs::remove_file(sandbox.path().join("pid"));
    let delay = case.manner.delay;
    let started = Instant::now();
    let mut terminal = Terminal::start_as(&shell, 100, 30, case.manner.clone());
    terminal.wait_text("? help");
    let first = terminal.record().frames().first().map_or(f64::NAN, |(at, _)| milliseconds(*at - started));
    let pid: u32 = std::fs::read_to_string(sandbox.path().join("pid")).unwrap().trim().parse().unwrap();
    std::thread::sleep(case.after);
    if case.manner.pieces.is_some() && !matches!(case.end, End::Term) {
        // No terminal sends a key in the middle of an answer.
        std::thread::sleep(delay + Duration::from_millis(2_600));
    }
    match case.end {
        End::Quit => terminal.keys("q"),
        End::Term => process::signal(pid, Signal::TERM),
        End::Stop => {
            process::signal(pid, Signal::TSTP);
            let stopped = || {
                let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
            };
            let _ = process::wait_for(Duration::from_secs(10), stopped);
            // Long enough for anything still in flight.
            std::thread::sleep(delay.min(Duration::from_secs(2)));
            // The shell around it was stopped with it.
            let group = Pid::from_raw(i32::try_from(terminal.pid()).unwrap()).unwrap();
            rustix::process::kill_process_group(group, Signal::CONT).unwrap();
            let answered = if case.manner.pieces.is_some() {
                delay + Duration::from_millis(2_600)
            } else {
                Duration::from_millis(300)
            };
            std::thread::sleep(answered);
            terminal.keys("q");
        }
    }
    let mut wrong = Vec::new();
    if process::wait_for(Duration::from_secs(20), || !process::alive(pid)).is_err() {
        wrong.push(format!("{}: still there after twenty seconds", case.name));
    }
    // Anything still in flight reaches the shell now.
    let pieces = if case.manner.pieces.is_some() { 2_600 } else { 600 };
    std::thread::sleep(delay + Duration::from_millis(pieces));
    let tap = terminal.tap();
    let prompt = tap.windows(6).rposition(|window| window == b"PROMPT");
    match prompt {
        None => wrong.push(format!("{}: the shell is not back", case.name)),
        Some(at) if at + 6 < tap.len() => {
            wrong.push(format!("{}: the shell got {}", case.name, tap[at + 6..].escape_ascii()));
        }
        Some(_) => {}
    }
    if tap.windows(2).any(|window| window == b"^[") {
        wrong.push(format!("{}: an answer was echoed", case.name));
    }
    wrong.extend(terminal.left_behind().into_iter().map(|what| format!("{}: {what}", case.name)));
    terminal.signal(Signal::KILL);
    terminal.end(Duration::from_secs(5));
    (wrong, first)
}

pub(super) fn garbage(scale: Scale) -> Report {
    let mut report = Report::default();
    let delays: &[u64] = scale.of(&[0, 150, 1_000, 3_000, 5_000], &[150]);
    let ends: &[End] = scale.of(&[End::Quit, End::Term, End::Stop], &[End::Quit]);
    let mut cases = Vec::new();
    for (name, manner, environment) in terminals() {
        for &delay in delays {
            for (&end, after) in ends
                .iter()
                .flat_map(|end| scale.of(&[30, 1_300][..], &[30][..]).iter().map(move |after| (end, *after)))
            {
                cases.push(Case {
                    name: format!("{name}, {delay} ms late, {end:?} after {after} ms"),
                    manner: Manner { delay: Duration::from_millis(delay), ..manner.clone() },
                    environment: environment.clone(),
                    end,
                    after: Duration::from_millis(after),
                });
            }
        }
    }
    let (next, results) = (AtomicUsize::new(0), Mutex::new((Vec::new(), Vec::new())));
    std::thread::scope(|scope| {
        // Mostly they wait.
        for _ in 0..scale.of(8, 4) {
            scope.spawn(|| {
                let sandbox = Sandbox::new();
                crate::synthetic::session(&sandbox.session(), &sandbox.data(), 500, 5);
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (wrong, first) = play(case, &sandbox);
                    let mut results = results.lock().unwrap();
                    results.0.extend(wrong);
                    results.1.push(first);
                }
            });
        }
    });
    let (wrong, first) = results.into_inner().unwrap();
    wrong.iter().for_each(|what| println!("{what}"));
    report.count("runs of twelve terminals", cases.len() as f64, "", None);
    report.count("with garbage or modes left behind", wrong.len() as f64, "", Some(0.0));
    report.times("start to the first frame, eight programs at once", first, None, Some(60.0));
    report
}
