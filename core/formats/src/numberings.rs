//! Numbers of classes as files write them: names in lines, names with their numbers, or JSON in one of its usual forms.

use chaffinch_data::class_numbers::ClassNumbers;
use serde_json::{Map, Value};

/// Keys of the number and of the name of a class in a list of objects.
const OF_NUMBER: [&str; 9] =
    ["id", "idx", "index", "class_id", "class_idx", "label_id", "category_id", "number", "value"];
const OF_NAME: [&str; 7] = ["name", "label", "class", "class_name", "label_name", "display_name", "category"];
/// Keys of objects in JSON with the names or numbers of classes.
const KEYS: [&str; 7] =
    ["id2label", "label2id", "class_to_idx", "idx_to_class", "classes", "class_names", "names"];
/// How deep objects in JSON are looked into.
const DEPTH: usize = 4;

/// Numberings in lines: a name on each, or a name and its number.
pub(crate) fn in_lines(text: &str) -> Vec<ClassNumbers> {
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim).collect();
    [ClassNumbers::of_list(&lines)].into_iter().chain(with_numbers(&lines)).collect()
}

/// The numbers that stand before or after the names in all of these lines, a different one in each.
pub(crate) fn with_numbers<S: AsRef<str>>(lines: &[S]) -> Option<ClassNumbers> {
    let separators: &[char] = &[' ', '\t', ',', ':', ';', '='];
    let before = |line: &S| {
        let (first, rest) = line.as_ref().split_once(separators)?;
        let number = first.trim_end_matches(separators).parse::<u64>().ok()?;
        Some((number, rest.trim_matches(separators).to_owned()))
    };
    let after = |line: &S| {
        let (rest, last) = line.as_ref().rsplit_once(separators)?;
        Some((last.parse::<u64>().ok()?, rest.trim_matches(separators).to_owned()))
    };
    let both: [Option<Vec<(u64, String)>>; 2] =
        [lines.iter().map(before).collect(), lines.iter().map(after).collect()];
    both.into_iter().flatten().map(ClassNumbers::of_ids).find(|numbers| numbers.len() == lines.len())
}

/// Numberings in a text; `None` if it is not JSON.
pub(crate) fn in_json(text: &str) -> Option<Vec<ClassNumbers>> {
    let value: Value = serde_json::from_str(text).ok()?;
    let mut all = Vec::new();
    of_json(&value, true, DEPTH, &mut all);
    Some(all)
}

/// Numberings in a value in JSON: a list of names, an object of numbers by names or of names by numbers, or objects with such under
/// the usual keys. `may_be` says whether the value may be one itself.
fn of_json(value: &Value, may_be: bool, depth: usize, found: &mut Vec<ClassNumbers>) {
    match value {
        Value::Array(list) if may_be => {
            let names: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            found.extend(names.map(ClassNumbers::of_list));
            let objects: Option<Vec<&Map<String, Value>>> = list.iter().map(Value::as_object).collect();
            found.extend(objects.and_then(|objects| of_objects(&objects)));
        }
        Value::Object(object) => {
            if may_be {
                found.extend(of_object(object));
                found.extend(of_lists(object));
            }
            if depth > 0 {
                for (key, value) in object {
                    of_json(value, KEYS.contains(&key.as_str()), depth - 1, found);
                }
            }
        }
        _ => {}
    }
}

/// A list of objects with the number and the name of a class each.
fn of_objects(objects: &[&Map<String, Value>]) -> Option<ClassNumbers> {
    let number = |object: &Map<String, Value>| OF_NUMBER.iter().find_map(|key| object.get(*key)?.as_u64());
    let name = |object: &Map<String, Value>| {
        OF_NAME.iter().find_map(|key| object.get(*key)?.as_str().map(str::to_owned))
    };
    let pairs: Option<Vec<_>> = objects.iter().map(|object| Some((number(object)?, name(object)?))).collect();
    let numbers = ClassNumbers::of_ids(pairs?);
    (numbers.len() == objects.len() && !numbers.is_empty()).then_some(numbers)
}

/// The places of names in the lists of an object by numbers, as ImageNet's classes have a code and a name.
fn of_lists(object: &Map<String, Value>) -> Vec<ClassNumbers> {
    let place = |at: usize| {
        let pair = |(number, list): (&String, &Value)| {
            Some((number.parse::<u64>().ok()?, list.as_array()?.get(at)?.as_str()?.to_owned()))
        };
        let pairs: Option<Vec<(u64, String)>> = object.iter().map(pair).collect();
        let numbers = ClassNumbers::of_ids(pairs?);
        (numbers.len() == object.len() && !numbers.is_empty()).then_some(numbers)
    };
    (0..2).filter_map(place).collect()
}

fn of_object(object: &Map<String, Value>) -> Option<ClassNumbers> {
    let by_name = |(name, number): (&String, &Value)| Some((number.as_u64()?, name.clone()));
    let by_number =
        |(number, name): (&String, &Value)| Some((number.parse().ok()?, name.as_str()?.to_owned()));
    let names: Option<Vec<(u64, String)>> = object.iter().map(by_name).collect();
    let by_text =
        |(name, number): (&String, &Value)| Some((number.as_str()?.trim().parse().ok()?, name.clone()));
    let names = names.or_else(|| object.iter().map(by_number).collect());
    let names = names.or_else(|| object.iter().map(by_text).collect())?;
    let numbers = ClassNumbers::of_ids(names.iter().map(|(number, name)| (*number, name)));
    (numbers.len() == object.len() && !numbers.is_empty()).then_some(numbers)
}
