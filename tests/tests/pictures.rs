//! Pictures in real terminals of several kinds: what is sent, what is deleted, and what never happens.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::answers::Manner;
use chaffinch_tests::graphics::{self, Kitty};
use chaffinch_tests::pictures;
use chaffinch_tests::process;
use chaffinch_tests::sandbox::Sandbox;
use chaffinch_tests::terminal::{PATIENCE, Terminal};
use chaffinch_tests::tools;
use rustix::process::Signal;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// One session is enough, and only one program at a time can open it.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The session: nothing is decided in it.
fn scanned() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| {
        let sandbox = Sandbox::new();
        pictures::dataset(&sandbox.data(), 3, 12, 240);
        sandbox.scan();
        sandbox
    })
}

fn command(extra: &[&str]) -> Command {
    let sandbox = scanned();
    let session = sandbox.session().to_str().unwrap().to_owned();
    let mut command = sandbox.command([&["open", session.as_str()], extra].concat());
    command.env("TERM", "xterm-256color").env("COLORTERM", "truecolor");
    command
}

/// Opens the session and waits for the list of all samples.
fn opened(extra: &[&str], manner: Manner) -> Terminal {
    let terminal = Terminal::start_as(&command(extra), 120, 40, manner);
    listed(&terminal);
    terminal
}

fn listed(terminal: &Terminal) {
    // Which samples are listed is remembered with the session.
    terminal.wait("a list", |screen| screen.contains("no suspects") || screen.contains(".png"));
    terminal.settle(Duration::from_millis(300));
    if !terminal.screen().contains("of 36 samples") {
        terminal.keys("T");
    }
    terminal.wait("the list of all samples", |screen| screen.contains("of 36 samples"));
    terminal.keys("gg");
    terminal.settle(Duration::from_millis(400));
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// What the terminal holds, once the picture under the cursor is there with all its pixels.
fn placed_in_full(tap: &[u8]) -> Option<Kitty> {
    let kitty = Kitty::read(tap);
    (kitty.at(1)?.0.dimensions() == (240, 240)).then_some(kitty)
}

#[test]
fn kitty_places_follows_and_takes_back() {
    let _alone = alone();
    let terminal = opened(&[], Manner::kitty());
    let kitty = terminal.wait_tap("a placed picture", placed_in_full);
    let (_, cells) = kitty.at(1).unwrap();
    let ratio = f64::from(cells.0 * 10) / f64::from(cells.1 * 20);
    assert!((0.95..1.05).contains(&ratio), "a square over {cells:?} cells of 10 by 20");
    let first = kitty.at(1).unwrap().0.clone();

    terminal.keys("j");
    let second = terminal.wait_tap("the next picture", |tap| {
        placed_in_full(tap).filter(|kitty| *kitty.at(1).unwrap().0 != first)
    });
    assert_eq!(second.placed.keys().filter(|(place, _)| *place == 1).count(), 1, "{:?}", second.placed);
    terminal.settle(Duration::from_millis(500));

    // What the terminal holds is not sent again.
    let sent = Kitty::read(&terminal.tap()).sent.len();
    terminal.keys("k");
    let back = terminal.wait_tap("the first picture", |tap| {
        placed_in_full(tap).filter(|kitty| *kitty.at(1).unwrap().0 == first)
    });
    assert!(back.sent.len() - sent <= 1, "{} pictures were sent again", back.sent.len() - sent);

    // A page over the list takes the pictures away, and they come back with it.
    terminal.keys("w");
    terminal.wait_tap("no picture", |tap| Kitty::read(tap).placed.is_empty().then_some(()));
    terminal.keys("\x1b");
    terminal.wait_tap("the picture again", placed_in_full);

    // Another size of the window: everything is placed again.
    terminal.resize(100, 30);
    terminal
        .wait_tap("a smaller one", |tap| placed_in_full(tap).filter(|kitty| kitty.at(1).unwrap().1 != cells));
    terminal.settle(Duration::from_millis(500));
    let end = Kitty::read(&terminal.quit());
    assert!(end.images.is_empty() && end.placed.is_empty(), "{:?} are left", end.images.keys());
    assert_eq!(end.wrong, Vec::<String>::new());
}

#[test]
fn answers_that_come_late_and_in_pieces_type_nothing_and_are_used() {
    let _alone = alone();
    let before = scanned().journal().len();
    let manner = Manner { delay: Duration::from_millis(2_500), pieces: Some(1), ..Manner::kitty() };
    let terminal = opened(&[], manner);
    assert!(!contains(&terminal.tap(), b"a=p,i="), "the list is there before the terminal has answered");
    terminal.keys("jjkj");
    terminal.wait_tap("a placed picture", placed_in_full);
    terminal.settle(Duration::from_millis(300));
    assert_eq!(scanned().journal().len(), before, "a response was taken for a key");
    let end = Kitty::read(&terminal.quit());
    assert!(end.images.is_empty());
}

#[test]
fn leaving_before_the_answers_leaves_no_garbage_for_the_shell() {
    let _alone = alone();
    for delay in [100, 700] {
        let manner = Manner { delay: Duration::from_millis(delay), ..Manner::kitty() };
        let mut terminal = Terminal::start_as(&command(&[]), 100, 30, manner);
        terminal.wait_text("keep");
        terminal.keys("q");
        assert_eq!(terminal.end(Duration::from_secs(10)), Some(0));
        // What comes now is echoed by the terminal driver, and would be read by the shell.
        terminal.settle(Duration::from_millis(1_500));
        assert!(!contains(&terminal.tap(), b"^["), "an answer was echoed after the end ({delay} ms)");
    }
}

#[test]
fn a_terminal_that_says_nothing_gets_characters() {
    let _alone = alone();
    for manner in [Manner { mute: true, ..Manner::default() }, Manner::default()] {
        let terminal = opened(&[], manner);
        terminal.settle(Duration::from_millis(600));
        assert!(terminal.screen().contains('▀'), "{}", terminal.screen());
        let tap = terminal.quit();
        let kitty = Kitty::read(&tap);
        assert!(
            kitty.sent.is_empty() && graphics::sixels(&tap).is_empty() && graphics::iterm(&tap).is_empty()
        );
    }
}

#[test]
fn a_wish_is_followed_and_a_wrong_one_is_refused() {
    let _alone = alone();
    let terminal = opened(&["--pictures", "blocks"], Manner::kitty());
    let tap = terminal.quit();
    assert!(
        !contains(&tap, b"\x1b_G") && !contains(&tap, b"\x1b[c"),
        "no picture is asked for where none is wanted"
    );
    assert!(contains(&tap, b"\x1b]11;?"), "the background matters all the same");

    let mut off = command(&[]);
    off.env("CHAFFINCH_PICTURES", "ascii");
    let terminal = Terminal::start_as(&off, 120, 40, Manner::kitty());
    listed(&terminal);
    assert!(!terminal.screen().contains('▀'));
    terminal.quit();

    let terminal = opened(&["--pictures", "kitty"], Manner::default());
    terminal.wait_tap("a picture for a terminal that did not ask for it", placed_in_full);
    terminal.quit();

    let mut terminal = Terminal::start(&command(&["--pictures", "hologram"]), 100, 30);
    assert_eq!(terminal.end(PATIENCE), Some(2));
    assert!(terminal.screen().contains("use auto, kitty, iterm2, sixel"), "{}", terminal.screen());
}

#[test]
fn a_window_takes_only_the_cells_that_it_covers_from_a_kitty_picture() {
    let _alone = alone();
    let terminal = opened(&[], Manner::kitty());
    terminal.wait_tap("a placed picture", placed_in_full);
    terminal.settle(Duration::from_millis(800));
    for (keys, back) in
        [("r", "\x1b"), ("?", "\x1b"), (":", "\x1b"), ("t", "\x1b"), ("f", "\x1b"), ("g", "\x1b")]
    {
        let sent = Kitty::read(&terminal.tap()).sent.len();
        terminal.keys(keys);
        terminal.settle(Duration::from_millis(500));
        let open = Kitty::read(&terminal.tap());
        assert!(!open.placed.is_empty(), "{keys} takes the whole picture away");
        assert_eq!(open.wrong, Vec::<String>::new(), "{keys}");
        let before = terminal.tap().len();
        terminal.keys(back);
        terminal.settle(Duration::from_millis(500));
        let tap = terminal.tap();
        assert!(placed_in_full(&tap).is_some(), "{keys}: the picture is not whole again");
        let bytes = tap.len() - before;
        println!("closing {keys}: {bytes} bytes");
        assert!(bytes <= 2_048, "closing {keys} takes {bytes} bytes");
        assert_eq!(Kitty::read(&tap).sent.len(), sent, "{keys}: a picture was sent again");
    }
    let end = Kitty::read(&terminal.quit());
    assert!(end.images.is_empty() && end.placed.is_empty());
}

#[test]
fn a_variable_alone_chooses_no_picture_protocol() {
    let _alone = alone();
    for (variables, manner) in [
        (&[("LC_TERMINAL", "iTerm2")][..], Manner { mute: true, ..Manner::default() }),
        (&[("LC_TERMINAL", "iTerm2")], Manner::default()),
        (&[("TERM_PROGRAM", "WezTerm")], Manner::default()),
        (
            &[("LC_TERMINAL", "iTerm2"), ("STY", "77.pts-0.host"), ("TERM", "screen.xterm-256color")],
            Manner::default(),
        ),
    ] {
        let mut open = command(&[]);
        for (name, value) in variables {
            open.env(name, value);
        }
        let terminal = Terminal::start_as(&open, 120, 40, manner);
        listed(&terminal);
        terminal.keys("jjk");
        terminal.settle(Duration::from_millis(800));
        let tap = terminal.tap();
        assert!(graphics::iterm(&tap).is_empty() && Kitty::read(&tap).sent.is_empty(), "{variables:?}");
        assert!(terminal.screen().contains('▀'), "{variables:?}: half blocks");
        terminal.quit();
    }
}

#[test]
fn iterm_gets_files_and_sixel_terminals_get_sixels() {
    let _alone = alone();
    let mut iterm = command(&[]);
    iterm.env("LC_TERMINAL", "iTerm2");
    let terminal = Terminal::start_as(
        &iterm,
        120,
        40,
        Manner { cell: Some((10, 20)), version: Some("iTerm2 3.5.0"), ..Manner::default() },
    );
    listed(&terminal);
    let full = |tap: &[u8]| graphics::iterm(tap).into_iter().find(|image| image.dimensions() == (240, 240));
    terminal.wait_tap("a file", full);
    terminal.quit();

    let terminal = opened(&[], Manner::sixel());
    let (width, height) = terminal.wait_tap("sixels", |tap| graphics::sixels(tap).first().copied());
    assert!(width > 200 && width == height, "{width} by {height} pixels for a square");
    terminal.settle(Duration::from_millis(800));
    // A window over the picture takes a piece out of it, so it is drawn again afterwards.
    let before = graphics::sixels(&terminal.tap()).len();
    terminal.keys(":");
    terminal.settle(Duration::from_millis(400));
    terminal.keys("\x1b");
    terminal.wait_tap("the sixels again", |tap| (graphics::sixels(tap).len() > before).then_some(()));
    terminal.quit();
}

#[test]
fn over_a_slow_link_keys_go_before_pictures() {
    let _alone = alone();
    let manner = Manner { rate: Some(40_000), delay: Duration::from_millis(50), ..Manner::kitty() };
    let terminal = opened(&[], manner);
    terminal.wait_tap("a picture", |tap| Kitty::read(tap).at(1).map(|_| ()));
    terminal.settle(Duration::from_millis(1_500));
    let before = terminal.tap().len();
    let known = Kitty::read(&terminal.tap()).sent.len();
    for _ in 0..30 {
        terminal.keys("j");
        std::thread::sleep(Duration::from_millis(33));
    }
    let kitty = terminal.wait_tap("the last picture", |tap| {
        let kitty = Kitty::read(tap);
        (kitty.at(1).is_some() && kitty.sent.len() > known).then_some(kitty)
    });
    let held = terminal.tap().len() - before;
    println!("{held} bytes, {} pictures while the key was held", kitty.sent.len() - known);
    assert!(kitty.sent.len() - known <= 3, "pictures were sent for rows that were only passed");
    assert_eq!(kitty.wrong, Vec::<String>::new());
    terminal.quit();
}

#[test]
fn after_a_stop_pictures_are_sent_again() {
    let _alone = alone();
    let terminal = opened(&[], Manner::kitty());
    terminal.wait_tap("a picture", placed_in_full);
    terminal.settle(Duration::from_millis(500));
    terminal.signal(Signal::TSTP);
    let stopped = process::wait_for(PATIENCE, || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", terminal.pid())).unwrap();
        stat.rsplit_once(')').unwrap().1.trim_start().starts_with('T')
    });
    assert!(stopped.is_ok());
    // What it wrote last may still be on its way through the terminal.
    terminal.settle(Duration::from_millis(300));
    let kitty = Kitty::read(&terminal.tap());
    assert!(kitty.images.is_empty() && kitty.placed.is_empty(), "pictures lie over the shell");
    terminal.signal(Signal::CONT);
    terminal.wait_tap("the picture again", placed_in_full);
    terminal.quit();
}

#[test]
fn a_kill_by_signal_takes_pictures_back_too() {
    let _alone = alone();
    let mut terminal = opened(&[], Manner::kitty());
    terminal.wait_tap("a picture", placed_in_full);
    terminal.signal(Signal::TERM);
    assert!(terminal.end(Duration::from_secs(10)).is_some());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
    let kitty = Kitty::read(&terminal.tap());
    assert!(kitty.images.is_empty() && kitty.placed.is_empty());
}

/// A tmux of its own, with a terminal in front of it.
struct Tmux {
    socket: String,
}

impl Tmux {
    fn run(&self, args: &[&str]) -> String {
        let sandbox = scanned();
        let mut tmux = Command::new("tmux");
        tmux.args(["-S", &self.socket]).args(args).env_clear().envs(sandbox.environment());
        let output = tmux.output().expect("tmux");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn attach(&self, first: bool) -> Command {
        let sandbox = scanned();
        let mut tmux = Command::new("tmux");
        tmux.args(["-S", &self.socket, "-f", "/dev/null"]);
        if first {
            let inner = command(&[]);
            tmux.args(["new-session", "-s", "t", "-x", "120", "-y", "40"]);
            tmux.arg(inner.get_program()).args(inner.get_args());
        } else {
            tmux.args(["attach-session", "-t", "t"]);
        }
        tmux.env_clear().envs(sandbox.environment());
        tmux.env("TERM", "xterm-256color").env("COLORTERM", "truecolor").current_dir(sandbox.path());
        tmux
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

/// Placeholder cells on the screen.
fn placeholders(terminal: &Terminal) -> usize {
    terminal.screen().matches('\u{10eeee}').count()
}

#[test]
fn inside_tmux_pictures_go_through_it_and_only_while_somebody_looks() {
    if !tools::installed(&["tmux"], "tmux") {
        return;
    }
    let _alone = alone();
    let socket = scanned().path().join("tmux.sock").to_str().unwrap().to_owned();
    let tmux = Tmux { socket };
    let mut terminal = Terminal::start_as(&tmux.attach(true), 120, 40, Manner::kitty());
    listed(&terminal);
    terminal.wait("placeholders", |screen| screen.matches('\u{10eeee}').count() > 50);
    // tmux takes the wrapping off, so the terminal sees the commands themselves.
    let kitty = Kitty::read(&terminal.tap());
    assert!(!kitty.sent.is_empty(), "no picture came through");
    assert_eq!(kitty.wrong, Vec::<String>::new());
    terminal.settle(Duration::from_millis(800));
    assert_eq!(tmux.run(&["show-options", "-p", "-v", "-t", "t", "allow-passthrough"]), "on");

    // While another window is in front nothing is sent.
    tmux.run(&["new-window", "-t", "t", "cat"]);
    std::thread::sleep(Duration::from_millis(1_200));
    let hidden = Kitty::read(&terminal.tap()).sent.len();
    let pane = tmux.run(&["list-panes", "-s", "-t", "t", "-F", "#{pane_id}"]);
    let pane = pane.lines().next().unwrap();
    tmux.run(&["send-keys", "-t", pane, "jjjj"]);
    std::thread::sleep(Duration::from_millis(1_200));
    assert_eq!(Kitty::read(&terminal.tap()).sent.len(), hidden, "pictures were sent while hidden");
    tmux.run(&["select-window", "-t", "t:0"]);
    terminal.wait_tap("pictures of the new row", |tap| (Kitty::read(tap).sent.len() > hidden).then_some(()));
    terminal.wait("placeholders again", |screen| screen.matches('\u{10eeee}').count() > 50);

    // Somebody else attaches: another terminal, which holds nothing.
    terminal.hang_up();
    let again = Terminal::start_as(&tmux.attach(false), 120, 40, Manner::kitty());
    again.wait("placeholders in the other terminal", |screen| screen.matches('\u{10eeee}').count() > 50);
    let kitty = again.wait_tap("pictures in the other terminal", |tap| {
        Some(Kitty::read(tap)).filter(|kitty| !kitty.images.is_empty())
    });
    assert_eq!(kitty.wrong, Vec::<String>::new());

    // The window stays when the program ends, so that its options can be looked at.
    tmux.run(&["set-option", "-t", "t", "remain-on-exit", "on"]);
    tmux.run(&["send-keys", "-t", pane, "q"]);
    let restored =
        process::wait_for(PATIENCE, || tmux.run(&["list-panes", "-t", "t:0", "-F", "#{pane_dead}"]) == "1");
    assert!(restored.is_ok(), "{}", again.screen());
    assert_eq!(tmux.run(&["show-options", "-p", "-v", "-t", pane, "allow-passthrough"]), "");
    assert_eq!(placeholders(&again), 0);
}

#[test]
fn inside_tmux_in_a_plain_terminal_there_are_characters() {
    if !tools::installed(&["tmux"], "tmux") {
        return;
    }
    let _alone = alone();
    let socket = scanned().path().join("plain.sock").to_str().unwrap().to_owned();
    let tmux = Tmux { socket };
    let terminal = Terminal::start_as(&tmux.attach(true), 120, 40, Manner::default());
    listed(&terminal);
    terminal.settle(Duration::from_millis(1_000));
    assert!(terminal.screen().contains('▀'), "{}", terminal.screen());
    assert_eq!(placeholders(&terminal), 0);
    assert!(Kitty::read(&terminal.tap()).sent.is_empty());
}
