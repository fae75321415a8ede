//! The tutorial and the page of views, typed into a terminal as they stand in the documentation. Their comments say what is
//! typed, what must be seen, and which screens are their pictures:
//!
//! ```text
//! <!-- type: <Enter> -->
//! <!-- see: relabel to frog -->
//! <!-- screen: list -->
//! <!-- frame: 1.5 -->
//! ```
//!
//! Frames are screens of the animated picture in the README, each with the seconds that it is shown.
//!
//! With `CHAFFINCH_UPDATE` set the pictures are written; without it their words are compared with what is seen.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed step fails the test")]

use chaffinch_tests::artefacts::root;
use chaffinch_tests::sandbox::Sandbox;
use chaffinch_tests::svg::{Frame, animated, svg};
use chaffinch_tests::terminal::Terminal;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One step of a page.
enum Step {
    Type(String),
    See(String),
    /// Until it is not there any more.
    Gone(String),
    Screen(String),
    Frame(f64),
}

fn steps(text: &str) -> Vec<Step> {
    let comments = text.split("<!-- ").skip(1).map(|rest| rest.split(" -->").next().unwrap());
    comments
        .map(|comment| {
            let (kind, what) = comment.split_once(": ").expect("a comment says what it is");
            match kind {
                "type" => Step::Type(what.to_owned()),
                "see" => Step::See(what.to_owned()),
                "gone" => Step::Gone(what.to_owned()),
                "screen" => Step::Screen(what.to_owned()),
                "frame" => Step::Frame(what.parse().expect("a frame has seconds")),
                other => panic!("'{other}' is not a step"),
            }
        })
        .collect()
}

/// Keys as the documentation writes them, as a terminal sends them.
fn bytes(keys: &str) -> String {
    let mut out = String::new();
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        rest = match named {
            Some((name, after)) => {
                out.push_str(match name {
                    "Enter" => "\r",
                    "Esc" => "\x1b",
                    "Tab" => "\t",
                    "Space" => " ",
                    "C-r" => "\x12",
                    other => panic!("<{other}> is not known here"),
                });
                after
            }
            None => {
                out.push(c);
                &rest[c.len_utf8()..]
            }
        };
    }
    out
}

/// The words of a picture, with times of day and durations taken out.
fn words(svg: &str) -> Vec<String> {
    let texts = svg.lines().filter(|line| line.starts_with("<text"));
    let inner = texts.filter_map(|line| line.split_once('>')?.1.strip_suffix("</text>"));
    inner.map(|text| text.replace(|c: char| c.is_ascii_digit(), "0")).collect()
}

/// The same folders on every machine and in every run, since their names are on the screen.
fn fixed_place() -> (File, std::path::PathBuf) {
    let lock = File::create(std::env::temp_dir().join("chaffinch-tutorial.lock")).unwrap();
    lock.lock().unwrap();
    let place = std::env::temp_dir().join("chaffinch-tutorial");
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    (lock, place)
}

/// The animated picture, which the README shows.
const TOUR: &str = "tour";

/// Pages that are typed.
const PAGES: [&str; 2] = ["tutorial.md", "views.md"];

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// Types a page of the documentation into `chaffinch demo`.
fn follow(name: &str) {
    let sandbox = Sandbox::new();
    let (_lock, place) = fixed_place();
    let mut command = sandbox.command(["demo"]);
    command.env("XDG_CACHE_HOME", &place);
    let mut terminal = Terminal::start(&command, 120, 36);
    let text = page(name);
    let mut frames: Vec<Frame> = Vec::new();
    for step in steps(&text) {
        match step {
            Step::Type(keys) => {
                println!("type {keys}");
                terminal.keys(&bytes(&keys));
                terminal.settle(Duration::from_millis(250));
            }
            Step::See(words) => {
                println!("see {words}");
                terminal.wait_text(&words);
            }
            Step::Gone(words) => {
                println!("gone {words}");
                terminal.wait(&format!("the end of '{words}'"), |screen| !screen.contains(&words));
            }
            Step::Screen(screen) => {
                println!("screen {screen}");
                // A job that is not done yet is on the screen, too.
                let patience = Instant::now() + Duration::from_secs(60);
                let now = loop {
                    terminal.settle(Duration::from_millis(700));
                    let now = terminal.look(|seen| svg(seen, &format!("chaffinch: {screen}")));
                    if words(&kept(&screen)) == words(&now) || updating() || Instant::now() > patience {
                        break now;
                    }
                };
                assert!(
                    text.contains(&format!("](screens/{screen}.svg)")),
                    "{screen} is not shown on its page"
                );
                picture(&screen, &now);
            }
            Step::Frame(seconds) => {
                terminal.settle(Duration::from_millis(700));
                frames.push(terminal.look(|seen| Frame::of(seen, seconds)));
            }
        }
    }
    if !frames.is_empty() {
        picture(TOUR, &animated(&frames, "Chaffinch: some decisions in the demo"));
    }
    assert_eq!(terminal.end(Duration::from_secs(10)), Some(0), "{}", terminal.screen());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
    let _ = fs::remove_dir_all(&place);
}

fn updating() -> bool {
    std::env::var_os("CHAFFINCH_UPDATE").is_some()
}

fn file_of(name: &str) -> PathBuf {
    root().join(format!("docs/screens/{name}.svg"))
}

/// The picture of a screen that the documentation has; nothing if it has none.
fn kept(name: &str) -> String {
    fs::read_to_string(file_of(name)).unwrap_or_default()
}

/// Compares a screen with the picture of it, or writes the picture.
fn picture(name: &str, now: &str) {
    if updating() {
        fs::create_dir_all(root().join("docs/screens")).unwrap();
        fs::write(file_of(name), now).unwrap();
    }
    assert_eq!(
        words(&kept(name)),
        words(now),
        "docs/screens/{name}.svg is out of date: run CHAFFINCH_UPDATE=1 cargo test --release \
         -p chaffinch-tests --test tutorial"
    );
}

#[test]
fn the_tutorial_does_what_it_says() {
    follow("tutorial.md");
}

#[test]
fn the_views_look_as_they_are_shown() {
    follow("views.md");
}

#[test]
fn every_picture_is_of_a_screen() {
    if std::env::var_os("CHAFFINCH_UPDATE").is_some() {
        return println!("SKIPPED: the pictures are being written");
    }
    let screens = PAGES.map(page).join("\n");
    let screens = steps(&screens).into_iter().filter_map(|step| match step {
        Step::Screen(name) => Some(format!("{name}.svg")),
        Step::Frame(_) => Some(format!("{TOUR}.svg")),
        _ => None,
    });
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&format!("](docs/screens/{TOUR}.svg)")));
    let files = fs::read_dir(root().join("docs/screens")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.collect::<BTreeSet<_>>(), screens.collect::<BTreeSet<_>>());
}
