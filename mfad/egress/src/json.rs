//! JSON as one document that can mean one thing only.
//!
//! Refuses what parsers differ on: a key that stands twice, bytes after the end, text that is not UTF-8. Of two
//! values of one key, some take the first and some the last; a verdict must not depend on that.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// The bytes are not one JSON document. Does not say what they are.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the answer is not JSON, or a key stands in it twice")]
pub struct NotJson;

/// Reads one document.
pub fn parse(bytes: &[u8]) -> Result<Value, NotJson> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let Strict(value) = Strict::deserialize(&mut deserializer).map_err(|_| NotJson)?;
    deserializer.end().map_err(|_| NotJson)?;
    Ok(value)
}

/// A value without a key that stands twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            let Strict(value) = object.next_value()?;
            if values.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn documents_that_mean_one_thing_are_read() {
        for text in
            [r#"{"result":true}"#, " {\n\"a\" : [1, -2, 2.5, \"x\", null, {\"b\":{}}] } ", "true", "[]"]
        {
            assert_eq!(
                parse(text.as_bytes()).unwrap(),
                serde_json::from_str::<Value>(text).unwrap(),
                "{text}"
            );
        }
    }

    #[test]
    fn documents_that_could_mean_another_are_refused() {
        for text in [
            r#"{"result":false,"result":true}"#,
            r#"{"result":true,"result":true}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"[{"b":1,"b":2}]"#,
            "{\"result\":true,\"r\\u0065sult\":false}",
            r#"{"result":true}{"result":false}"#,
            r#"{"result":true} x"#,
            r#"{"result":true"#,
            r#"{"result":true,}"#,
            r"{result:true}",
            "{'result':true}",
            "",
            "<html></html>",
            "\u{feff}{\"result\":true}",
            "{\"result\":NaN}",
        ] {
            assert_eq!(parse(text.as_bytes()), Err(NotJson), "{text}");
        }
        assert_eq!(parse(b"{\"result\":true,\"\xff\":1}"), Err(NotJson));
        assert_eq!(parse("[".repeat(100_000).as_bytes()), Err(NotJson));
    }

    proptest! {
        #[test]
        fn no_bytes_upset_it_and_what_is_read_is_json(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(value) = parse(&bytes) {
                prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), value);
            }
        }
    }
}
