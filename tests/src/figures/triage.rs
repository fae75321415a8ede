//! Keys per decision, and whether every action can be found.

use super::screen::listed;
use super::{Report, Scale};
use crate::pictures;
use crate::process;
use crate::random::Random;
use crate::sandbox::{Sandbox, table};
use crate::terminal::{PATIENCE, Terminal};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The right decision for a sample: keep, remove, or another class.
#[derive(Clone, Debug, PartialEq)]
enum Truth {
    Keep,
    Remove,
    Relabel(&'static str),
}

/// A dataset with wrong labels and copies, and the truth by path.
fn dataset(sandbox: &Sandbox, count: usize) -> BTreeMap<String, Truth> {
    let mut random = Random::new(3);
    let mut truth = BTreeMap::new();
    for number in 0..count {
        let class = random.below(10);
        let (mut folder, mut drawn, mut said) = (class, number as u64, Truth::Keep);
        if number % 9 == 4 {
            folder = (class + 1 + random.below(9)) % 10;
            said = Truth::Relabel(pictures::CLASSES[class]);
        } else if number % 40 == 7 {
            // The exact content of another one.
            drawn = 1_000_000 + (number / 80) as u64;
            folder = (number / 80) % 10;
            said = Truth::Remove;
        }
        let class = if said == Truth::Remove { folder } else { class };
        let folder = sandbox.data().join(pictures::CLASSES[folder]);
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{number:05}.png"));
        pictures::picture(class, drawn, 32).save(&path).unwrap();
        let path = path.strip_prefix(sandbox.data()).unwrap().to_str().unwrap().to_owned();
        truth.insert(path, said);
    }
    truth
}

/// The sample named in the message line.
fn path_of(screen: &str, sandbox: &Sandbox) -> Option<String> {
    let data = format!("{}/", sandbox.data().display());
    let (_, rest) = screen.lines().rev().find_map(|line| line.split_once(&data))?;
    rest.split_whitespace().next().map(str::to_owned)
}

/// The screen with the next sample and its path, which is a whole one once its details are there.
fn next(terminal: &Terminal, sandbox: &Sandbox, seen: &BTreeSet<String>) -> (String, String) {
    let mut found = None;
    terminal.wait("the next sample with its details", |screen| {
        found = path_of(screen, sandbox)
            .filter(|path| !seen.contains(path))
            .map(|path| (screen.to_owned(), path));
        found.is_some()
    });
    found.expect("the wait succeeded")
}

/// The digit next to a class among the candidates on the screen.
fn digit(screen: &str, class: &str) -> Option<char> {
    screen.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.windows(2).position(|pair| pair[1] == class && pair[0].len() == 1)?;
        let key = words[at].chars().next()?;
        ('1'..='9').contains(&key).then_some(key)
    })
}

/// The shortest prefix of a class name that no other name contains as a subsequence.
fn beginning(class: &str) -> &str {
    let within = |part: &str, name: &str| {
        let mut letters = name.chars();
        part.chars().all(|letter| letters.any(|other| other == letter))
    };
    let alone = |len: usize| pictures::CLASSES.iter().filter(|name| within(&class[..len], name)).count() == 1;
    let len = (1..=class.len()).find(|&len| alone(len)).unwrap_or(class.len());
    &class[..len]
}

pub(super) fn triage(scale: Scale) -> Report {
    let mut report = Report::default();
    let count = scale.of(1_000, 220);
    let sandbox = Sandbox::new();
    let truth = dataset(&sandbox, count);
    sandbox.scan();
    let session = sandbox.session();
    let session = session.to_str().unwrap();
    let command = sandbox.command(["open", session, "--pictures", "off"]);
    let terminal = Terminal::start(&command, 130, 50);
    listed(&terminal);
    terminal.keys("Tgg");
    terminal.settle(Duration::from_millis(500));
    let (mut keys, mut digits, mut typed) = (0, 0, 0);
    let mut seen = BTreeSet::new();
    for _ in 0..count {
        let (screen, path) = next(&terminal, &sandbox, &seen);
        let typed_keys = match &truth[&path] {
            Truth::Keep => "a".to_owned(),
            Truth::Remove => "x".to_owned(),
            Truth::Relabel(class) => match digit(&screen, class) {
                Some(digit) => {
                    digits += 1;
                    digit.to_string()
                }
                None => {
                    typed += 1;
                    format!("r{}\r", beginning(class))
                }
            },
        };
        terminal.keys(&typed_keys);
        keys += typed_keys.len();
        seen.insert(path);
    }
    let saved = process::wait_for(PATIENCE, || sandbox.journal().len() >= count);
    assert!(saved.is_ok(), "{} of {count} were saved\n{}", sandbox.journal().len(), terminal.screen());
    super::keys::quit(terminal);

    // What was recorded is what was intended.
    let output = sandbox.path().join("manifest.csv");
    sandbox.ok(["export", session, "--format", "manifest", "--all", "--output", output.to_str().unwrap()]);
    let mut wrong = 0;
    for row in table(&std::fs::read_to_string(&output).unwrap()) {
        let said = (row["user_action"].as_str(), row["new_label"].as_str());
        let meant = match &truth[&row["image_path"]] {
            Truth::Keep => ("keep", ""),
            Truth::Remove => ("remove", ""),
            Truth::Relabel(class) => ("relabel", *class),
        };
        if said != meant {
            println!("{}: {said:?} and not {meant:?}", row["image_path"]);
            wrong += 1;
        }
    }
    report.count("decisions", count as f64, "", None);
    report.count("relabeled by a digit", f64::from(digits), "", None);
    report.count("relabeled by typing a name", f64::from(typed), "", None);
    report.count("decisions that are not what was meant", wrong as f64, "", Some(0.0));
    report.count("keys a decision", keys as f64 / count as f64, "", Some(1.15));
    report
}
