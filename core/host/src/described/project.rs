//! Reads `detector.toml`.

use super::{Described, Prompts, Rule, digest};
use crate::declared::{self, Declared, DeclaredParameter, NEEDS, ParameterKind, Wrong};
use crate::named::DESCRIPTION;
use crate::worker::Limits;
use crate::{Error, Result};
use chaffinch_data::nearest::hint;
use chaffinch_data::toml_table::{DeTable, Source, Table};
use chaffinch_plugin::{Info, Needs};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name of the file.
pub(crate) const FILE: &str = DESCRIPTION;

/// The largest file that is read.
const MOST: u64 = 1 << 20;

/// What a library says of itself, so that its description does not.
const OF_CODE: [&str; 9] =
    ["version", "summary", "docs", "needs", "threshold", "scope", "columns", "after", "parameters"];

/// What a `detector.toml` describes.
#[derive(Debug)]
pub(crate) struct Project {
    /// Its declaration; that of a library counts instead if it has one.
    pub(crate) info: &'static Info,
    pub(crate) kind: Kind,
    pub(crate) limits: Limits,
    /// Digest of the file and of the code beside it.
    pub(crate) digest: String,
    /// The beginning of the digest of each file of a program.
    pub(crate) files: BTreeMap<String, String>,
}

/// What does its work.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A program: its name or path, and its arguments.
    Command(Vec<String>),
    /// A library.
    Library(PathBuf),
    /// The host.
    Host(Described),
}

/// Reads a file.
///
/// # Errors
/// When it cannot be read, or with the line that is wrong.
pub(crate) fn read(path: &Path) -> Result<Project> {
    let size = std::fs::metadata(path).map_err(Error::io("read", path))?.len();
    if size > MOST {
        return Err(Error::format(path, "the file is too large for a description of a detector"));
    }
    let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let (declared, kind, limits) = parse(&text, path, folder)?;
    let (digest, files) = match &kind {
        Kind::Command(command) => digest(folder, command)?,
        Kind::Library(_) | Kind::Host(_) => {
            (blake3::hash(text.as_bytes()).to_hex().to_string(), BTreeMap::new())
        }
    };
    let info = declared::info(&declared);
    Ok(Project { info, kind, limits, digest, files })
}

/// The name in a description, as far as it can be told where the description as a whole is wrong.
pub(crate) fn name_in(path: &Path) -> Option<String> {
    if path.file_name().is_none_or(|name| name != FILE) || std::fs::metadata(path).ok()?.len() > MOST {
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    let above = text.lines().map(str::trim).take_while(|line| !line.starts_with('['));
    let mut named = above.filter_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('='));
    let value = named.next()?.trim_start();
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    value[1..].split(quote).next().filter(|name| !name.is_empty()).map(str::to_owned)
}

fn parse(text: &str, path: &Path, folder: &Path) -> Result<(Declared, Kind, Limits)> {
    let source = Source { path, text };
    let parsed = source.parse()?;
    let mut file = source.table(parsed.get_ref(), "");
    let name = file.text("name")?;
    let kinds = kinds(&mut file)?;
    let mut parameters = Vec::new();
    if let Some(table) = file.section("parameters", "parameters")? {
        let (inner, flat) = table.other_tables_and_unknown_keys();
        if let Some(wrong) = flat.first() {
            let message = format!("{wrong}: a parameter is a table of its own, as in [parameters.trees]");
            return Err(Error::Invalid(message));
        }
        for (name, inner) in inner {
            let title = format!("parameters.{name}");
            let one = parameter(&name, table.sibling(inner, &title))?;
            parameters.push(one);
        }
    }
    let own = needs_of(&mut file, "needs")?;
    let mut declared = Declared {
        name: name.clone().unwrap_or_default(),
        version: file.text("version")?.unwrap_or_else(|| "0.1.0".into()),
        summary: file.text("summary")?.unwrap_or_default(),
        docs: file.text("docs")?.unwrap_or_default(),
        needs: own.bits(),
        threshold: file.number("threshold")?.unwrap_or(0.5) as f32,
        group: match file.text("scope")?.as_deref() {
            None | Some("sample") => false,
            Some("group") => true,
            Some(other) => {
                let message = format!("the scope '{other}' is neither \"sample\" nor \"group\"");
                return Err(file.complain("scope", message));
            }
        },
        parameters,
        columns: file.texts("columns")?.unwrap_or_default(),
        after: file.texts("after")?.unwrap_or_default(),
        abi: 0,
    };
    let limits = limits(&mut file)?;
    // A mistyped key is why another is missing.
    file.finish()?;
    if name.is_none() {
        return Err(Error::format(path, "it has no name; add a line such as name = \"my-detector\""));
    }
    let (kind, params, needs) = kinds.of(&file, path, folder)?;
    if let (Kind::Library(_), Some(key)) =
        (&kind, OF_CODE.iter().find(|key| parsed.get_ref().get(**key).is_some()))
    {
        let message =
            format!("'{key}' does nothing here: the library says that itself; remove it from this file");
        return Err(file.complain(key, message));
    }
    declared.needs = needs.and(own).bits();
    let described =
        params.into_iter().filter(|one| !declared.parameters.iter().any(|own| own.name == one.name));
    let described: Vec<DeclaredParameter> = described.collect();
    declared.parameters.splice(0..0, described);
    if let Kind::Host(described) = &kind {
        declared.columns.splice(0..0, described.columns().to_vec());
    }
    let info = declared::info(&declared);
    declared::check(info).map_err(|wrong| match &wrong.parameter {
        Some(parameter) => in_parameter(&source, parsed.get_ref(), parameter, &wrong),
        None => file.complain(wrong.key, &wrong.why),
    })?;
    Ok((declared, kind, limits))
}

/// What is wrong with a parameter, with its line.
fn in_parameter(source: &Source<'_>, file: &DeTable<'_>, name: &str, wrong: &Wrong) -> Error {
    let all = file.get("parameters").and_then(|value| value.get_ref().as_table());
    let one = all.and_then(|all| all.get(name)).and_then(|value| value.get_ref().as_table());
    let title = format!("parameters.{name}");
    match one {
        Some(table) => source.table(table, &title).complain(wrong.key, &wrong.why),
        None => Error::format(source.path, &wrong.why),
    }
}

/// What may do the work, as far as the file names it.
struct Kinds<'t, 'a> {
    command: Option<Vec<String>>,
    library: Option<String>,
    build: Option<String>,
    prompts: Option<Table<'t, 'a>>,
    rule: Option<Table<'t, 'a>>,
}

/// Reads the keys that say what does the work.
fn kinds<'t, 'a>(file: &mut Table<'t, 'a>) -> Result<Kinds<'t, 'a>> {
    Ok(Kinds {
        command: file.texts("command")?,
        library: file.text("library")?,
        build: file.text("build")?,
        prompts: file.section("prompts", "prompts")?,
        rule: file.section("rule", "rule")?,
    })
}

impl Kinds<'_, '_> {
    /// What does the work, and the parameters and needs that come with it.
    fn of(
        self,
        file: &Table<'_, '_>,
        path: &Path,
        folder: &Path,
    ) -> Result<(Kind, Vec<DeclaredParameter>, Needs)> {
        let Kinds { command, library, build, prompts, rule } = self;
        let mut kinds = Vec::new();
        if let Some(command) = command {
            if command.first().is_none_or(|program| program.is_empty()) {
                return Err(file.complain(
                    "command",
                    "'command' must begin with a program, as in [\"python3\", \"detector.py\"]",
                ));
            }
            kinds.push((Kind::Command(command), Vec::new(), Needs::NOTHING));
        }
        if let Some(library) = library {
            let library = folder.join(library);
            if !library.is_file() {
                let how = build.map_or_else(String::new, |build| format!("; build it with: {build}"));
                let message = format!("the library {} does not exist{how}", library.display());
                return Err(file.complain("library", message));
            }
            kinds.push((Kind::Library(library), Vec::new(), Needs::NOTHING));
        }
        if let Some(table) = prompts {
            let prompts = Prompts::read(table)?;
            let needs = Needs::EMBEDDINGS.and(Needs::TEXTS);
            kinds.push((Kind::Host(Described::Prompts(prompts)), Prompts::parameters(), needs));
        }
        if let Some(table) = rule {
            kinds.push((Kind::Host(Described::Rule(Rule::read(table)?)), Vec::new(), Needs::NOTHING));
        }
        let count = kinds.len();
        match kinds.pop() {
            Some(one) if count == 1 => Ok(one),
            _ => Err(Error::format(
                path,
                "it must have exactly one of: command (a program), library, [prompts] or [rule]",
            )),
        }
    }
}

fn parameter(name: &str, mut table: Table<'_, '_>) -> Result<DeclaredParameter> {
    let help = table.text("help")?.unwrap_or_default();
    let needs = needs_of(&mut table, "needs")?.bits();
    let choices = table.texts("choices")?.unwrap_or_default();
    let kind = table.text("kind")?;
    table.expect("default");
    if choices.is_empty() && !matches!(table.boolean("default"), Ok(Some(_))) {
        ["min", "max"].iter().for_each(|key| table.expect(key));
    }
    // A mistyped key is why another is missing.
    table.finish()?;
    let given = match kind.as_deref() {
        None => None,
        Some("number") => Some(ParameterKind::Number),
        Some("flag") => Some(ParameterKind::Flag),
        Some("choice") => Some(ParameterKind::Choice),
        Some("integer") => Some(ParameterKind::Integer),
        Some(other) => {
            let message = format!("the kind '{other}' is none of number, integer, flag and choice");
            return Err(table.complain("kind", message));
        }
    };
    let integer = given == Some(ParameterKind::Integer);
    let (kind, default, min, max) = if !choices.is_empty() {
        let default = table.text("default")?.unwrap_or_else(|| choices[0].clone());
        let Some(index) = choices.iter().position(|choice| *choice == default) else {
            let message = format!("'{default}' is not one of the choices {}", choices.join(", "));
            return Err(table.complain("default", message));
        };
        (ParameterKind::Choice, index as f64, 0.0, choices.len() as f64 - 1.0)
    } else if let Ok(Some(flag)) = table.boolean("default") {
        (ParameterKind::Flag, f64::from(u8::from(flag)), 0.0, 1.0)
    } else {
        let mut number = |key: &'static str| -> Result<f64> {
            let value = table.number(key)?;
            value
                .ok_or_else(|| table.complain(key, format!("the parameter {name} needs a number as '{key}'")))
        };
        let kind = if integer { ParameterKind::Integer } else { ParameterKind::Number };
        (kind, number("default")?, number("min")?, number("max")?)
    };
    if let Some(given) = given.filter(|given| *given != kind) {
        let what = match given {
            ParameterKind::Flag => "a flag has true or false as its default, and no min and max",
            ParameterKind::Choice => "a choice lists its names under choices",
            ParameterKind::Integer | ParameterKind::Number => {
                "a number has neither choices nor true or false as its default"
            }
        };
        return Err(table.complain("kind", format!("the parameter {name} is of another kind: {what}")));
    }
    if min > max {
        return Err(table.complain("min", format!("the min {min} is more than the max {max}")));
    }
    let fraction = |(_, number): &(&str, f64)| integer && number.fract() != 0.0;
    if let Some((key, number)) = [("default", default), ("min", min), ("max", max)].into_iter().find(fraction)
    {
        return Err(
            table.complain(key, format!("'{key}' is {number}, but the parameter {name} is an integer"))
        );
    }
    if !(min <= default && default <= max) {
        return Err(table.complain("default", format!("the default {default} is not within {min} and {max}")));
    }
    Ok(DeclaredParameter { name: name.into(), help, kind, default, min, max, choices, needs })
}

fn needs_of(table: &mut Table<'_, '_>, key: &'static str) -> Result<Needs> {
    let mut needs = Needs::NOTHING;
    for name in table.texts(key)?.unwrap_or_default() {
        let Some((_, need)) = NEEDS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = NEEDS.iter().map(|(known, _)| *known).collect();
            let hint = hint(&name, known.iter().copied());
            let message = format!("there is no need '{name}' (there are {}){hint}", known.join(", "));
            return Err(table.complain(key, message));
        };
        needs = needs.and(*need);
    }
    Ok(needs)
}

fn limits(file: &mut Table<'_, '_>) -> Result<Limits> {
    let Some(mut table) = file.section("limits", "limits")? else { return Ok(Limits::default()) };
    let time = table.number("time")?;
    if time.is_some_and(|time| !(time > 0.0 && time < 1e7)) {
        return Err(table.complain("time", "'time' must be a number of seconds"));
    }
    let memory = match table.text("memory")? {
        None => None,
        Some(text) => match Limits::bytes(&text) {
            Some(bytes) => Some(bytes),
            None => return Err(table.complain("memory", "'memory' must be an amount such as \"4GiB\"")),
        },
    };
    let network = table.boolean("network")?.unwrap_or(false);
    table.finish()?;
    Ok(Limits { time: time.map(Duration::from_secs_f64), memory, network, ..Limits::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(Declared, Kind, Limits)> {
        parse(text, Path::new("x/detector.toml"), Path::new("x"))
    }

    #[test]
    fn everything_that_can_be_declared_is_read() {
        let text = r#"
            name = "odd"
            version = "2.0.0"
            summary = "Odd ones"
            command = ["python3", "odd.py"]
            needs = ["embeddings", "labels"]
            threshold = 0.25
            scope = "group"
            docs = "What it finds"
            [parameters.share]
            default = 0.1
            min = 0
            max = 0.5
            help = "How many"
            [parameters.trees]
            kind = "integer"
            default = 100
            min = 1
            max = 1000
            [parameters.deep]
            default = true
            needs = ["neighbors"]
            [parameters.mode]
            choices = ["fast", "slow"]
            default = "slow"
            [limits]
            time = 90
            memory = "2GiB"
            network = true
        "#;
        let (declared, kind, limits) = parsed(text).unwrap();
        assert!(matches!(kind, Kind::Command(command) if command == ["python3", "odd.py"]));
        assert_eq!(
            limits,
            Limits {
                time: Some(Duration::from_secs(90)),
                memory: Some(2 << 30),
                network: true,
                ..Limits::default()
            }
        );
        let info = declared::info(&declared);
        declared::check(info).unwrap();
        assert_eq!((info.name(), info.version_text(), info.default_threshold()), ("odd", "2.0.0", 0.25));
        assert!(info.needed().contains(Needs::EMBEDDINGS.and(Needs::LABELS)));
        assert_eq!(declared::declared(info).parameters.len(), 4);
        let of = |name: &str| declared.parameters.iter().find(|one| one.name == name).unwrap();
        assert_eq!((of("mode").default, of("mode").max, of("deep").default), (1.0, 1.0, 1.0));
        assert_eq!(of("trees").kind, ParameterKind::Integer);
        assert_eq!(of("deep").needs, Needs::NEIGHBORS.bits());
    }

    #[test]
    fn a_wrong_description_still_has_its_name() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join(FILE);
        let named = |text: &str| {
            std::fs::write(&path, text).unwrap();
            name_in(&path)
        };
        assert_eq!(named("# one\nname = \"odd\"  # its name\ncommand = [").as_deref(), Some("odd"));
        assert_eq!(named("summary = 'x'\nname='odd'\nneds = []").as_deref(), Some("odd"));
        for text in ["", "name = odd", "name = ''", "names = 'odd'", "[rule]\nname = 'odd'"] {
            assert_eq!(named(text), None, "{text}");
        }
        assert_eq!(name_in(&temp.path().join("libodd.so")), None);
    }

    #[test]
    fn mistakes_name_their_line() {
        let error = |text: &str| parsed(text).unwrap_err().to_string();
        let base = "name = 'a'\ncommand = ['x']\n";
        for (more, words) in [
            ("neds = []", "line 3: unknown key 'neds'; did you mean 'needs'?"),
            ("needs = ['pixel']", "line 3: there is no need 'pixel'"),
            ("scope = 'all'", "line 3: the scope 'all'"),
            ("[parameters.a]\ndefault = 2\nmin = 0\nmax = 1", "line 4: the default 2 is not within 0 and 1"),
            ("[parameters.a]\ndefault = 2\nmax = 3", "line 3: the parameter a needs a number as 'min'"),
            (
                "\n[parameters.a]\ndefalt = 2\nmin = 0\nmax = 3",
                "line 5: unknown key 'defalt' in [parameters.a]; did you mean 'default'?",
            ),
            ("[parameters.A]\ndefault = 2\nmin = 0\nmax = 3", "line 3: 'A' is not a valid parameter name"),
            (
                "\n[parameters.threshold]\ndefault = 2\nmin = 0\nmax = 3",
                "line 4: a parameter cannot be called 'threshold': threshold under [detectors.NAME] is the score",
            ),
            ("threshold = 1.5", "line 3: a: the threshold 1.5 is not"),
            ("after = ['a']", "line 3: a: it cannot run after 'a'"),
            ("[parameters.a]\nchoices = ['x']\ndefault = 'y'", "line 5: 'y' is not one of the choices x"),
            (
                "[parameters.a]\nkind = 'integer'\ndefault = 1.5\nmin = 0\nmax = 3",
                "line 5: 'default' is 1.5, but",
            ),
            (
                "[parameters.a]\nkind = 'integer'\ndefault = 1\nmin = 0.5\nmax = 3",
                "line 6: 'min' is 0.5, but",
            ),
            (
                "[parameters.a]\nkind = 'flag'\ndefault = 1\nmin = 0\nmax = 1",
                "line 4: the parameter a is of another kind",
            ),
            (
                "[parameters.a]\nkind = 'choice'\ndefault = 1\nmin = 0\nmax = 1",
                "lists its names under choices",
            ),
            ("[parameters.a]\nkind = 'integer'\ndefault = true", "neither choices nor true or false"),
            ("[parameters.a]\ndefault = 1\nmin = 3\nmax = 0", "line 5: the min 3 is more than the max 0"),
            (
                "[parameters]\na = 3",
                "line 4: unknown key 'a' in [parameters]: a parameter is a table of its own",
            ),
            ("columns = ['']", "line 3: a: a column has no name"),
            ("[limits]\nmemory = 'much'", "line 4: 'memory' must be an amount"),
            ("[rule]\ncolumn = 'a'\nbelow = 1", "exactly one of"),
        ] {
            let said = error(&format!("{base}{more}"));
            assert!(said.contains(words), "no '{words}' in: {said}");
        }
        let both = "name = 'a'\n[prompts]\nfind = ['a logo', 'a Cat']\nagainst = ['a  cat']";
        assert!(error(both).contains("line 4: 'a Cat' is in 'against' and in 'find'"), "{}", error(both));
        assert!(error("command = ['x']").contains("it has no name"));
        let mistyped = error("nme = 'a'\ncommand = ['x']");
        assert!(mistyped.contains("line 1: unknown key 'nme'; did you mean 'name'?"), "{mistyped}");
        let mistyped = error("name = 'a'\n\ncomand = ['x']");
        assert!(mistyped.contains("line 3: unknown key 'comand'; did you mean 'command'?"), "{mistyped}");
        let mistyped = error("name = 'a'\n[promts]\nfind = ['x']");
        assert!(mistyped.contains("line 2: unknown key 'promts'; did you mean 'prompts'?"), "{mistyped}");
        assert!(
            error("name = 'A b'\ncommand = ['x']").contains("line 1: 'A b' is not a valid detector name")
        );
        for name in ["unreadable", "default", "enabled"] {
            let said = error(&format!("name = '{name}'\ncommand = ['x']"));
            assert!(said.contains(&format!("line 1: a detector cannot be called '{name}'")), "{said}");
        }
        assert!(error("name = 'a'").contains("exactly one of"));
        assert!(
            error("name = 'a'\nlibrary = 'no.so'\nbuild = 'make'")
                .contains("does not exist; build it with: make")
        );
        assert!(error("name = 'a'\ncommand = []").contains("must begin with a program"));
    }
}
