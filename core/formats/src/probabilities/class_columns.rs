//! Which column of a table is which class: by its name, whatever its case and whatever stands before or after it in all
//! columns alike, or by its number.

use crate::headings::names_samples;
use chaffinch_data::class_names;
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_data::nearest::hint;
use chaffinch_protocol::display::{counted, excerpt};
use std::collections::BTreeMap;

/// Names to list in a message.
const LISTED: usize = 8;
/// What programs write before the names or numbers of classes, likeliest first.
const USUAL: [&str; 9] =
    ["prob_", "probability_", "proba_", "probs_", "pred_probs_", "pred_", "p_", "score_", "class_"];

/// The columns of the classes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClassColumns {
    /// The column of each class.
    pub(super) columns: Vec<usize>,
    /// How they were found, if not by their names: what follows `10 columns of FILE`.
    pub(super) said: Option<String>,
}

/// Finds the columns of `classes`. `order` are the names of the numbers of classes, if they were given; `own` are those of the
/// dataset.
///
/// # Errors
/// Says in words which class has no column, or that a name is there twice.
pub(super) fn find(
    headings: &[String],
    classes: &[String],
    order: Option<&[String]>,
    own: &ClassNumbers,
) -> Result<ClassColumns, String> {
    let names: Vec<String> = headings.iter().map(|name| cleaned(name).to_lowercase()).collect();
    let wanted: Vec<String> = classes.iter().map(|name| cleaned(name)).collect();
    let lower: Vec<String> = wanted.iter().map(|name| name.to_lowercase()).collect();
    let order: Option<Vec<String>> = order.map(|order| order.iter().map(|name| cleaned(name)).collect());
    let by_order = order.as_ref().and_then(|order| by_number(&wanted, &names, order));
    // Numbers that are names of classes, and mean others by the order that was given.
    let differs = |columns: &Vec<usize>| by_order.as_ref().is_some_and(|by_order| by_order != columns);
    let contradictory = || {
        let class = classes.first().map_or("", String::as_str);
        format!(
            "its columns are called by numbers that are names of classes, and --classes FILE says that they are others, such as \
             for '{}': call the columns like the classes, or leave out --classes",
            excerpt(class)
        )
    };
    if let Some(found) = named(headings, classes)? {
        refuse_twice(&found.columns, headings, &lower)?;
        return if differs(&found.columns) { Err(contradictory()) } else { Ok(found) };
    }
    if let Some((columns, before, after)) = between(&lower, &names)? {
        if differs(&columns) {
            return Err(contradictory());
        }
        let said = format!("are those of the classes, with '{before}…{after}' around each name");
        return Ok(ClassColumns { columns, said: Some(said) });
    }
    // Of classes that are numbers, a number is the name of one, or none.
    if order.is_none() && wanted.iter().all(|name| name.parse::<i64>().is_ok()) {
        let advice = "if its columns count the classes, pass --classes FILE with the names in the order of the columns, one a line";
        return Err(format!("{}; {advice}", lacking(headings, classes)));
    }
    if let Some(order) = order {
        return by_order
            .map(|columns| by_numbers(columns, (0..).zip(&order), ", as --classes says"))
            .ok_or_else(|| lacking(headings, classes));
    }
    let mut sorted = wanted.clone();
    sorted.sort_unstable();
    let another = "; --classes FILE says another order";
    if own.are_clear() && wanted.iter().all(|class| own.names().any(|name| name == class)) {
        // Programs count classes up from 0 in the order of the dataset's numbers, whatever these are.
        let order: Vec<String> = own.names().map(str::to_owned).collect();
        let as_dataset = format!(", as the dataset numbers them{another}");
        if let Some(columns) = by_number(&wanted, &names, &order) {
            return Ok(by_numbers(columns, (0..).zip(&order), &as_dataset));
        }
        if !own.are_places()
            && let Some(columns) = by_ids(&wanted, &names, own)
        {
            return Ok(by_numbers(columns, own.iter(), &as_dataset));
        }
        // Of some of its classes, the order by number need not be the one by name.
        let used = order.iter().filter(|name| sorted.contains(name));
        if !used.eq(&sorted) && by_number(&wanted, &names, &sorted).is_some() {
            return Err(format!(
                "its columns are numbers, and which classes they are is not known: the dataset numbers {}, not in the order of \
                 their names, and samples have {} of them; pass --classes FILE with the names in the order of the columns, one a line",
                counted(order.len() as u64, "class", "classes"),
                wanted.len()
            ));
        }
    }
    by_number(&wanted, &names, &sorted)
        .map(|columns| by_numbers(columns, (0..).zip(&sorted), another))
        .ok_or_else(|| lacking(headings, classes))
}

/// Refuses columns that are called like the classes where others are called so with something around each name: flags of 0 and 1 beside
/// probabilities.
fn refuse_twice(columns: &[usize], headings: &[String], lower: &[String]) -> Result<(), String> {
    let mut others: Vec<String> = headings.iter().map(|name| cleaned(name).to_lowercase()).collect();
    columns.iter().for_each(|&column| others[column].clear());
    match between(lower, &others) {
        Ok(None) => Ok(()),
        Ok(Some((others, ..))) => {
            let [one, other] = [columns, &others].map(|all| all.first().map_or("", |&at| &headings[at]));
            Err(format!(
                "each class has two columns, such as '{}' and '{}', and which are probabilities is not known; leave out the others",
                excerpt(one),
                excerpt(other)
            ))
        }
        Err(why) => Err(why),
    }
}

/// Whether columns that are called like the classes have others beside them, with something around each name.
///
/// # Errors
/// When they have, with what to do.
pub(super) fn refuse_ambiguous(headings: &[String], classes: &[String]) -> Result<(), String> {
    let lower: Vec<String> = classes.iter().map(|name| cleaned(name).to_lowercase()).collect();
    match named(headings, classes)? {
        Some(found) if !classes.is_empty() => refuse_twice(&found.columns, headings, &lower),
        _ => Ok(()),
    }
}

/// Columns that are called by numbers of classes, which is said with what else there is to say of it.
fn by_numbers<'a, S: AsRef<str> + 'a>(
    columns: Vec<usize>,
    names: impl Iterator<Item = (u64, S)>,
    advice: &str,
) -> ClassColumns {
    let mut shown: Vec<String> = names
        .take(LISTED + 1)
        .map(|(number, name)| format!("{number} is {}", excerpt(name.as_ref())))
        .collect();
    let more = if shown.len() > LISTED { ", …" } else { "" };
    shown.truncate(LISTED);
    let said = format!("are numbers of classes: {}{more}{advice}", shown.join(", "));
    ClassColumns { columns, said: Some(said) }
}

/// Finds the columns that are called like the classes, with one text before or after all of them, if there are such.
pub(super) fn called(headings: &[String], classes: &[String]) -> Option<ClassColumns> {
    if let Ok(Some(found)) = named(headings, classes) {
        return Some(found);
    }
    let lower =
        |all: &[String]| -> Vec<String> { all.iter().map(|name| cleaned(name).to_lowercase()).collect() };
    let (columns, ..) = between(&lower(classes), &lower(headings)).ok().flatten()?;
    Some(ClassColumns { columns, said: None })
}

/// Whether a column is called like this class, or like this class with what programs write before one.
pub(super) fn is_called(headings: &[String], class: &str) -> bool {
    let class = cleaned(class).to_lowercase();
    let is = |heading: &String| {
        let heading = cleaned(heading).to_lowercase();
        let rest = USUAL.iter().find_map(|usual| heading.strip_suffix(&class)?.eq(*usual).then_some(()));
        heading == class || rest.is_some()
    };
    !class.is_empty() && headings.iter().any(is)
}

/// The classes of columns that are called by numbers from 0, two at least.
pub(super) fn numbered(headings: &[String]) -> Option<Vec<String>> {
    let names: Vec<String> = headings.iter().map(|name| cleaned(name).to_lowercase()).collect();
    let count =
        |before: &str| (0..).take_while(|number| names.contains(&format!("{before}{number}"))).count();
    let all = std::iter::once("").chain(USUAL).map(count).find(|count| *count > 1)?;
    Some((0..all).map(|number| number.to_string()).collect())
}

/// Finds the columns by the names of classes alone.
///
/// # Errors
/// As of [`find`].
pub(super) fn find_named(headings: &[String], classes: &[String]) -> Result<ClassColumns, String> {
    named(headings, classes)?.ok_or_else(|| lacking(headings, classes))
}

fn named(headings: &[String], classes: &[String]) -> Result<Option<ClassColumns>, String> {
    let names: Vec<String> = headings.iter().map(|name| cleaned(name)).collect();
    let wanted: Vec<String> = classes.iter().map(|name| cleaned(name)).collect();
    let twice = |class: &&String| names.iter().filter(|name| name == class).count() > 1;
    if let Some(twice) = wanted.iter().find(twice) {
        return Err(format!("the class '{}' is named twice", excerpt(twice)));
    }
    if let Some(columns) = all(&wanted, &names) {
        return Ok(Some(ClassColumns { columns, said: None }));
    }
    let names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let lower: Vec<String> = wanted.iter().map(|name| name.to_lowercase()).collect();
    let said = "are those of the classes in another case".to_owned();
    Ok(all(&lower, &names).map(|columns| ClassColumns { columns, said: Some(said) }))
}

/// The spelling by which classes are compared.
pub(super) fn cleaned(name: &str) -> String {
    class_names::clean(name).into_owned()
}

/// The place of each name; `None` unless every one is there once.
fn all(wanted: &[String], names: &[String]) -> Option<Vec<usize>> {
    let one = |wanted: &String| {
        let mut found = (0..names.len()).filter(|&at| names[at] == *wanted);
        found.next().filter(|_| found.next().is_none())
    };
    let found: Vec<usize> = wanted.iter().map(one).collect::<Option<_>>()?;
    // Two classes that differ in case have no column each.
    let mut sorted = found.clone();
    sorted.sort_unstable();
    sorted.dedup();
    (sorted.len() == found.len()).then_some(found)
}

/// The columns whose names have one text before and one after the class, the same in all of them.
///
/// # Errors
/// When there are such columns for several texts.
fn between(wanted: &[String], names: &[String]) -> Result<Option<(Vec<usize>, String, String)>, String> {
    let Some(first) = wanted.first().filter(|name| !name.is_empty()) else { return Ok(None) };
    let mut found: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for name in names {
        for (at, _) in name.match_indices(first.as_str()) {
            let (before, after) = (name[..at].to_owned(), name[at + first.len()..].to_owned());
            let full: Vec<String> = wanted.iter().map(|class| format!("{before}{class}{after}")).collect();
            if let Some(columns) = all(&full, names) {
                found.insert((before, after), columns);
            }
        }
    }
    let usual = USUAL.iter().find_map(|usual| found.remove_entry(&((*usual).to_owned(), String::new())));
    if let Some(((before, after), columns)) = usual {
        return Ok(Some((columns, before, after)));
    }
    match found.len() {
        0 | 1 => Ok(found.into_iter().next().map(|((before, after), columns)| (columns, before, after))),
        _ => {
            let sets: Vec<String> = found
                .keys()
                .map(|(before, after)| excerpt(&format!("{before}…{after}")).into_owned())
                .collect();
            Err(format!(
                "several columns may be those of each class ({}); leave out the others, or name them like the classes",
                sets.join(", ")
            ))
        }
    }
}

/// The column of each of these classes, if columns are called by the places of `order`.
pub(super) fn by_place(headings: &[String], wanted: &[String], order: &[String]) -> Option<Vec<usize>> {
    by_number(wanted, &lowered(headings), order)
}

/// The columns that are called by these texts, with one of the usual words before all of them.
pub(super) fn by_text(headings: &[String], texts: &[String]) -> Option<Vec<usize>> {
    let names = lowered(headings);
    std::iter::once("").chain(USUAL).find_map(|before| {
        let full: Vec<String> = texts.iter().map(|text| format!("{before}{text}")).collect();
        all(&full, &names)
    })
}

/// Headings as they are compared.
fn lowered(headings: &[String]) -> Vec<String> {
    headings.iter().map(|name| cleaned(name).to_lowercase()).collect()
}

/// The columns whose names are the numbers of the classes, in this order.
fn by_number(wanted: &[String], names: &[String], order: &[String]) -> Option<Vec<usize>> {
    // A row of 0 and 1 without a heading is not a heading.
    if order.len() < 3 && names.iter().all(|name| name.parse::<f64>().is_ok()) {
        return None;
    }
    let places: Vec<usize> = std::iter::once("").chain(USUAL).find_map(|before| {
        let numbers: Vec<String> = (0..order.len()).map(|number| format!("{before}{number}")).collect();
        // Another number would say that there are more classes.
        let more = names.contains(&format!("{before}{}", order.len()));
        all(&numbers, names).filter(|_| !more)
    })?;
    let place = |class: &String| places.get(order.iter().position(|name| name == class)?).copied();
    wanted.iter().map(place).collect()
}

/// The columns whose names are the ids that the dataset has for the classes.
fn by_ids(wanted: &[String], names: &[String], own: &ClassNumbers) -> Option<Vec<usize>> {
    std::iter::once("").chain(USUAL).find_map(|before| {
        let id = |class: &String| own.number(class).map(|id| format!("{before}{id}"));
        all(&wanted.iter().map(id).collect::<Option<Vec<_>>>()?, names)
    })
}

/// Which class has no column, and what there is.
fn lacking(headings: &[String], classes: &[String]) -> String {
    let free = headings.iter().filter(|name| !names_samples(name));
    let names: Vec<String> = free.map(|name| cleaned(name)).collect();
    let missing = classes.iter().find(|class| !names.contains(&cleaned(class)));
    let class = missing.or(classes.first()).map_or("", String::as_str);
    format!(
        "the class '{}' has no column of probabilities{} (columns: {}; classes: {})",
        excerpt(class),
        hint(class, names.iter().map(String::as_str)),
        listed(headings),
        listed(classes)
    )
}

/// Names for a message, the first ones only.
pub(super) fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("'{}'", excerpt(name))).collect();
    format!("{}{}", shown.join(", "), if names.len() > LISTED { ", …" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(
        headings: &str,
        classes: &str,
        order: Option<&str>,
    ) -> Result<(Vec<usize>, Option<String>), String> {
        let list = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        let none = ClassNumbers::default();
        let found = find(&list(headings), &list(classes), order.map(list).as_deref(), &none)?;
        Ok((found.columns, found.said))
    }

    #[test]
    fn numbers_are_those_of_the_dataset_where_it_has_some() {
        let list = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        let find = |headings: &str, classes: &str, own: &ClassNumbers| {
            let found = super::find(&list(headings), &list(classes), None, own)?;
            Ok::<_, String>((found.columns, found.said.unwrap_or_default()))
        };
        let schema = ClassNumbers::of_list(["cow", "ant", "bee"]);
        let (columns, said) = find("path prob_0 prob_1 prob_2", "ant bee cow", &schema).unwrap();
        assert_eq!(columns, [2, 3, 1]);
        assert!(said.contains("0 is cow, 1 is ant, 2 is bee, as the dataset numbers them"), "{said}");
        // No sample has the class bee.
        assert_eq!(find("0 1 2", "ant cow", &schema).unwrap().0, [1, 0]);
        let error = find("path 0 1", "ant cow", &schema).unwrap_err();
        assert!(
            error.contains("the dataset numbers 3 classes") && error.contains("--classes FILE"),
            "{error}"
        );
        let by_name = ClassNumbers::of_list(["ant", "bee", "cow"]);
        assert_eq!(find("path 0 1", "ant cow", &by_name).unwrap().0, [1, 2], "one order either way");
        // Categories with ids.
        let coco = ClassNumbers::of_ids([(1, "cow"), (2, "ant"), (5, "bee")]);
        assert_eq!(find("0 1 2", "ant bee cow", &coco).unwrap().0, [1, 2, 0]);
        let (columns, said) = find("path 1 2 5", "ant bee cow", &coco).unwrap();
        assert_eq!(columns, [2, 3, 1]);
        assert!(said.contains("1 is cow, 2 is ant, 5 is bee"), "{said}");
        // Names count whatever numbers there are.
        assert_eq!(find("ant bee cow", "ant bee cow", &schema).unwrap().0, [0, 1, 2]);
    }

    #[test]
    fn classes_are_found_by_name_case_affix_and_number() {
        for (headings, classes, order, columns) in [
            ("path dog cat", "cat dog", None, vec![2, 1]),
            ("path Dog CAT", "cat dog", None, vec![2, 1]),
            ("prob_dog prob_cat", "cat dog", None, vec![1, 0]),
            ("P_Dog P_Cat cat_note", "cat dog", None, vec![1, 0]),
            ("dog_prob cat_prob", "cat dog", None, vec![1, 0]),
            // The usual ones come first.
            ("true_cat true_dog pred_cat pred_dog", "cat dog", None, vec![2, 3]),
            ("path 1 0", "cat dog", None, vec![2, 1]),
            ("2 1 0", "cat cow dog", None, vec![2, 1, 0]),
            ("prob_0 prob_1", "cat dog", Some("dog cat"), vec![1, 0]),
            ("path 0 1 2", "cat dog", Some("dog frog cat"), vec![3, 1]),
            // Classes that are numbers are their names.
            ("path 10 9", "9 10", None, vec![2, 1]),
        ] {
            assert_eq!(of(headings, classes, order).unwrap().0, columns, "{headings}");
        }
        assert_eq!(of("path dog cat", "cat dog", None).unwrap().1, None);
        let said = of("path 1 0", "cat dog", None).unwrap().1.unwrap();
        assert_eq!(said, "are numbers of classes: 0 is cat, 1 is dog; --classes FILE says another order");
    }

    #[test]
    fn what_is_not_found_names_both_lists() {
        for (headings, classes) in [
            ("path cat", "cat dog"),
            ("path 0 1 2", "cat dog"),
            ("0 1", "cat dog"),
            ("CAT Cat dog", "cat dog"),
            ("path score", "cat dog"),
        ] {
            let error = of(headings, classes, None).unwrap_err();
            assert!(error.contains(" (columns: '") && error.ends_with("; classes: 'cat', 'dog')"), "{error}");
        }
        for headings in ["path 0 1 2 3", "prob_0 prob_1 prob_2 prob_3"] {
            assert!(of(headings, "0 1 10 2", None).unwrap_err().contains("has no column of probabilities"));
            assert!(of(headings, "0 1 10 2", Some("0 1 2 10")).is_ok());
        }
        // Numbers that may be names or places, where these are not the same.
        for headings in ["path 0 1 2", "path prob_0 prob_1 prob_2"] {
            assert!(of(headings, "0 1 2", Some("2 0 1")).unwrap_err().contains("leave out --classes"));
            assert_eq!(of(headings, "0 1 2", Some("0 1 2")).unwrap().0, [1, 2, 3]);
        }
        let error = of("a_cat a_dog b_cat b_dog", "cat dog", None).unwrap_err();
        assert!(error.contains("(a_…, b_…)"), "{error}");
        assert!(of("cat cat dog", "cat dog", None).unwrap_err().contains("'cat' is named twice"));
    }
}
