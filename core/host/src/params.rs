//! The parameters a detector is given: numbers, or choices by name; and what they require from the host.

use super::LoadedDetector;
use crate::{Error, Result};
use chaffinch_data::config::Config;
use chaffinch_data::nearest::hint;
use chaffinch_data::set_value::SetValue;
use chaffinch_plugin::{Info, Needs, Param, ParamKind, host};
use std::collections::BTreeMap;

/// The values that are set for a detector and that it knows.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct InForce {
    /// By name; the others are at their defaults.
    pub values: BTreeMap<String, f64>,
    /// What is left out of its runs, a sentence each that says what to do.
    pub left_out: Vec<String>,
}

/// The configured values, overridden by changes in the session. A detector changes, and what is set for it stays: what it does
/// not take any more is left out of its run rather than in its way.
pub fn params_in_force(info: &Info, config: &Config, moved: Option<&BTreeMap<String, SetValue>>) -> InForce {
    let mut found = InForce::default();
    let mut take = |values: &BTreeMap<String, SetValue>, left_out: &dyn Fn(&str, &str) -> String| {
        for (name, value) in values {
            match taken(info, name, value) {
                Ok(number) => _ = found.values.insert(name.clone(), number),
                Err(why) => found.left_out.push(left_out(name, &why)),
            }
        }
    };
    take(&configured(info, config), &|name, why| {
        let name_of = info.name();
        format!(
            "{why}; the configuration sets it, and it is left out: take {name} out of [detectors.{name_of}]"
        )
    });
    if let Some(moved) = moved {
        take(moved, &|_, why| {
            format!(
                "{why}; it was set in this session, and is left out: P and r in the interface, or chaffinch threshold SESSION {} \
                 --reset, removes it",
                info.name()
            )
        });
    }
    found
}

/// Of values that were set in a session, those that a detector still takes, choices by their names.
pub fn still_taken(info: &Info, moved: &BTreeMap<String, SetValue>) -> BTreeMap<String, SetValue> {
    let known = |(name, value): (&String, &SetValue)| Some((name.clone(), taken(info, name, value).ok()?));
    by_name(info, &moved.iter().filter_map(known).collect())
}

/// Values as they are kept: choices by their names.
pub fn by_name(info: &Info, values: &BTreeMap<String, f64>) -> BTreeMap<String, SetValue> {
    let kept = |(name, value): (&String, &f64)| {
        let param = find(info, name).filter(|param| param.kind() == ParamKind::Choice);
        let choice = param.and_then(|param| param.choices().get(*value as usize).map(|&one| one.to_owned()));
        (name.clone(), choice.map_or(SetValue::Number(*value), SetValue::Choice))
    };
    values.iter().map(kept).collect()
}

fn configured(info: &Info, config: &Config) -> BTreeMap<String, SetValue> {
    let numbers = config.detector_params(info.name()).into_iter();
    let words = config.detector_choices(info.name()).into_iter();
    numbers
        .map(|(name, number)| (name, SetValue::Number(number)))
        .chain(words.map(|(name, word)| (name, SetValue::Choice(word))))
        .collect()
}

fn find<'a>(info: &'a Info, name: &str) -> Option<&'a Param> {
    info.parameters().iter().find(|param| param.name() == name)
}

/// The number of a value.
///
/// # Errors
/// When there is no such parameter, no such choice, or the value is out of bounds, in words.
fn taken(info: &Info, name: &str, value: &SetValue) -> std::result::Result<f64, String> {
    let number = match value {
        SetValue::Number(number) => *number,
        SetValue::Choice(word) => choice(info, name, word)?,
    };
    let one = BTreeMap::from([(name.to_owned(), number)]);
    host::resolve_params(info, &one).map(|_| number).map_err(|error| error.to_string())
}

/// The index of a choice by name.
fn choice(info: &Info, name: &str, word: &str) -> std::result::Result<f64, String> {
    let Some(param) = find(info, name) else {
        let known: Vec<&str> = info.parameters().iter().map(|param| param.name()).collect();
        let hint = hint(name, known.iter().copied());
        return Err(format!("it has no parameter '{name}'{hint}"));
    };
    if param.kind() != ParamKind::Choice {
        return Err(format!("'{name}' must be a number, true or false, not '{word}'"));
    }
    let choices = param.choices();
    match choices.iter().position(|choice| *choice == word) {
        Some(index) => Ok(index as f64),
        None => Err(format!(
            "{name} = '{word}' is not one of {}{}",
            choices.join(", "),
            hint(word, choices.iter().copied())
        )),
    }
}

/// Checks that a detector accepts its configuration.
///
/// # Errors
/// For an unknown parameter, an unknown choice, or a value out of bounds.
pub fn check_params(detector: &LoadedDetector, config: &Config) -> Result<()> {
    let info = detector.info();
    for (name, value) in configured(info, config) {
        taken(info, &name, &value).map_err(|why| Error::Invalid(format!("{}: {why}", info.name())))?;
    }
    Ok(())
}

/// The values a detector runs with: the given ones, checked against its declaration, and defaults for the rest.
///
/// # Errors
/// For an unknown parameter, or a value out of bounds.
pub fn resolve_params(
    detector: &LoadedDetector,
    given: &BTreeMap<String, f64>,
) -> Result<BTreeMap<String, f64>> {
    host::resolve_params(detector.info(), given).map_err(|error| Error::Invalid(error.to_string()))
}

/// What a detector needs with the parameters it was given.
pub fn needs_of(detector: &LoadedDetector, given: &BTreeMap<String, f64>) -> Needs {
    host::needs_of(detector.info(), given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_plugin::prelude::Str;

    const CHOICES: &[Str] = &[Str::new("alpha"), Str::new("delta"), Str::new("gamma"), Str::new("beta")];
    const PARAMS: &[Param] =
        &[Param::integer("kk", 5, 0, 30, "how many"), Param::choice("mode", CHOICES, "how")];
    const INFO: Info = Info::new("modal", "has two parameters").params(PARAMS);

    #[test]
    fn a_choice_stays_itself_when_its_place_in_the_list_changes() {
        let kept = BTreeMap::from([("mode".to_owned(), SetValue::Choice("beta".into()))]);
        let found = params_in_force(&INFO, &Config::built_in(), Some(&kept));
        assert_eq!(found.values, BTreeMap::from([("mode".to_owned(), 3.0)]));
        assert_eq!(found.left_out, [""; 0]);
        assert_eq!(by_name(&INFO, &found.values), kept);
        // As earlier versions kept it.
        let number = BTreeMap::from([("mode".to_owned(), SetValue::Number(1.0))]);
        assert_eq!(params_in_force(&INFO, &Config::built_in(), Some(&number)).values["mode"], 1.0);
        assert_eq!(still_taken(&INFO, &number)["mode"], SetValue::Choice("delta".into()));
    }

    #[test]
    fn what_a_detector_does_not_take_any_more_is_left_out_and_said() {
        for (name, value, said) in [
            ("k", SetValue::Number(3.0), "it has no parameter 'k' (it has: kk, mode)"),
            ("kk", SetValue::Number(1000.0), "kk = 1000 is not from 0 to 30"),
            ("mode", SetValue::Choice("slow".into()), "mode = 'slow' is not one of alpha, delta"),
            ("mode", SetValue::Number(7.0), "mode = 7 is not from 0 to 3"),
            ("kk", SetValue::Choice("many".into()), "'kk' must be a number, true or false, not 'many'"),
        ] {
            let mut moved = BTreeMap::from([(name.to_owned(), value)]);
            let found = params_in_force(&INFO, &Config::built_in(), Some(&moved));
            assert_eq!(found.values, BTreeMap::new(), "{name}");
            let [words] = found.left_out.as_slice() else { panic!("{:?}", found.left_out) };
            assert!(words.starts_with(said), "{words}");
            assert!(
                words.contains("set in this session") && words.contains("threshold SESSION modal --reset")
            );
            // It does not take the others with it.
            let other = if name == "mode" { "kk" } else { "mode" };
            moved.insert(other.to_owned(), SetValue::Number(2.0));
            let found = params_in_force(&INFO, &Config::built_in(), Some(&moved));
            assert_eq!(found.values, BTreeMap::from([(other.to_owned(), 2.0)]));
            assert_eq!(still_taken(&INFO, &moved).keys().collect::<Vec<_>>(), [other]);
        }
    }
}
