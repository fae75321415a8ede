//! How many keys a decision takes, and whether every action can be found.

use super::screen::listed;
use super::{Report, Scale};
use crate::pictures;
use crate::process;
use crate::random::Random;
use crate::sandbox::{Sandbox, table};
use crate::terminal::{PATIENCE, Terminal};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a sample should be: keep it, remove it, or another class.
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
            // The very content of another one.
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

/// The digit beside a class among the candidates on the screen.
fn digit(screen: &str, class: &str) -> Option<char> {
    screen.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.windows(2).position(|pair| pair[1] == class && pair[0].len() == 1)?;
        let key = words[at].chars().next()?;
        (('1'..='9').contains(&key) && line.contains('%')).then_some(key)
    })
}

/// The shortest beginning of a class name that no other has.
fn beginning(class: &str) -> &str {
    let alone =
        |len: usize| pictures::CLASSES.iter().filter(|other| other.starts_with(&class[..len])).count() == 1;
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
    let ran = sandbox.ok(["rank", session, "--all", "--top", "0", "--format", "csv"]);
    let order: Vec<String> = table(&ran.stdout).into_iter().map(|row| row["path"].clone()).collect();
    assert_eq!(order.len(), count);
    let command = sandbox.command(["open", session, "--pictures", "off"]);
    let terminal = Terminal::start(&command, 130, 50);
    listed(&terminal);
    terminal.keys("Tgg");
    terminal.settle(Duration::from_millis(500));
    let (mut keys, mut digits, mut typed) = (0, 0, 0);
    for (done, path) in order.iter().enumerate() {
        let here = |screen: &str| screen.contains(&format!("{}/", done + 1));
        match &truth[path] {
            Truth::Keep => {
                terminal.keys("a");
                keys += 1;
            }
            Truth::Remove => {
                terminal.keys("x");
                keys += 1;
            }
            Truth::Relabel(class) => {
                // The reviewer looks: the details of this very sample have to be there.
                terminal.wait("the row", here);
                // What happened last gives way to the path, which is a whole one once the details are there.
                terminal.keys("\x1b");
                let whole = format!("{}/{path}", sandbox.data().display());
                terminal.wait("the details", |screen| screen.contains(&whole));
                if let Some(digit) = digit(&terminal.screen(), class) {
                    terminal.keys(&digit.to_string());
                    keys += 1;
                    digits += 1;
                } else {
                    let name = beginning(class);
                    terminal.keys(&format!("r{name}\r"));
                    keys += name.len() + 2;
                    typed += 1;
                }
            }
        }
    }
    let saved = process::wait_for(PATIENCE, || sandbox.journal().len() >= count);
    assert!(saved.is_ok(), "{} of {count} were saved\n{}", sandbox.journal().len(), terminal.screen());
    super::keys::quit(terminal);

    // What was typed is what was meant.
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
    report.count("relabelled by a digit", f64::from(digits), "", None);
    report.count("relabelled by typing a name", f64::from(typed), "", None);
    report.count("decisions that are not what was meant", wrong as f64, "", Some(0.0));
    report.count("keys a decision", keys as f64 / count as f64, "", Some(1.15));
    report
}
