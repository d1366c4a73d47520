//! Reading JSON that nobody vouches for, in bounded memory.
//!
//! Values of unknown fields are never kept. Of a list, an element of a wrong type is counted instead of failing its neighbours, and a whole
//! document has a limit of elements.

use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// All lists of a document have so many elements together at most.
const MOST_ELEMENTS: usize = 400_000;

thread_local! {
    /// Elements that may still come, and those that were not understood, of the document that this thread reads.
    static LEFT: Cell<usize> = const { Cell::new(0) };
    static STRANGE: Cell<usize> = const { Cell::new(0) };
}

/// Reads a document; besides it, how many elements of its lists were not understood.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), String> {
    LEFT.set(MOST_ELEMENTS);
    STRANGE.set(0);
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    // A list may be `null`, a document may not.
    if bytes.trim_ascii() == b"null" {
        return Err("its report is empty".to_owned());
    }
    // serde_json's words tell the place and the kind, and may quote a value: none of it is shown.
    let value = serde_json::from_slice(bytes).map_err(|error| {
        let what = match error.classify() {
            _ if LEFT.get() == 0 => "has too many elements",
            serde_json::error::Category::Eof => "ends too early",
            serde_json::error::Category::Data => "is of another form than is known",
            _ => "is malformed",
        };
        format!("its report {what} (line {}, column {})", error.line(), error.column())
    })?;
    Ok((value, STRANGE.get()))
}

/// A list; `null` is an empty one, as Go writes it.
#[derive(Debug)]
pub(super) struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'de, T: DeserializeOwned> serde::Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for Elements<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E>(self) -> Result<Vec<T>, E> {
                Ok(Vec::new())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(raw) = elements.next_element::<&RawValue>()? {
                    all.extend(element(raw)?);
                }
                Ok(all)
            }
        }
        deserializer.deserialize_any(Elements(PhantomData)).map(Self)
    }
}

/// Takes one element off what may still come.
fn count<E: serde::de::Error>() -> Result<(), E> {
    match LEFT.get().checked_sub(1) {
        Some(left) => LEFT.set(left),
        None => return Err(E::custom("too many elements")),
    }
    Ok(())
}

/// A value of a list or an object; an error only when there are too many.
fn element<T: DeserializeOwned, E: serde::de::Error>(raw: &RawValue) -> Result<Option<T>, E> {
    count()?;
    match serde_json::from_str(raw.get()) {
        Ok(value) => Ok(Some(value)),
        Err(_) if LEFT.get() == 0 => Err(E::custom("too many elements")),
        Err(_) => {
            STRANGE.set(STRANGE.get() + 1);
            Ok(None)
        }
    }
}

/// The fields of an object whose names are not known.
#[derive(Debug)]
pub(super) struct Map<T>(BTreeMap<String, T>);

impl<T> Default for Map<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Deref for Map<T> {
    type Target = BTreeMap<String, T>;

    fn deref(&self) -> &BTreeMap<String, T> {
        &self.0
    }
}

impl<'de, T: DeserializeOwned> serde::Deserialize<'de> for Map<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for Fields<T> {
            type Value = BTreeMap<String, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(BTreeMap::new())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
                let mut all = BTreeMap::new();
                while let Some((name, raw)) = fields.next_entry::<String, &RawValue>()? {
                    if let Some(value) = element(raw)? {
                        all.insert(name, value);
                    }
                }
                Ok(all)
            }
        }
        deserializer.deserialize_any(Fields(PhantomData)).map(Self)
    }
}

/// One text or a list of them, as some tools write it either way.
#[derive(Debug, Default)]
pub(super) struct Texts(Vec<String>);

impl Deref for Texts {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

impl<'de> serde::Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Vec<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_unit<E>(self) -> Result<Vec<String>, E> {
                Ok(Vec::new())
            }

            fn visit_str<E>(self, text: &str) -> Result<Vec<String>, E> {
                Ok(vec![text.to_owned()])
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<String>, A::Error> {
                let mut all = Vec::new();
                while let Some(text) = elements.next_element::<Text>()? {
                    count()?;
                    all.push(text.0);
                }
                Ok(all)
            }
        }
        deserializer.deserialize_any(OneOrMore).map(Self)
    }
}

/// A text; a number or a truth value is taken as it is written, `null` as nothing.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text(String);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Text {
    /// The text, unless it is empty.
    pub(super) fn some(&self) -> Option<String> {
        (!self.0.trim().is_empty()).then(|| self.0.clone())
    }
}

impl<'de> serde::Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;
        impl Visitor<'_> for Scalar {
            type Value = String;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_unit<E>(self) -> Result<String, E> {
                Ok(String::new())
            }

            fn visit_str<E>(self, text: &str) -> Result<String, E> {
                Ok(text.to_owned())
            }

            fn visit_bool<E>(self, value: bool) -> Result<String, E> {
                Ok(value.to_string())
            }

            fn visit_u64<E>(self, value: u64) -> Result<String, E> {
                Ok(value.to_string())
            }

            fn visit_i64<E>(self, value: i64) -> Result<String, E> {
                Ok(value.to_string())
            }

            fn visit_f64<E>(self, value: f64) -> Result<String, E> {
                Ok(value.to_string())
            }
        }
        deserializer.deserialize_any(Scalar).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Item {
        name: Text,
        parts: List<Text>,
    }

    #[test]
    fn one_strange_element_does_not_fail_its_neighbours() {
        let (items, strange): (List<Item>, _) = parse(br#"[{"name":"a","parts":null,"more":[{}]},{"name":{}},7,{"name":1.5,"parts":["x",[],true]}]"#).unwrap();
        assert_eq!((items.len(), strange), (2, 3));
        assert_eq!((&*items[1].name, &*items[1].parts[1]), ("1.5", "true"));
    }

    #[test]
    fn hostile_documents_are_refused_in_words() {
        let refused = |bytes: &[u8]| parse::<List<Item>>(bytes).unwrap_err();
        assert!(refused(b"[{\"name\":\"").contains("ends too early"));
        assert!(refused(b"{}").contains("another form"));
        assert!(refused(b"[\"\xff\"]").contains("malformed"));
        assert!(refused(format!("[{}{{}}]", "{},".repeat(MOST_ELEMENTS)).as_bytes()).contains("too many"));
        assert!(refused(format!("[{{\"parts\":[{}1]}}]", "1,".repeat(MOST_ELEMENTS)).as_bytes()).contains("too many"));
        let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        let (items, strange): (List<Item>, _) = parse(deep.as_bytes()).unwrap();
        assert_eq!((items.len(), strange), (0, 1));
    }
}
