//! Keys, mouse and clipboard in a real terminal.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chaffinch_tests::pictures;
use chaffinch_tests::review::tail;
use chaffinch_tests::sandbox::Sandbox;
use chaffinch_tests::terminal::Terminal;
use std::time::Duration;

fn scanned() -> Sandbox {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 10, 30, 32);
    sandbox.scan();
    sandbox
}

fn open(sandbox: &Sandbox, args: &[&str], environment: &[(&str, &str)]) -> Terminal {
    let first = tail(&sandbox.rank(1)[0]["path"]).to_owned();
    let mut command = sandbox.command(["open", sandbox.session().to_str().unwrap()]);
    command.args(args).envs(environment.iter().copied());
    let terminal = Terminal::start(&command, 100, 30);
    terminal.wait_text(&first);
    terminal.settle(Duration::from_millis(300));
    terminal
}

fn wrote(terminal: &Terminal, bytes: &[u8]) -> bool {
    terminal.tap().windows(bytes.len()).any(|window| window == bytes)
}

fn quit(mut terminal: Terminal) {
    terminal.keys("q");
    assert_eq!(terminal.end(Duration::from_secs(10)), Some(0), "{}", terminal.screen());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

#[test]
fn a_path_reaches_the_clipboard_of_the_terminal() {
    let sandbox = scanned();
    let terminal = open(&sandbox, &[], &[]);
    terminal.keys("y");
    terminal.wait_text("copied ");
    let tap = terminal.tap();
    let start = b"\x1b]52;c;";
    let at = tap.windows(start.len()).position(|window| window == start).expect("OSC 52") + start.len();
    let coded: Vec<u8> = tap[at..].iter().copied().take_while(|byte| *byte != 7).collect();
    let path = sandbox.data().join(&sandbox.rank(1)[0]["path"]);
    assert_eq!(STANDARD.decode(&coded).unwrap(), path.to_str().unwrap().as_bytes());
    quit(terminal);
}

#[test]
fn a_preset_from_a_flag_decides_by_its_keys() {
    let sandbox = scanned();
    let terminal = open(&sandbox, &["--keymap", "prodigy"], &[]);
    // In this preset Space ignores; elsewhere it marks.
    terminal.keys(" ");
    terminal.wait_text("saved");
    let journal = sandbox.journal();
    assert!(journal.last().unwrap().to_string().contains("unsure"), "{journal:?}");
    quit(terminal);
}

#[test]
fn the_mouse_is_the_terminals_over_ssh_and_can_be_taken() {
    let sandbox = scanned();
    let on = b"\x1b[?1000h";
    let terminal = open(&sandbox, &[], &[("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22")]);
    assert!(!wrote(&terminal, on));
    terminal.keys("gm");
    terminal.wait_text("hold Shift to select");
    assert!(wrote(&terminal, on));
    // The third row of the list.
    terminal.keys("\x1b[<0;5;5M");
    terminal.wait_text("3/");
    terminal.keys("gm");
    terminal.wait_text("mouse off: it selects text as usual");
    assert!(wrote(&terminal, b"\x1b[?1000l"));
    quit(terminal);

    let terminal = open(&sandbox, &[], &[]);
    assert!(wrote(&terminal, on), "at home it is on");
    quit(terminal);
}

#[test]
fn no_color_and_no_sign_beyond_ascii_where_they_are_not_wanted() {
    let sandbox = scanned();
    let terminal = open(&sandbox, &[], &[("NO_COLOR", "1"), ("CHAFFINCH_GLYPHS", "ascii")]);
    terminal.keys("xHqMqPqIq?");
    terminal.settle(Duration::from_millis(500));
    let tap = String::from_utf8(terminal.tap()).unwrap();
    assert!(tap.is_ascii(), "{:?}", tap.chars().filter(|c| !c.is_ascii()).collect::<String>());
    for color in ["38;5;", "38;2;", "48;5;", "48;2;"] {
        assert!(!tap.contains(color), "a color was set: {color}");
    }
    terminal.keys("\x1b");
    terminal.settle(Duration::from_millis(300));
    quit(terminal);
}

#[test]
fn a_threshold_is_moved_in_the_histogram_and_kept() {
    let sandbox = scanned();
    let terminal = open(&sandbox, &[], &[]);
    terminal.keys("H");
    terminal.wait_text("flagged below");
    terminal.keys("\x1b[H");
    terminal.wait_text("0 of 300 flagged below 0.000");
    terminal.settle(Duration::from_millis(500));
    terminal.keys("q");
    quit(terminal);
    let settings = std::fs::read_to_string(sandbox.session().join("settings.toml")).unwrap();
    assert!(settings.contains(" = 0.0"), "{settings}");
}

#[test]
fn a_session_that_is_moved_while_it_is_open_is_there_once() {
    for decides in [false, true] {
        let sandbox = scanned();
        let mut terminal = open(&sandbox, &[], &[]);
        terminal.keys("a");
        terminal.wait_text("saved");
        let elsewhere = sandbox.path().join("elsewhere");
        std::fs::rename(sandbox.session(), &elsewhere).unwrap();
        if decides {
            terminal.keys("x");
            terminal.wait_text("1 not saved");
            // Also once the view, which follows a second later, could not be saved either.
            std::thread::sleep(Duration::from_secs(2));
            terminal.wait_text("moved");
        }
        terminal.keys("q");
        assert_eq!(terminal.end(Duration::from_secs(10)), Some(2), "{}", terminal.screen());
        assert!(!sandbox.session().exists(), "{}", terminal.screen());
        let journal = std::fs::read_to_string(elsewhere.join("decisions/tester.jsonl")).unwrap();
        assert_eq!(journal.lines().count(), 1);
    }
}
