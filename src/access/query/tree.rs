//! A question file as values that know where they stand, whether it is TOML or JSON.

use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

use super::Fault;

/// How deep values may stand inside each other: far more than anybody writes, and few enough for any stack.
const DEEPEST: usize = 32;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Bytes from the start of the text.
    pub(super) at: usize,
    pub(super) value: Value,
}

/// What stands there.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// Something that no question holds, in words.
    Other(&'static str),
}

/// One member of a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Bytes from the start of the text to the key.
    pub(super) at: usize,
    pub(super) node: Node,
}

impl Node {
    /// What it is, for a sentence that says what was expected instead.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "a text",
            Value::Flag(_) => "true or false",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other(kind) => kind,
        }
    }
}

/// The form of a question file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Toml,
    Json,
}

impl Form {
    /// By the end of the name; else by how the text begins: `[` opens a header in TOML and a list of objects in JSON.
    pub(super) fn of(name: &str, text: &str) -> Self {
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        if end.eq_ignore_ascii_case("toml") {
            return Self::Toml;
        }
        if end.eq_ignore_ascii_case("json") {
            return Self::Json;
        }
        let mut marks = text.chars().filter(|character| !character.is_whitespace());
        match (marks.next(), marks.next()) {
            (Some('{'), _) | (Some('['), Some('{' | ']')) => Self::Json,
            _ => Self::Toml,
        }
    }
}

/// Reads a text.
pub(super) fn read(text: &str, form: Form) -> Result<Node, Fault> {
    match form {
        Form::Toml => {
            let table = DeTable::parse(text).map_err(|error| {
                let what = error.message().lines().next().unwrap_or("not valid TOML");
                Fault::at(error.span().map_or(0, |span| span.start), what)
            })?;
            let at = table.span().start;
            Ok(Node {
                at,
                value: toml_table(table.get_ref()),
            })
        }
        Form::Json => {
            let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
                let place = offset(text, error.line(), error.column());
                Fault::at(place, without_place(&error.to_string()))
            })?;
            json(text, raw, 0)
        }
    }
}

fn toml_table(table: &DeTable<'_>) -> Value {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().as_ref().to_owned(),
            at: key.span().start,
            node: toml_node(value),
        })
        .collect();
    // As they are written: the first mistake is the one that is told.
    entries.sort_by_key(|entry| entry.at);
    Value::Table(entries)
}

/// The parser itself bounds how deep values stand.
fn toml_node(node: &toml::Spanned<DeValue<'_>>) -> Node {
    let value = match node.get_ref() {
        DeValue::String(text) => Value::Text(text.as_ref().to_owned()),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Array(list) => Value::List(list.iter().map(toml_node).collect()),
        DeValue::Table(table) => toml_table(table),
        DeValue::Integer(_) | DeValue::Float(_) => Value::Other("a number"),
        DeValue::Datetime(_) => Value::Other("a date"),
    };
    Node {
        at: node.span().start,
        value,
    }
}

/// The members of a JSON object, in order, those that are named twice twice.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> de::Deserialize<'de> for Members<'de> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}

/// `raw` is a part of `text`: where it lies in memory tells where it stands.
fn json(text: &str, raw: &RawValue, depth: usize) -> Result<Node, Fault> {
    let source = raw.get();
    let at = (source.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    if depth > DEEPEST {
        return Err(Fault::at(at, "this stands too deep inside other values"));
    }
    let wrong = |error: serde_json::Error| Fault::at(at, without_place(&error.to_string()));
    let value = match source.bytes().next() {
        Some(b'{') => {
            let Members(members) = serde_json::from_str(source).map_err(wrong)?;
            let mut entries: Vec<Entry> = Vec::with_capacity(members.len());
            let mut end = at + 1;
            for (key, value) in members {
                // Between two values there are blanks, a comma, and the key in its quotes.
                let key_at = text
                    .get(end..)
                    .and_then(|rest| rest.find('"'))
                    .map_or(end, |ahead| end + ahead);
                if entries.iter().any(|entry| entry.key == key) {
                    return Err(Fault::at(key_at, format!("`{key}` stands here twice")));
                }
                let node = json(text, value, depth + 1)?;
                end = node.at + value.get().len();
                entries.push(Entry {
                    key,
                    at: key_at,
                    node,
                });
            }
            Value::Table(entries)
        }
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(source).map_err(wrong)?;
            let nodes = list.into_iter().map(|value| json(text, value, depth + 1));
            Value::List(nodes.collect::<Result<_, _>>()?)
        }
        Some(b'"') => Value::Text(serde_json::from_str(source).map_err(wrong)?),
        Some(b't') => Value::Flag(true),
        Some(b'f') => Value::Flag(false),
        Some(b'n') => Value::Other("null"),
        _ => Value::Other("a number"),
    };
    Ok(Node { at, value })
}

/// Where a line and a column, counted from 1 and in bytes, are in a text.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    before + column.saturating_sub(1)
}

/// The words of `serde_json` without "at line 1 column 2" at their end.
fn without_place(message: &str) -> &str {
    message.split(" at line ").next().unwrap_or(message)
}
