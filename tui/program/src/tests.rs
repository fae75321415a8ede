//! The command line as a whole: it is consistent, documented, and the manual matches it.

use super::*;
use chaffinch_formats::export::Target;
use chaffinch_formats::{dataset, export, import};
use std::collections::BTreeSet;
use std::fs;

const MANUAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/command-line.md");
const FORMATS_PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats.md");

#[test]
fn the_command_line_is_consistent() {
    command().debug_assert();
}

/// Every visible command and subcommand, with global options.
fn shown() -> Vec<clap::Command> {
    fn collect(command: &clap::Command, all: &mut Vec<clap::Command>) {
        for part in command.get_subcommands().filter(|part| !part.is_hide_set() && part.get_name() != "help")
        {
            all.push(part.clone());
            collect(part, all);
        }
    }
    let mut program = command();
    program.build();
    let mut all = vec![program.clone()];
    collect(&program, &mut all);
    all
}

fn long_options(command: &clap::Command) -> impl Iterator<Item = String> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    shown.filter_map(|arg| arg.get_long()).map(|long| format!("--{long}"))
}

#[test]
fn every_command_and_argument_is_described() {
    for command in shown() {
        let name = command.get_display_name().unwrap_or(command.get_name());
        assert!(command.get_about().is_some(), "{name} has no description");
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            assert!(arg.get_help().is_some(), "{name}: {} has no description", arg.get_id());
        }
    }
}

#[test]
fn every_command_has_a_manual_page_with_its_options() {
    for command in shown() {
        let page = String::from_utf8(man::page(&command).unwrap()).unwrap().replace("\\-", "-");
        let name = command.get_display_name().unwrap_or(command.get_name());
        assert!(page.contains(&format!(".TH {name} 1")), "{name}: {page}");
        for option in long_options(&command) {
            assert!(page.contains(&option), "{name}: {option} is not in {page}");
        }
    }
}

/// All words in a text that look like long options.
fn named_options(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let starts = text.match_indices("--").map(|(start, _)| start);
    let first = starts.filter(|&start| !text[..start].ends_with(|c: char| word(c) || c.is_alphanumeric()));
    let options = first.map(|start| {
        let rest = &text[start..];
        rest[..rest.find(|c| !word(c)).unwrap_or(rest.len())].to_owned()
    });
    options.filter(|option| option.len() > 2 && !option.starts_with("---")).collect()
}

#[test]
fn the_manual_names_every_command_and_option_and_no_others() {
    let manual = fs::read_to_string(MANUAL).unwrap();
    let named = named_options(&manual);
    let mut known = BTreeSet::from(["--help".to_owned(), "--version".to_owned()]);
    for command in shown() {
        let path = command.get_display_name().unwrap_or(command.get_name()).to_owned();
        match path.strip_prefix("chaffinch-") {
            Some(rest) if rest == command.get_name() => {
                let heading = format!("\n## {}\n", command.get_name());
                assert!(manual.contains(&heading), "{MANUAL} has no section{heading}");
            }
            Some(_) => {
                let name = format!("`{}`", command.get_name());
                assert!(manual.contains(&name), "{MANUAL} does not mention {name} of {path}");
            }
            None => {}
        }
        for option in long_options(&command) {
            assert!(
                named.contains(&option) || known.contains(&option),
                "{MANUAL} does not mention {option} of {path}"
            );
            known.insert(option);
        }
    }
    let strange: Vec<&String> = named.difference(&known).collect();
    assert!(strange.is_empty(), "{MANUAL} mentions options that do not exist: {strange:?}");
}

/// The README and all documents, by path.
fn documents() -> Vec<(std::path::PathBuf, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = docs.filter(|path| path.extension().is_some_and(|it| it == "md")).collect();
    paths.push(root.join("README.md"));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// What a text has between backticks, and in blocks of code line by line.
fn code(text: &str) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for (index, part) in text.split("```").enumerate() {
        match index % 2 {
            0 => all.extend(part.split('`').skip(1).step_by(2)),
            _ => all.extend(part.lines()),
        }
    }
    all
}

#[test]
fn every_document_names_commands_and_options_that_exist() {
    let mut checked = 0;
    for (path, text) in documents() {
        for line in code(&text) {
            let Some(at) = line.find("chaffinch ") else { continue };
            // A path such as target/release/chaffinch is the program, `-p chaffinch` of another program is not.
            let before = line[..at].trim_end_matches(|c: char| !c.is_whitespace());
            if before.split_whitespace().any(|word| !word.contains('=') && word != "$") {
                continue;
            }
            let line = line[at..].split([';', '|', '#', '>']).next().unwrap_or_default();
            let mut command = command();
            command.build();
            let mut options: BTreeSet<String> = long_options(&command).collect();
            options.extend(["--help".to_owned(), "--version".to_owned()]);
            let mut at = &command;
            for word in line.split_whitespace().skip(1) {
                let is_name = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
                match at.find_subcommand(word) {
                    Some(part) => {
                        at = part;
                        options.extend(long_options(at));
                    }
                    None if at.has_subcommands() && is_name && !word.starts_with('-') => {
                        panic!("{}: there is no command '{word}': {line}", path.display());
                    }
                    None => break,
                }
                checked += 1;
            }
            for option in named_options(line) {
                assert!(options.contains(&option), "{}: there is no {option} here: {line}", path.display());
            }
        }
    }
    assert!(checked > 60, "{checked} commands");
}

#[test]
fn examples_in_the_manual_can_be_typed() {
    let manual = fs::read_to_string(MANUAL).unwrap();
    let code = manual.split("```").skip(1).step_by(2);
    let mut tried = 0;
    for line in code.flat_map(str::lines) {
        let parts = line.split(" | ").map(|part| part.split(" > ").next().unwrap_or(part));
        for part in parts.filter(|part| part.starts_with("chaffinch ")) {
            let quoted = part.split('\'').enumerate();
            let words = quoted.flat_map(|(index, text)| match index % 2 {
                0 => text.split_whitespace().collect::<Vec<&str>>(),
                _ => vec![text],
            });
            // A folder of detectors must be there.
            let mut words: Vec<&str> = words.collect();
            if let Some(option) = words.iter().position(|word| *word == "--plugins") {
                words[option + 1] = ".";
            }
            if let Err(error) = command().try_get_matches_from(words) {
                panic!("{part}: {error}");
            }
            tried += 1;
        }
    }
    assert!(tried > 40, "only {tried} examples were found");
}

/// Compares a part of the manual between two comments, or updates it if `CHAFFINCH_UPDATE` is set.
fn compare(manual: &mut String, about: &str, expected: &str) {
    let (begin, end) = (format!("<!-- {about} -->\n"), "<!-- end -->\n");
    let from = manual.find(&begin).unwrap_or_else(|| panic!("{MANUAL} has no {begin}")) + begin.len();
    let to = from + manual[from..].find(end).unwrap();
    if std::env::var_os("CHAFFINCH_UPDATE").is_some() {
        manual.replace_range(from..to, expected);
        return;
    }
    let found = &manual[from..to];
    assert_eq!(
        found, expected,
        "the {about} in {MANUAL} are out of date; run this test with CHAFFINCH_UPDATE=1 to update them"
    );
}

#[test]
fn the_manual_has_the_formats_of_the_program() {
    let mut manual = fs::read_to_string(MANUAL).unwrap();
    let mut text = "| format | file | what is written |\n|---|---|---|\n".to_owned();
    for format in export::FORMATS {
        let file = match format.target {
            Target::File => format!("`{}`", format.file_name),
            Target::Folder => "a folder".to_owned(),
            Target::NewFolder => "a new folder".to_owned(),
            Target::Versions => "a folder that grows".to_owned(),
        };
        text += &format!("| `{}` | {file} | {} |\n", format.name, format.summary);
    }
    compare(&mut manual, "formats of export", &text);
    let mut text = "| dataset | what is in it |\n|---|---|\n".to_owned();
    for format in dataset::FORMATS {
        text += &format!("| {} | {} |\n", format.summary, format.details);
    }
    compare(&mut manual, "formats of datasets", &text);
    let mut page = fs::read_to_string(FORMATS_PAGE).unwrap();
    let mut text = "| dataset | what is read | what exports write | what is not read or gets lost |\n|---|---|---|---|\n".to_owned();
    for format in dataset::FORMATS {
        let dataset::Format { summary, details, written, lost, .. } = format;
        text += &format!("| {summary} | {details} | {written} | {lost} |\n");
    }
    compare(&mut page, "what is read, written and lost", &text);
    if std::env::var_os("CHAFFINCH_UPDATE").is_some() {
        fs::write(FORMATS_PAGE, page).unwrap();
    }
    let mut text = "| program | what is imported | files |\n|---|---|---|\n".to_owned();
    for importer in import::IMPORTERS {
        text += &format!("| `{}` | {} | {} |\n", importer.name, importer.summary, importer.files);
    }
    compare(&mut manual, "programs of import", &text);
    if std::env::var_os("CHAFFINCH_UPDATE").is_some() {
        fs::write(MANUAL, manual).unwrap();
    }
}
