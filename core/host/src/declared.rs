//! The declaration of a detector that is not in a library of this process: made from what a file or a worker says, and
//! checked like that of a library.

use chaffinch_data::reserved;
use chaffinch_plugin::abi::Str;
use chaffinch_plugin::{Info, Needs, Param, ParamKind, Scope};
use serde::{Deserialize, Serialize};

/// What a detector says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) summary: String,
    pub(crate) docs: String,
    pub(crate) needs: u64,
    pub(crate) threshold: f32,
    pub(crate) group: bool,
    pub(crate) parameters: Vec<DeclaredParameter>,
    #[serde(default)]
    pub(crate) columns: Vec<String>,
    #[serde(default)]
    pub(crate) after: Vec<String>,
    /// The version of the contract that its library was built for; 0 if that is not known.
    #[serde(default)]
    pub(crate) abi: u32,
}

/// What it says of one of its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeclaredParameter {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) kind: ParameterKind,
    pub(crate) default: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) choices: Vec<String>,
    pub(crate) needs: u64,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ParameterKind {
    /// A number within bounds.
    Number,
    /// An integer within bounds.
    Integer,
    /// On or off.
    Flag,
    /// One of several names.
    Choice,
}

/// Makes the declaration. Its texts are never freed, like those of a library, which is never unloaded.
pub(crate) fn info(declared: &Declared) -> &'static Info {
    let params: Vec<Param> = declared.parameters.iter().map(param).collect();
    let info = Info::new(kept(&declared.name), kept(&declared.summary))
        .version(kept(&declared.version))
        .docs(kept(&declared.docs))
        .needs(Needs::from_bits(declared.needs))
        .threshold(declared.threshold)
        .scope(if declared.group { Scope::Group } else { Scope::Sample })
        .params(params.leak())
        .columns(all_kept(&declared.columns))
        .after(all_kept(&declared.after));
    Box::leak(Box::new(info))
}

fn param(declared: &DeclaredParameter) -> Param {
    let kind = match declared.kind {
        ParameterKind::Number => ParamKind::Number,
        ParameterKind::Integer => ParamKind::Integer,
        ParameterKind::Flag => ParamKind::Flag,
        ParameterKind::Choice => ParamKind::Choice,
    };
    let choices: Vec<Str> = declared.choices.iter().map(|choice| Str::new(kept(choice))).collect();
    let bounds = (declared.min, declared.max);
    Param::declared(
        kept(&declared.name),
        kept(&declared.help),
        kind,
        declared.default,
        bounds,
        choices.leak(),
    )
    .needs(Needs::from_bits(declared.needs))
}

fn kept(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn all_kept(texts: &[String]) -> &'static [Str] {
    texts.iter().map(|text| Str::new(kept(text))).collect::<Vec<Str>>().leak()
}

/// The same as a library says it of itself.
pub(crate) fn declared(info: &Info) -> Declared {
    let parameter = |param: &Param| {
        let (min, max) = param.bounds();
        let elsewhere = if param.default() == max { min } else { max };
        DeclaredParameter {
            name: param.name().into(),
            help: param.help().into(),
            kind: match param.kind() {
                ParamKind::Number => ParameterKind::Number,
                ParamKind::Integer => ParameterKind::Integer,
                ParamKind::Flag => ParameterKind::Flag,
                ParamKind::Choice => ParameterKind::Choice,
            },
            default: param.default(),
            min,
            max,
            choices: param.choices().into_iter().map(str::to_owned).collect(),
            needs: param.needed_at(elsewhere).bits(),
        }
    };
    Declared {
        name: info.name().into(),
        version: info.version_text().into(),
        summary: info.summary().into(),
        docs: info.docs_text().into(),
        needs: info.needed().bits(),
        threshold: info.default_threshold(),
        group: info.judged() == Scope::Group,
        parameters: info.parameters().iter().map(parameter).collect(),
        columns: info.needed_columns().into_iter().map(str::to_owned).collect(),
        after: info.follows().into_iter().map(str::to_owned).collect(),
        abi: 0,
    }
}

/// What is wrong with a declaration.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// The key of a `detector.toml` that it is about.
    pub(crate) key: &'static str,
    /// The parameter whose key that is, if it is one's.
    pub(crate) parameter: Option<String>,
    /// A sentence about it.
    pub(crate) why: String,
}

/// Checks a detector's description of itself, since names end up in file names, the configuration and on the screen.
///
/// # Errors
/// With what is wrong.
pub(crate) fn check(info: &Info) -> Result<(), Wrong> {
    let wrong = |key, why| Err(Wrong { key, parameter: None, why });
    let name = info.name();
    if !proper(name) {
        return wrong(
            "name",
            format!("'{}' is not a valid detector name: use a-z, 0-9 and -", name.escape_debug()),
        );
    }
    if let Some(meaning) = reserved::detector(name) {
        return wrong(
            "name",
            format!("a detector cannot be called '{name}': {meaning}; choose another name"),
        );
    }
    let threshold = info.default_threshold();
    if !(0.0..=1.0).contains(&threshold) {
        return wrong("threshold", format!("{name}: the threshold {threshold} is not between 0 and 1"));
    }
    if info.needed_columns().into_iter().any(|column| column.trim().is_empty()) {
        return wrong("columns", format!("{name}: a column has no name"));
    }
    if let Some(other) = info.follows().into_iter().find(|other| *other == name || !proper(other)) {
        let other = other.escape_debug();
        return wrong("after", format!("{name}: it cannot run after '{other}': name another detector"));
    }
    info.parameters().iter().try_for_each(|param| {
        let wrong = |(key, why)| Wrong { key, parameter: Some(param.name().into()), why };
        check_param(param).map_err(wrong)
    })
}

/// What is wrong with a parameter, after the key that it is about: its name stands in the heading.
fn check_param(param: &Param) -> Result<(), (&'static str, String)> {
    let (low, high) = param.bounds();
    if !proper(param.name()) {
        let name = param.name().escape_debug();
        return Err(("name", format!("'{name}' is not a valid parameter name: use a-z, 0-9, - and _")));
    }
    if let Some(meaning) = reserved::parameter(param.name()) {
        let name = param.name();
        return Err((
            "name",
            format!("a parameter cannot be called '{name}': {meaning}; choose another name"),
        ));
    }
    if !(low <= param.default() && param.default() <= high) {
        return Err(("default", format!("parameter {}: the default is out of range", param.name())));
    }
    Ok(())
}

fn proper(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

/// Everything that may be asked for.
pub(crate) const ALL: Needs = Needs::PIXELS
    .and(Needs::EMBEDDINGS)
    .and(Needs::NEIGHBORS)
    .and(Needs::TEXTS)
    .and(Needs::HASHES)
    .and(Needs::LABELS)
    .and(Needs::PROBABILITIES)
    .and(Needs::DECISIONS);

/// The needs by the names that files and lists use.
pub const NEEDS: [(&str, Needs); 8] = [
    ("pixels", Needs::PIXELS),
    ("embeddings", Needs::EMBEDDINGS),
    ("neighbors", Needs::NEIGHBORS),
    ("texts", Needs::TEXTS),
    ("hashes", Needs::HASHES),
    ("labels", Needs::LABELS),
    ("probabilities", Needs::PROBABILITIES),
    ("decisions", Needs::DECISIONS),
];
