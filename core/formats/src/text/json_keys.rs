//! Keys that are written twice in one object of a JSON text. Which of their values counts differs between programs, so that no
//! reader may choose.

use chaffinch_protocol::display::excerpt;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt::{self, Formatter};

/// Reads a JSON text in which no object has a key twice.
///
/// # Errors
/// When one has, or the text is not JSON or something else than `T`, with the line and the column.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    check(text)?;
    serde_json::from_slice(text)
}

/// Checks that a text is JSON in which no object has a key twice.
///
/// # Errors
/// As of [`read`].
pub(crate) fn check(text: &[u8]) -> serde_json::Result<()> {
    serde_json::from_slice::<Checked>(text).map(|_| ())
}

/// A value of any kind in which no key is repeated.
struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Checked, D::Error> {
        deserializer.deserialize_any(Checked)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = Checked;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Checked, A::Error> {
        let mut seen: HashSet<String> = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if seen.contains(&key) {
                let key = excerpt(&key);
                return Err(A::Error::custom(format!("the key '{key}' is there twice; keep one of them")));
            }
            seen.insert(key);
            map.next_value::<Checked>()?;
        }
        Ok(Checked)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Checked, A::Error> {
        while all.next_element::<Checked>()?.is_some() {}
        Ok(Checked)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_str<E>(self, _: &str) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_unit<E>(self) -> Result<Checked, E> {
        Ok(Checked)
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use serde_json::Value;

    fn check(text: &[u8]) -> serde_json::Result<Value> {
        read(text)
    }

    #[test]
    fn keys_that_are_there_twice_are_found_wherever_they_are() {
        for fine in
            [r#"{"a": 1, "b": {"a": [null, true, -1.5, "x", {"a": {}}]}}"#, "[]", "3", "\"a\"", "[{},{}]"]
        {
            assert!(check(fine.as_bytes()).is_ok(), "{fine}");
        }
        for (twice, place) in [
            (r#"{"label": "cat", "label": "dog"}"#, "line 1 column"),
            ("[{\"a\": 1},\n {\"label\": 1, \"b\": [], \"\\u006cabel\": 1}]", "line 2 column"),
            (r#"{"x": [{"y": {"label": 1, "label": 1}}]}"#, "line 1 column"),
        ] {
            let error = check(twice.as_bytes()).unwrap_err();
            assert!(
                error.is_data() && error.to_string().contains("the key 'label' is there twice"),
                "{error}"
            );
            assert!(error.to_string().contains(place), "{error}");
        }
        assert!(check(b"{\"a\": 1").unwrap_err().is_eof());
    }
}
