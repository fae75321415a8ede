//! Ten million rows: opening, listing, memory.

use super::screen;
use super::{Report, Scale, milliseconds, percentile, synthetic};
use crate::artefacts::program;
use crate::process;
use crate::sandbox::Sandbox;
use crate::synthetic::engine;
use crate::terminal::Terminal;
use chaffinch_engine::Client;
use chaffinch_protocol::{Command, Event, Query, Sort, Ticket};
use std::path::Path;
use std::time::{Duration, Instant};

/// Filters and sorts as typed.
fn queries() -> Vec<Query> {
    let query = |all: bool, filter: &str, sort: Sort, descending: bool| Query {
        all,
        filter: filter.into(),
        sort,
        descending,
    };
    let mut queries = Vec::new();
    for all in [true, false] {
        for filter in [
            "",
            "class:class-007",
            "-class:class-007",
            "00123",
            "class-042/0",
            "score<0.3",
            "detector:duplicates",
            "suggested:class-001",
            "split:test class:class-00",
            "undecided",
            "is:unreadable",
        ] {
            queries.push(query(all, filter, Sort::Rank, false));
        }
        queries.push(query(all, "class:class-007", Sort::Class, false));
        queries.push(query(all, "class:class-007", Sort::Path, false));
        queries.push(query(all, "", Sort::Rank, true));
    }
    // The suspects in every order; all samples in an order other than rank are listed separately.
    for sort in [Sort::Class, Sort::Path, Sort::Random, Sort::Group, Sort::Detector("image-quality".into())] {
        queries.push(query(false, "", sort, false));
    }
    queries
}

/// Requests a list and its first rows; returns its length.
fn list(client: &Client, ticket: Ticket, query: Query) -> u64 {
    client.commands.send(Command::List { ticket, query }).unwrap();
    loop {
        match client.events.recv_timeout(Duration::from_secs(180)).unwrap() {
            Event::Listed { ticket: came, total, .. } if came == ticket => {
                client.commands.send(Command::Rows { ticket, start: 0, len: 64 }).unwrap();
                if total == 0 {
                    return 0;
                }
            }
            Event::Rows { ticket: came, rows, .. } if came == ticket => {
                assert!(!rows.is_empty());
                return rows.len() as u64;
            }
            Event::Refused { message } | Event::NotListed { message, .. } => panic!("{message}"),
            _ => {}
        }
    }
}

/// Megabytes of the screen's and the engine's process together: resident, of which private, and
/// peak resident.
fn memory(screen: u32, session: &Path) -> [f64; 3] {
    let mut pids = process::running(program(), session.to_str().unwrap());
    pids.retain(|pid| process::is_engine(*pid));
    pids.push(screen);
    let field = |name: &str| -> f64 {
        let of = |pid: &u32| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()).unwrap_or(0.0)
        };
        pids.iter().map(of).sum::<f64>() / 1e3
    };
    [field("VmRSS:"), field("RssAnon:"), field("VmHWM:")]
}

pub(super) fn rows(scale: Scale) -> Report {
    let mut report = Report::default();
    let count = scale.of(10_000_000, 30_000);
    let session = synthetic(count);
    let data = session.parent().unwrap().join("data");

    // Again, so that derived files exist and the page cache is warm.
    let sandbox = Sandbox::new();
    let (mut painted, mut listed) = (Vec::new(), Vec::new());
    for round in 0..scale.of(11, 2) {
        let command = sandbox.command(["open", session.to_str().unwrap(), "--pictures", "off"]);
        let started = Instant::now();
        let terminal = Terminal::start(&command, 120, 40);
        terminal.wait("rows", |screen| screen.contains(".jpg"));
        terminal
            .settle(Duration::from_millis(if round == 0 { 8_000 } else { 700 }.min(scale.of(8_000, 700))));
        if round > 0 {
            let frames = screen::frames(&terminal.record(), 120, 40);
            painted.push(milliseconds(frames[0].at - started));
            let list = frames.iter().find(|frame| frame.text.contains(".jpg")).unwrap();
            listed.push(milliseconds(list.at - started));
        }
        if round == scale.of(10, 1) {
            let now = || memory(terminal.pid(), &session);
            let idle = Duration::from_millis(scale.of(2_600, 100));
            std::thread::sleep(idle);
            let [resident, own, _] = now();
            report.time(format!("{count} rows: resident after opening"), resident, "MB", Some(300.0));
            report.time(format!("{count} rows: of that its own and not files"), own, "MB", None);
            let (mut at_work, mut most, mut most_own) = (0.0_f64, 0.0_f64, 0.0_f64);
            for keys in ["T", "fclass:class-007\r", "F", "f00123\r", "F", ",c", ",k"] {
                terminal.keys(keys);
                terminal.settle(Duration::from_millis(600));
                at_work = at_work.max(now()[0]);
                std::thread::sleep(idle);
                let [resident, own, _] = now();
                (most, most_own) = (most.max(resident), most_own.max(own));
            }
            report.time(format!("{count} rows: resident between filters, most"), most, "MB", Some(300.0));
            report.time(format!("{count} rows: of that its own and not files, most"), most_own, "MB", None);
            report.time(format!("{count} rows: resident right after a filter, most"), at_work, "MB", None);
            report.time(format!("{count} rows: resident at any moment, most"), now()[2], "MB", None);
        }
        super::keys::quit(terminal);
    }
    report.times(&format!("{count} rows: start to the first frame, warm"), painted, None, None);
    listed.sort_by(f64::total_cmp);
    let what = format!("{count} rows: start to the list, warm, median of {}", listed.len());
    report.time(what, percentile(&listed, 0.5), "ms", Some(300.0));
    report.time(format!("{count} rows: start to the list, warm, most"), percentile(&listed, 1.0), "ms", None);

    let client = engine(&session, &data);
    let mut times = Vec::new();
    let mut ticket = 0;
    for _ in 0..scale.of(3, 1) {
        for query in queries() {
            ticket += 1;
            let (text, started) = (format!("{query:?}"), Instant::now());
            let rows = list(&client, ticket, query);
            times.push((milliseconds(started.elapsed()), text, rows));
        }
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (time, query, _) in times.iter().rev().take(12) {
        println!("slow: {time:.0} ms {query}");
    }
    let all: Vec<f64> = times.iter().map(|time| time.0).collect();
    report.time(
        format!("{count} rows: filter to first rows, median of {}", all.len()),
        percentile(&all, 0.5),
        "ms",
        None,
    );
    report.time(
        format!("{count} rows: filter to first rows, 95th percentile"),
        percentile(&all, 0.95),
        "ms",
        Some(100.0),
    );
    for sort in [Sort::Class, Sort::Path, Sort::Random] {
        ticket += 1;
        let started = Instant::now();
        let text = format!("{count} rows: all of them by {sort:?}");
        list(&client, ticket, Query { all: true, sort, ..Query::default() });
        report.time(text, milliseconds(started.elapsed()), "ms", None);
    }
    // Moving a threshold re-ranks all samples.
    let mut moved = Vec::new();
    for threshold in [0.45, 0.4, 0.55, 0.3, 0.5].into_iter().cycle().take(scale.of(15, 2)) {
        let started = Instant::now();
        let detector = "image-quality".to_owned();
        client.commands.send(Command::SetThreshold { detector, threshold }).unwrap();
        ticket += 1;
        list(&client, ticket, Query::default());
        moved.push(milliseconds(started.elapsed()));
    }
    moved.sort_by(f64::total_cmp);
    let what = format!("{count} rows: a threshold moved to first rows, median of {}", moved.len());
    report.time(what, percentile(&moved, 0.5), "ms", Some(100.0));
    report.time(
        format!("{count} rows: a threshold moved to first rows, most"),
        percentile(&moved, 1.0),
        "ms",
        None,
    );
    // A newer list while an older one is being computed.
    let mut waits = Vec::new();
    let quick = || Query { filter: "is:unreadable".into(), ..Query::default() };
    for _ in 0..scale.of(15, 2) {
        let alone = Instant::now();
        ticket += 1;
        list(&client, ticket, quick());
        let alone = milliseconds(alone.elapsed());
        ticket += 1;
        let slow = Query { all: true, filter: "-zzz -class-042/0".into(), ..Query::default() };
        client.commands.send(Command::List { ticket, query: slow }).unwrap();
        std::thread::sleep(Duration::from_millis(15));
        let started = Instant::now();
        ticket += 1;
        list(&client, ticket, quick());
        waits.push(milliseconds(started.elapsed()) - alone);
    }
    waits.sort_by(f64::total_cmp);
    report.time(
        format!("{count} rows: a list canceled for another, median"),
        percentile(&waits, 0.5),
        "ms",
        Some(20.0),
    );
    client.stop().unwrap();
    report
}
