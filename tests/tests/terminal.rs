//! The interface in a real terminal: whole journeys, sudden ends, and what must never reach the screen.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::artefacts::program;
use chaffinch_tests::random::Random;
use chaffinch_tests::review::{Reviewer, open, tail};
use chaffinch_tests::sandbox::Sandbox;
use chaffinch_tests::terminal::Terminal;
use chaffinch_tests::{digest, pictures, process};
use rustix::process::Signal;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// A session that is scanned and waits for its reviewer.
fn scanned() -> Sandbox {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 10, 30, 32);
    sandbox.scan();
    sandbox
}

/// Opens a session and waits until it shows its list.
fn opened(sandbox: &Sandbox, columns: u16, rows: u16) -> Terminal {
    let first = tail(&sandbox.rank(1)[0]["path"]).to_owned();
    let terminal = open(sandbox, columns, rows);
    terminal.wait_text(&first);
    terminal.settle(Duration::from_millis(300));
    terminal
}

#[test]
fn a_hundred_decisions_survive_a_kill_and_are_exported_exactly() {
    let sandbox = scanned();
    let before = digest::untouched(&sandbox.data());
    let mut reviewer = Reviewer::new(&sandbox);
    let mut random = Random::new(7);

    let mut terminal = open(&sandbox, 120, 40);
    reviewer.begin(&terminal);
    let started = Instant::now();
    reviewer.work(&terminal, &sandbox, 60, &mut random);
    println!("60 decisions, {} journal entries in {:?}", reviewer.entries, started.elapsed());
    terminal.wait_text(tail(reviewer.path()));
    // The place in the list is kept within two seconds; decisions are kept at once.
    std::thread::sleep(Duration::from_millis(2_600));
    terminal.signal(Signal::KILL);
    assert_eq!(terminal.end(Duration::from_secs(10)), Some(-9));
    drop(terminal);

    // The same place, and the decisions of before can still be undone and done again.
    let terminal = open(&sandbox, 120, 40);
    terminal.wait_text(tail(reviewer.path()));
    terminal.settle(Duration::from_millis(800));
    reviewer.decide(&terminal, "unsure", "");
    reviewer.saved(&sandbox);
    for _ in 0..3 {
        reviewer.undo(&terminal);
        reviewer.saved(&sandbox);
    }
    for _ in 0..2 {
        reviewer.redo(&terminal, &sandbox);
        reviewer.saved(&sandbox);
    }
    let left = 100 - reviewer.record.len();
    reviewer.work(&terminal, &sandbox, left, &mut random);
    assert_eq!(reviewer.record.len(), 100);
    terminal.keys("q");
    let mut terminal = terminal;
    assert_eq!(terminal.end(Duration::from_secs(10)), Some(0), "{}", terminal.screen());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());

    reviewer.compare(&sandbox, "manifest.csv");
    let session = sandbox.session();
    let output = sandbox.path().join("everything");
    sandbox.ok([
        "export",
        session.to_str().unwrap(),
        "--format",
        "all",
        "--output",
        output.to_str().unwrap(),
    ]);
    let removed = reviewer.record.values().filter(|(action, _)| action == "remove").count();
    let list = fs::read_to_string(output.join("removal_list.txt")).unwrap();
    assert_eq!(list.lines().count(), removed);
    let map: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(output.join("relabel_map.json")).unwrap()).unwrap();
    // A relabel to the label that a sample has is none.
    let other = |path: &str, label: &str| !path.starts_with(&format!("{label}/"));
    let relabels =
        reviewer.record.iter().filter(|(path, (action, label))| action == "relabel" && other(path, label));
    let relabeled = relabels.count();
    assert_eq!(map.as_object().unwrap().len(), relabeled);
    assert!(digest::untouched(&sandbox.data()) == before, "the dataset was changed");
    println!("{} kept files; {removed} removed, {relabeled} relabeled", digest::files(&output).len());
}

#[test]
fn kills_at_any_moment_leave_a_prefix_of_what_was_typed() {
    let sandbox = scanned();
    let reviewer = Reviewer::new(&sandbox);
    let mut random = Random::new(11);
    for round in 0..6 {
        // A decision that a sample has already would be no entry.
        let _ = fs::remove_dir_all(sandbox.session().join("decisions"));
        let mut terminal = opened(&sandbox, 100, 30);
        if round == 0 {
            reviewer.begin(&terminal);
        }
        let typed: String = (0..30).map(|_| ["a", "x", "s"][random.below(3)]).collect();
        terminal.keys(&typed);
        std::thread::sleep(Duration::from_millis(random.below(120) as u64));
        // What can be read from the file now was written before the kill.
        let known = sandbox.journal().len();
        terminal.signal(Signal::KILL);
        assert_eq!(terminal.end(Duration::from_secs(10)), Some(-9));
        let now = sandbox.journal();
        assert!((known..=30).contains(&now.len()), "round {round}: {} entries, {known} were read", now.len());
        let choices: Vec<&str> = now.iter().map(choice).collect();
        let expected: Vec<&str> = typed.chars().map(word).take(choices.len()).collect();
        assert_eq!(choices, expected, "round {round}");
        println!("round {round}: {} of 30 decisions were written when it was killed", choices.len());
        // Its engine ends by itself, and would write again what it holds if its journal were gone before.
        let session = sandbox.session();
        let engine = || process::running(program(), session.to_str().unwrap());
        process::wait_for(Duration::from_secs(60), || engine().is_empty()).unwrap();
    }
}

fn word(key: char) -> &'static str {
    match key {
        'a' => "keep",
        'x' => "remove",
        _ => "unsure",
    }
}

/// The choice in a journal entry, wherever it is.
fn choice(entry: &serde_json::Value) -> &str {
    let text = ["keep", "remove", "unsure"];
    fn strings<'a>(value: &'a serde_json::Value, out: &mut Vec<&'a str>) {
        match value {
            serde_json::Value::String(text) => out.push(text),
            serde_json::Value::Array(values) => values.iter().for_each(|value| strings(value, out)),
            serde_json::Value::Object(map) => map.values().for_each(|value| strings(value, out)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    strings(entry, &mut all);
    all.into_iter().find(|word| text.contains(word)).unwrap_or_else(|| panic!("no choice in {entry}"))
}

#[test]
fn the_terminal_is_restored_after_every_kind_of_end() {
    let sandbox = scanned();
    type End = fn(&Terminal);
    let ends: [(&str, End); 4] = [
        ("q", |terminal| terminal.keys("q")),
        ("Ctrl-C twice", |terminal| {
            terminal.keys("\x03");
            terminal.settle(Duration::from_millis(200));
            terminal.keys("\x03");
        }),
        ("SIGTERM", |terminal| terminal.signal(Signal::TERM)),
        ("SIGINT", |terminal| {
            terminal.signal(Signal::INT);
            terminal.settle(Duration::from_millis(200));
            terminal.signal(Signal::INT);
        }),
    ];
    for (name, end) in ends {
        let mut terminal = opened(&sandbox, 80, 24);
        assert!(
            terminal.look(|screen| screen.alternate_screen()),
            "the interface is not on the alternate screen"
        );
        end(&terminal);
        let code = terminal.end(Duration::from_secs(10));
        println!("{name}: exit code {code:?}");
        assert!(code.is_some(), "{name}: still there after ten seconds\n{}", terminal.screen());
        assert_eq!(terminal.left_behind(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn keys_that_are_typed_while_the_engine_dies_do_not_reach_the_shell() {
    let sandbox = scanned();
    let review = sandbox.command(["open", sandbox.session().to_str().unwrap()]);
    let mut shell = Command::new("sh");
    // What the shell would read next.
    let line = "\"$@\"; echo over; read -r line; echo \"it read <$line>\"";
    shell.args(["-c", line, "sh"]).arg(review.get_program()).args(review.get_args());
    shell.env_clear().envs(sandbox.environment()).current_dir(sandbox.path());
    let mut terminal = Terminal::start(&shell, 110, 34);
    terminal.wait_text(tail(&sandbox.rank(1)[0]["path"]));
    terminal.settle(Duration::from_millis(300));
    let holder = fs::read_to_string(sandbox.session().join("lock")).unwrap();
    let pid: i32 = holder.split_whitespace().nth(1).unwrap().parse().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    for _ in 0..30 {
        terminal.keys("rm -f j\r");
        std::thread::sleep(Duration::from_millis(10));
    }
    terminal.wait_text("over");
    assert!(terminal.screen().contains("the engine exited"), "{}", terminal.screen());
    terminal.keys("what comes later\r");
    terminal.wait_text("it read <what comes later>");
    assert_eq!(terminal.end(Duration::from_secs(10)), Some(0));
}

#[test]
fn losing_the_terminal_ends_the_program_at_once_and_loses_nothing() {
    let sandbox = scanned();
    let mut reviewer = Reviewer::new(&sandbox);
    for (name, ignore) in [("hang-up", false), ("hang-up with the signal ignored, as by nohup", true)] {
        let plain = sandbox.command(["open", sandbox.session().to_str().unwrap()]);
        let mut terminal = if ignore {
            Terminal::start(&sandbox.without_hang_up(&plain), 100, 30)
        } else {
            Terminal::start(&plain, 100, 30)
        };
        if reviewer.entries == 0 {
            reviewer.begin(&terminal);
        } else {
            terminal.wait_text(tail(reviewer.path()));
            terminal.settle(Duration::from_millis(800));
        }
        for _ in 0..5 {
            reviewer.decide(&terminal, "keep", "");
        }
        reviewer.saved(&sandbox);
        std::thread::sleep(Duration::from_millis(2_600));
        let pid = terminal.pid();
        let used = process::cpu_seconds(pid).unwrap();
        // Typed at the very last moment: read or not, but not half.
        terminal.keys("x");
        let lost = Instant::now();
        terminal.hang_up();
        let gone = process::wait_for(Duration::from_secs(5), || !process::alive(pid));
        let after = lost.elapsed();
        let burnt = process::cpu_seconds(pid).map_or(0.0, |now| now - used);
        println!("{name}: gone after {after:?}, {burnt:.2} s of processor time");
        assert!(gone.is_ok(), "{name}: still there after five seconds, {burnt:.2} s of processor time");
        assert!(after < Duration::from_secs(3), "{name}: it took {after:?}");
        assert!(burnt < 0.5, "{name}: {burnt:.2} s of processor time");
        terminal.end(Duration::from_secs(1));
        // What the interface sent on before it ended, the engine still writes down.
        let late = process::wait_for(Duration::from_secs(1), || sandbox.journal().len() > reviewer.entries);
        println!("{name}: the last key {}", if late.is_ok() { "was read" } else { "was not read" });
        let journal = sandbox.journal().len();
        assert!(
            (reviewer.entries..=reviewer.entries + 1).contains(&journal),
            "{journal} of {}",
            reviewer.entries
        );
        if journal > reviewer.entries {
            // It was read in time, so it counts.
            let (path, row) = (reviewer.path().to_owned(), reviewer.row);
            reviewer.record.insert(path, ("remove".into(), String::new()));
            reviewer.entries += 1;
            reviewer.row = row + 1;
        }
        reviewer.forget();
    }
    reviewer.compare(&sandbox, "manifest.csv");
}

#[test]
fn eighty_by_twenty_four_shows_what_is_needed() {
    let sandbox = scanned();
    let first = sandbox.rank(1)[0].clone();
    let mut terminal = opened(&sandbox, 80, 24);
    let screen = terminal.screen();
    println!("{screen}");
    assert!(screen.contains(tail(&first["path"])), "no path");
    assert!(screen.contains(&first["label"]), "no label");
    let detectors: Vec<&str> =
        first["detectors"].split([';', ',', '|', ' ']).filter(|name| !name.is_empty()).collect();
    assert!(
        detectors.iter().any(|name| screen.contains(&name[..name.len().min(14)])),
        "none of {detectors:?}"
    );
    assert!(screen.contains("keep") && screen.contains("remove") && screen.contains("help"), "no keys");
    let blocks = terminal.look(|screen| {
        let (rows, columns) = screen.size();
        let cells = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |column| (row, column)));
        cells
            .filter(|&(row, column)| screen.cell(row, column).is_some_and(|cell| cell.contents() == "▀"))
            .count()
    });
    assert!(blocks > 40, "the picture has {blocks} half-blocks");

    // Windows of any size, also silly ones, and back.
    for (columns, rows) in [(60, 16), (200, 60), (40, 10), (10, 3), (1, 1), (80, 24)] {
        terminal.resize(columns, rows);
        terminal.settle(Duration::from_millis(200));
        terminal.keys("jk");
        terminal.settle(Duration::from_millis(100));
        assert!(process::alive(terminal.pid()), "{columns} by {rows} ended the program");
    }
    terminal.wait_text(tail(&first["path"]));
    terminal.keys("q");
    assert_eq!(terminal.end(Duration::from_secs(10)), Some(0));
}

#[test]
fn help_names_the_keys_that_work() {
    let sandbox = scanned();
    let mut terminal = opened(&sandbox, 120, 50);
    terminal.keys("?");
    terminal.wait("the help", |screen| {
        screen.contains("Keep the sample") || screen.contains("Remove the sample")
    });
    println!("{}", terminal.screen());
    terminal.keys("\x1b");
    terminal.settle(Duration::from_millis(300));
    terminal.keys("q");
    assert_eq!(terminal.end(Duration::from_secs(10)), Some(0), "{}", terminal.screen());
}

#[test]
fn no_color_means_no_color() {
    let sandbox = scanned();
    let mut command = sandbox.command(["open", sandbox.session().to_str().unwrap()]);
    command.env("NO_COLOR", "1");
    let mut terminal = Terminal::start(&command, 100, 30);
    terminal.wait_text(tail(&sandbox.rank(1)[0]["path"]));
    terminal.settle(Duration::from_millis(500));
    terminal.keys("jjax?\x1b");
    terminal.settle(Duration::from_millis(500));
    let colored = terminal.look(|screen| {
        let (rows, columns) = screen.size();
        let cells = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |column| (row, column)));
        let plain = vt100::Color::Default;
        cells
            .filter_map(|(row, column)| screen.cell(row, column))
            .filter(|cell| cell.fgcolor() != plain || cell.bgcolor() != plain)
            .count()
    });
    assert_eq!(colored, 0, "colored cells\n{}", terminal.screen());
    terminal.keys("q");
    assert_eq!(terminal.end(Duration::from_secs(10)), Some(0), "{}", terminal.screen());
}

#[test]
fn names_of_files_and_classes_never_act_on_the_terminal() {
    /// Pieces that must not reach the terminal as they are.
    const PIECES: [&[u8]; 8] = [
        b"\x1b[31mred",
        b"\x1b]0;owned",
        b"owned\x07",
        b"line\nbreak",
        b"\xff\xfe",
        "\u{202e}".as_bytes(),
        b"\xc2\x9b",
        b"\x1b]52;c;aGk=",
    ];
    let sandbox = Sandbox::new();
    let data = sandbox.data();
    pictures::dataset(&data, 3, 10, 32);
    let names: [&[u8]; 6] = [
        b"escape\x1b[31mred\x1b[2J.png",
        b"title\x1b]0;owned\x07.png",
        b"line\nbreak\r.png",
        b"utf-\xff\xfe.png",
        "bidi-\u{202e}gpj.exe.png".as_bytes(),
        b"csi-\xc2\x9b5n.png",
    ];
    let class = data.join(OsStr::from_bytes(b"class\x1b]52;c;aGk=\x07"));
    fs::create_dir(&class).unwrap();
    for (number, name) in names.iter().enumerate() {
        // Half of them broken, so that they are suspects and their errors are shown as well.
        let bytes = match number % 2 {
            0 => Vec::new(),
            _ => pictures::encoded(&pictures::picture(number, 700, 32), image::ImageFormat::Png),
        };
        fs::write(class.join(OsStr::from_bytes(name)), &bytes).unwrap();
        let bytes = pictures::encoded(&pictures::picture(number, 800, 32), image::ImageFormat::Png);
        fs::write(data.join("bird").join(OsStr::from_bytes(name)), bytes).unwrap();
    }
    sandbox.scan();
    let mut terminal = open(&sandbox, 120, 40);
    // A narrow list shortens names; the full name of the sample under the cursor is below it.
    terminal.wait_text("suspects");
    // The final message of the scan on opening would cover the names.
    terminal.wait_text("scanned ");
    terminal.keys("\x1b");
    terminal.settle(Duration::from_millis(300));
    terminal.keys("T");
    terminal.settle(Duration::from_millis(400));
    for _ in 0..45 {
        terminal.keys("j");
        terminal.settle(Duration::from_millis(40));
    }
    // Prompts, search, filter, the palette and the pages show names too.
    for keys in ["ggr\x1b", "/escape\r", "nn", "fclass\r", "F", "w\x1b", "z\x1b", "ggax", "y", "q"] {
        terminal.keys(keys);
        terminal.settle(Duration::from_millis(250));
    }
    let code = terminal.end(Duration::from_secs(10));
    let tap = terminal.tap();
    for piece in PIECES {
        let found = tap.windows(piece.len()).position(|window| window == piece);
        let around =
            found.map(|at| tap[at.saturating_sub(60)..(at + 40).min(tap.len())].escape_ascii().to_string());
        assert_eq!(around, None, "{} reached the terminal", piece.escape_ascii());
    }
    for name in ["escape", "title", "break", "utf-", "bidi-", "csi-"] {
        let seen = tap.windows(name.len()).any(|window| window == name.as_bytes());
        assert!(seen, "a name with '{name}' was never shown");
    }
    assert_eq!(code, Some(0), "{}", terminal.screen());
}

#[test]
fn open_scans_what_is_new_in_the_background() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 10, 12, 32);
    let session = sandbox.session();
    let args =
        ["open", sandbox.data().to_str().unwrap(), "--session", session.to_str().unwrap()].map(String::from);
    let mut terminal = Terminal::start(&sandbox.command(args), 100, 30);
    let results = || fs::read_dir(session.join("detectors")).is_ok_and(|entries| entries.count() > 0);
    assert!(process::wait_for(Duration::from_secs(60), results).is_ok(), "no scan\n{}", terminal.screen());
    terminal.wait("a list", |screen| screen.contains(".png") || screen.contains(".jpg"));
    terminal.settle(Duration::from_millis(1_000));
    terminal.keys("x");
    assert!(
        process::wait_for(Duration::from_secs(10), || sandbox.journal().len() == 1).is_ok(),
        "no decision"
    );
    terminal.keys("q");
    assert_eq!(terminal.end(Duration::from_secs(20)), Some(0), "{}", terminal.screen());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

#[test]
fn without_a_terminal_open_says_so() {
    let sandbox = scanned();
    let ran = sandbox.run(["open", sandbox.session().to_str().unwrap()]);
    println!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("terminal") && !ran.raw.contains(&0x1b));
    // The demonstration prints a summary instead.
    let ran = sandbox.ok(["demo"]);
    assert!(ran.stdout.lines().count() > 3 && !ran.raw.contains(&0x1b), "{}", ran.stdout);
}

#[test]
fn a_dumb_terminal_is_refused_with_what_works_there() {
    let sandbox = scanned();
    let mut command = sandbox.command(["open", sandbox.session().to_str().unwrap()]);
    command.env("TERM", "dumb");
    let mut terminal = Terminal::start(&command, 100, 30);
    terminal.wait_text("does not work with TERM=dumb");
    assert!(terminal.screen().contains("--plain"), "{}", terminal.screen());
    assert_eq!(terminal.end(Duration::from_secs(10)), Some(2));
}
