//! What the messages of a worker look like, to say in the words of their author what is wrong with one that cannot be read.
//! What is read follows from the types of `message`; a test holds both equal.

use chaffinch_data::nearest::hint;
use serde_json::{Map, Value};

/// What a value may be.
#[derive(Debug)]
enum Shape {
    Text,
    Number,
    /// A whole number of at least 0 and at most this.
    Whole(u64),
    OneOf(&'static [&'static str]),
    List(&'static Shape),
    /// A list of exactly these.
    Row(&'static [Shape]),
    Object(&'static [Field]),
    OrNull(&'static Shape),
}

/// A field of an object. What is not named here may stand there, too.
#[derive(Debug)]
struct Field {
    name: &'static str,
    shape: Shape,
    needed: bool,
}

const fn needed(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, needed: true }
}

const fn optional(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, needed: false }
}

const WHOLE: Shape = Shape::Whole(u64::MAX);
/// The number of a sample, a label or a version.
const SMALL: Shape = Shape::Whole(u32::MAX as u64);
const SMALL_OR_NULL: Shape = Shape::OrNull(&SMALL);
const OUT: &[Field] = &[needed("offset", WHOLE), needed("length", WHOLE)];
const OUT_OR_NULL: Shape = Shape::OrNull(&Shape::Object(OUT));
const NUMBERS: Shape = Shape::OrNull(&Shape::List(&Shape::OrNull(&Shape::Number)));
const HASHES: Shape = Shape::OneOf(&["phash", "dhash", "turned-phash"]);
const ITEM: &[Field] = &[
    needed("sample", WHOLE),
    needed("score", Shape::Number),
    optional("suggested", SMALL_OR_NULL),
    optional("group", SMALL_OR_NULL),
    optional("related", Shape::List(&Shape::Row(&[SMALL, Shape::Number]))),
    optional("reason", Shape::Text),
];
const EDGES: &[Shape] = &[Shape::Number, Shape::Number, Shape::Number, Shape::Number];
const BOX: &[Field] = &[needed("edges", Shape::Row(EDGES)), optional("label", Shape::Text)];
const REGIONS: &[Field] = &[needed("sample", WHOLE), needed("boxes", Shape::List(&Shape::Object(BOX)))];

/// Objects by a name, and their other fields.
type Kinds = &'static [(&'static str, &'static [Field])];

const REQUEST: &str = "request";

/// The messages that are documented, by their type.
const MESSAGES: Kinds = &[
    ("hello", &[needed("protocol", SMALL), optional("revision", SMALL)]),
    (REQUEST, &[needed("id", WHOLE)]),
    ("alive", &[]),
    ("progress", &[needed("done", WHOLE), needed("total", WHOLE)]),
    ("log", &[optional("level", SMALL), needed("text", Shape::Text)]),
    ("note", &[needed("name", Shape::Text), needed("text", Shape::Text)]),
    ("scores", &[optional("values", NUMBERS), optional("out", OUT_OR_NULL)]),
    ("issues", &[needed("items", Shape::List(&Shape::Object(ITEM)))]),
    (
        "attribute",
        &[
            needed("name", Shape::Text),
            optional("unit", Shape::Text),
            optional("values", NUMBERS),
            optional("out", OUT_OR_NULL),
        ],
    ),
    (
        "finding",
        &[
            needed("severity", Shape::Text),
            needed("text", Shape::Text),
            optional("evidence", Shape::List(&SMALL)),
        ],
    ),
    ("regions", &[needed("items", Shape::List(&Shape::Object(REGIONS)))]),
    ("done", &[]),
    (
        "failed",
        &[needed("message", Shape::Text), optional("kind", Shape::OneOf(&["failed", "missing", "stopped"]))],
    ),
];

/// The requests, by what they ask for.
const REQUESTS: Kinds = &[
    ("embeddings", &[]),
    ("neighbors", &[needed("k", WHOLE)]),
    ("similarities", &[needed("vectors", Shape::Object(OUT)), needed("count", WHOLE)]),
    ("block", &[needed("rows", Shape::List(&SMALL)), needed("cols", Shape::List(&SMALL))]),
    ("model", &[]),
    ("embed-texts", &[needed("texts", Shape::List(&Shape::Text))]),
    ("prompts", &[optional("class", SMALL_OR_NULL)]),
    ("hashes", &[needed("hash", HASHES)]),
    ("near-hashes", &[needed("hash", HASHES), needed("radius", SMALL)]),
    ("probabilities", &[]),
    ("pixels", &[needed("from", WHOLE), optional("count", WHOLE), optional("max_side", SMALL)]),
    ("column", &[needed("name", Shape::Text)]),
    ("column-numbers", &[needed("name", Shape::Text)]),
    ("labels-of", &[needed("name", Shape::Text)]),
    ("scores-of", &[needed("detector", Shape::Text)]),
    ("kept", &[needed("name", Shape::Text), optional("version", SMALL_OR_NULL)]),
    ("keep", &[needed("name", Shape::Text), needed("bytes", Shape::Object(OUT))]),
];

/// The names of all messages of a worker, and of all that it can ask for: what a test of them must cover.
pub fn message_names() -> (Vec<&'static str>, Vec<&'static str>) {
    let names = |kinds: Kinds| kinds.iter().map(|(name, _)| *name).collect();
    (names(MESSAGES), names(REQUESTS))
}

/// What is wrong with an object as a message, as a clause about its line; `None` if that cannot be told.
pub(super) fn wrong(message: &Map<String, Value>) -> Option<String> {
    let (kind, more) = match chosen(message, "type", MESSAGES) {
        Ok(chosen) => chosen,
        Err(clause) => return Some(clause),
    };
    let first = wrong_field(message, more, "");
    if *kind != REQUEST || first.is_some() {
        return first;
    }
    match chosen(message, "what", REQUESTS) {
        Ok((_, more)) => wrong_field(message, more, ""),
        Err(clause) => Some(clause),
    }
}

/// The kind that an object names under a key.
fn chosen(
    message: &Map<String, Value>,
    key: &str,
    kinds: Kinds,
) -> Result<&'static (&'static str, &'static [Field]), String> {
    let names = || kinds.iter().map(|(name, _)| *name);
    let listed = || names().collect::<Vec<_>>().join(", ");
    match message.get(key) {
        None => Err(format!("which has no \"{key}\" (one of {})", listed())),
        Some(Value::String(name)) => kinds.iter().find(|(known, _)| known == name).ok_or_else(|| {
            let hint = hint(name, names());
            format!("whose {key} '{}' is unknown (it is one of {}{hint})", shortened(name, NAME), listed())
        }),
        Some(other) => Err(format!("whose {key} is {} (it is one of {})", words(other), listed())),
    }
}

fn wrong_field(object: &Map<String, Value>, fields: &[Field], above: &str) -> Option<String> {
    fields.iter().find_map(|field| {
        let place = format!("{above}{}", field.name);
        match object.get(field.name) {
            None => {
                field.needed.then(|| format!("which has no {place} ({} is expected)", field.shape.words()))
            }
            Some(value) => field.shape.wrong(value, &place),
        }
    })
}

impl Shape {
    /// What is wrong with a value at a place, as a clause.
    fn wrong(&self, value: &Value, place: &str) -> Option<String> {
        if self.fits(value) {
            return self.wrong_inside(value, place);
        }
        Some(format!("in which {place} is {} ({} is expected)", words(value), self.words()))
    }

    /// Whether a value is of this kind, whatever is in it.
    fn fits(&self, value: &Value) -> bool {
        match self {
            Shape::Text => value.is_string(),
            Shape::Number => value.is_number(),
            Shape::Whole(most) => value.as_u64().is_some_and(|number| number <= *most),
            Shape::OneOf(names) => value.as_str().is_some_and(|name| names.contains(&name)),
            Shape::List(_) => value.is_array(),
            Shape::Row(shapes) => value.as_array().is_some_and(|values| values.len() == shapes.len()),
            Shape::Object(_) => value.is_object(),
            Shape::OrNull(inner) => value.is_null() || inner.fits(value),
        }
    }

    fn wrong_inside(&self, value: &Value, place: &str) -> Option<String> {
        let mut values = value.as_array().map(Vec::as_slice).unwrap_or_default().iter().enumerate();
        let at = |number: usize| format!("{place}[{number}]");
        match self {
            Shape::List(inner) => values
                .find(|(_, value)| !inner.fits(value) || inner.wrong_inside(value, "").is_some())
                .and_then(|(number, value)| inner.wrong(value, &at(number))),
            Shape::Row(shapes) => {
                values.zip(*shapes).find_map(|((number, value), shape)| shape.wrong(value, &at(number)))
            }
            Shape::Object(fields) => wrong_field(value.as_object()?, fields, &format!("{place}.")),
            Shape::OrNull(inner) if !value.is_null() => inner.wrong_inside(value, place),
            _ => None,
        }
    }

    /// What is expected.
    fn words(&self) -> String {
        match self {
            Shape::Text => "a text".into(),
            Shape::Number => "a number".into(),
            Shape::Whole(u64::MAX) => "a whole number of at least 0".into(),
            Shape::Whole(most) => format!("a whole number from 0 to {most}"),
            Shape::OneOf(names) => format!("one of {}", names.join(", ")),
            Shape::List(_) => "a list".into(),
            Shape::Row(shapes) => format!("a list of {} numbers", shapes.len()),
            Shape::Object(_) => "an object".into(),
            Shape::OrNull(inner) => format!("{} or null", inner.words()),
        }
    }
}

/// The longest name or text in a sentence, in characters.
const NAME: usize = 40;

/// What a value is.
pub(super) fn words(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("the text '{}'", shortened(text, NAME)),
        Value::Array(values) if values.len() == 1 => "a list of one value".into(),
        Value::Array(values) => format!("a list of {} values", values.len()),
        Value::Object(_) => "an object".into(),
    }
}

/// The beginning of a text, without control characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let mut characters = text.chars().map(|c| if c.is_control() { '·' } else { c });
    let mut short: String = characters.by_ref().take(most).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::message::FromWorker;
    use serde_json::json;

    /// A value of this shape.
    fn right(shape: &Shape) -> Value {
        match shape {
            Shape::Text => json!("t"),
            Shape::Number => json!(0.5),
            Shape::Whole(_) => json!(1),
            Shape::OneOf(names) => json!(names[names.len() - 1]),
            Shape::List(inner) => json!([right(inner)]),
            Shape::Row(shapes) => shapes.iter().map(right).collect(),
            Shape::Object(fields) => full(fields).into(),
            Shape::OrNull(inner) => right(inner),
        }
    }

    /// Values that are not of this shape, each with the place below it that is to be named.
    fn others(shape: &Shape) -> Vec<(Value, String)> {
        let here = |values: Vec<Value>| -> Vec<(Value, String)> {
            values.into_iter().map(|value| (value, String::new())).collect()
        };
        match shape {
            Shape::Text => here(vec![json!(7), json!(["t"])]),
            Shape::Number => here(vec![json!("0.5"), json!([1])]),
            Shape::Whole(most) => {
                let mut all = vec![json!(-1), json!(0.5), json!("1")];
                all.extend((*most < u64::MAX).then(|| json!(most + 1)));
                here(all)
            }
            Shape::OneOf(_) => here(vec![json!("nonsense"), json!(1)]),
            Shape::List(inner) => {
                let inside = others(inner).into_iter();
                let inside =
                    inside.map(|(value, place)| (json!([right(inner), value]), format!("[1]{place}")));
                here(vec![json!("t"), json!(1)]).into_iter().chain(inside).collect()
            }
            Shape::Row(shapes) => {
                let mut longer: Vec<Value> = shapes.iter().map(right).collect();
                longer.push(json!(1));
                let mut all = here(vec![json!([]), json!(1), longer.into()]);
                for (number, shape) in shapes.iter().enumerate() {
                    all.extend(others(shape).into_iter().map(|(value, place)| {
                        let mut row: Vec<Value> = shapes.iter().map(right).collect();
                        row[number] = value;
                        (row.into(), format!("[{number}]{place}"))
                    }));
                }
                all
            }
            Shape::Object(fields) => {
                let inside = lacking(fields).chain(mistaken(fields));
                let inside = inside.map(|(value, place)| (value.into(), format!(".{place}")));
                here(vec![json!(1), json!("t")]).into_iter().chain(inside).collect()
            }
            Shape::OrNull(inner) => others(inner),
        }
    }

    fn full(fields: &[Field]) -> Map<String, Value> {
        fields.iter().map(|field| (field.name.to_owned(), right(&field.shape))).collect()
    }

    /// Objects each of which lacks a field that it needs.
    fn lacking(fields: &[Field]) -> impl Iterator<Item = (Map<String, Value>, String)> {
        fields.iter().filter(|field| field.needed).map(|field| {
            let mut object = full(fields);
            object.remove(field.name);
            (object, field.name.to_owned())
        })
    }

    /// Objects each of which has something wrong in one field.
    fn mistaken(fields: &[Field]) -> impl Iterator<Item = (Map<String, Value>, String)> {
        fields.iter().flat_map(|field| {
            others(&field.shape).into_iter().map(|(value, place)| {
                let mut object = full(fields);
                object.insert(field.name.to_owned(), value);
                (object, format!("{}{place}", field.name))
            })
        })
    }

    fn read(message: &Map<String, Value>) -> Result<FromWorker, serde_json::Error> {
        serde_json::from_str(&Value::from(message.clone()).to_string())
    }

    /// Every message with its own fields and those of a request in it.
    fn all() -> Vec<(Map<String, Value>, Vec<&'static Field>)> {
        let named = |key: &str, name: &str| Map::from_iter([(key.to_owned(), Value::from(name))]);
        let mut all = Vec::new();
        for (name, fields) in MESSAGES {
            if *name != REQUEST {
                all.push((named("type", name), fields.iter().collect()));
                continue;
            }
            for (what, more) in REQUESTS {
                let mut message = named("type", name);
                message.extend(named("what", what));
                all.push((message, fields.iter().chain(more.iter()).collect()));
            }
        }
        all
    }

    #[test]
    fn what_is_read_and_what_is_explained_are_the_same() {
        for (named, fields) in all() {
            let whole = |object: Map<String, Value>| {
                let mut message = named.clone();
                message.extend(object);
                message
            };
            let filled = |wanted: &dyn Fn(&Field) -> bool| {
                let fields = fields.iter().filter(|field| wanted(field));
                whole(fields.map(|field| (field.name.to_owned(), right(&field.shape))).collect())
            };
            for message in [filled(&|_| true), filled(&|field| field.needed)] {
                assert!(read(&message).is_ok(), "{message:?}: {:?}", read(&message));
                assert_eq!(wrong(&message), None, "{message:?}");
            }
            for field in &fields {
                let rest = filled(&|other| other.name != field.name);
                assert_eq!((read(&rest).is_err(), wrong(&rest).is_some()), (field.needed, field.needed));
                for (value, place) in others(&field.shape) {
                    let mut message = filled(&|_| true);
                    message.insert(field.name.to_owned(), value);
                    assert!(read(&message).is_err(), "{message:?} is read");
                    let said = wrong(&message).unwrap_or_default();
                    let place = format!("{}{place}", field.name);
                    let named = [format!("in which {place} is "), format!("which has no {place} (")];
                    assert!(named.iter().any(|words| said.starts_with(words)), "{message:?}: {said}");
                }
            }
        }
    }

    /// The names of messages and requests are those that are read.
    #[test]
    fn all_names_are_known() {
        for (key, kinds, unknown) in [
            ("type", MESSAGES, json!({"type": "?"})),
            ("what", REQUESTS, json!({"type": "request", "id": 1, "what": "?"})),
        ] {
            let error = serde_json::from_value::<FromWorker>(unknown.clone()).unwrap_err().to_string();
            let expected: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
            // Only our own process for libraries says that.
            let expected = expected.into_iter().filter(|name| *name != "unusable");
            assert!(expected.eq(kinds.iter().map(|(name, _)| *name)), "{key}: {error}");
            let said = wrong(unknown.as_object().unwrap()).unwrap();
            assert!(said.starts_with(&format!("whose {key} '?' is unknown (it is one of ")), "{said}");
        }
    }

    #[test]
    fn a_mistyped_name_gets_the_nearest_one() {
        let said = wrong(json!({"type": "score"}).as_object().unwrap()).unwrap();
        assert!(said.ends_with("; did you mean 'scores'?)"), "{said}");
        let said = wrong(json!({"values": []}).as_object().unwrap()).unwrap();
        assert!(said.starts_with("which has no \"type\" (one of hello, "), "{said}");
        let said = wrong(json!({"type": 3}).as_object().unwrap()).unwrap();
        assert!(said.starts_with("whose type is 3 (it is one of hello, "), "{said}");
    }
}
