//! Where in a JSON text something stands.
//!
//! `serde_json` tells line and column of what it cannot read; a reader wants the name. Only a text that failed is walked for it, by one
//! function for all types: a deserializer that keeps the path would double the code of each.

/// The place of an error in the text that it is about, `assignedPlans[2].servicePlanId`; `.` is the text as a whole.
///
/// What is only checked when its object has been read to the end (a member that is missing) is said of the object. Names come from
/// the text: outside data.
pub(crate) fn place(text: &str, error: &serde_json::Error) -> String {
    let line_start = match error.line() {
        0 | 1 => 0,
        line => text
            .match_indices('\n')
            .nth(line - 2)
            .map_or(text.len(), |(at, _)| at + 1),
    };
    let end = line_start.saturating_add(error.column()).min(text.len());
    named(&steps(text.as_bytes(), end))
}

/// What of an open object or list is being read.
enum Step<'a> {
    /// The member with this name as it is written, without quotes; none before the first, and after a comma.
    Member(Option<&'a [u8]>),
    /// The row with this number.
    Row(usize),
}

/// The way to what has been begun and not left when the first `end` bytes are read. A value is left at the comma behind it: the parser
/// refuses one after it has read it.
fn steps(text: &[u8], end: usize) -> Vec<Step<'_>> {
    let mut open = Vec::new();
    let mut at = 0;
    while at < end {
        match text[at] {
            b'{' => open.push(Step::Member(None)),
            b'[' => open.push(Step::Row(0)),
            b'}' | b']' => {
                open.pop();
            }
            b',' => match open.last_mut() {
                Some(Step::Member(name)) => *name = None,
                Some(Step::Row(number)) => *number += 1,
                None => {}
            },
            b'"' => {
                let start = at + 1;
                at = closing_quote(text, start);
                if let Some(Step::Member(name @ None)) = open.last_mut()
                    && at < end
                {
                    *name = text.get(start..at);
                }
            }
            _ => {}
        }
        at += 1;
    }
    open
}

/// Where the string that starts here ends.
fn closing_quote(text: &[u8], start: usize) -> usize {
    let mut at = start;
    loop {
        match text.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') | None => return at.min(text.len()),
            Some(_) => at += 1,
        }
    }
}

fn named(steps: &[Step<'_>]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Member(None) => {}
            Step::Member(Some(name)) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&String::from_utf8_lossy(name));
            }
            Step::Row(number) => path.push_str(&format!("[{number}]")),
        }
    }
    if path.is_empty() {
        path.push('.');
    }
    path
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde::de::IgnoredAny;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "read and thrown away")]
    struct Row {
        id: String,
        inner: Option<Box<Row>>,
        list: Option<Vec<Row>>,
        numbers: Option<Vec<u8>>,
        by_name: Option<BTreeMap<String, bool>>,
        kind: Option<Kind>,
        ignored: Option<IgnoredAny>,
    }

    #[derive(Debug, Deserialize)]
    enum Kind {
        One,
    }

    fn of(text: &str) -> String {
        place(text, &serde_json::from_str::<Row>(text).unwrap_err())
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, path) in [
            // A value of another type, wherever it stands, and whatever stands around it.
            (r#"{"id": 7}"#, "id"),
            (r#"{"id": 7 , "x": 1}"#, "id"),
            (r#"{"x": {"id": 1}, "id": -7.5e3, "y": 2}"#, "id"),
            (r#"{"id": "a", "numbers": [1, 2, 256, 4]}"#, "numbers[2]"),
            (r#"{"id": "a", "numbers": [1,[2]]}"#, "numbers[1]"),
            (r#"{"id": "a", "numbers": {"a": 1}}"#, "numbers"),
            (r#"{"id": {"a": 1}}"#, "id"),
            (r#"{"id": ["a"]}"#, "id"),
            (
                r#"{"id": "a", "by_name": {"x": true, "y": 0}}"#,
                "by_name.y",
            ),
            (r#"{"id": "a", "kind": "Two"}"#, "kind"),
            (r#"{"id": "a", "kind": 2}"#, "kind"),
            (
                r#"{"id": "a", "inner": {"id": "b", "list": [{"id": "c"}, {"id": null}]}}"#,
                "inner.list[1].id",
            ),
            // A member that is missing is a matter of its object.
            ("{}", "."),
            (r#"{"id": "a", "inner": {"list": []}}"#, "inner"),
            (
                r#"{"id": "a", "list": [{"id": "b"}, {"x": "y"}]}"#,
                "list[1]",
            ),
            // Marks within texts are none.
            (r#"{"a{\"b\\": "}],{\"", "c": ["]", "\\"], "id": 1}"#, "id"),
            (
                "{\n  \"x\": 1,\n  \"inner\": {\n    \"id\": 7\n  }\n}",
                "inner.id",
            ),
            ("{\"ü\": \"é\n", "ü"),
            // Not JSON, or cut.
            ("", "."),
            ("[", "[0]"),
            ("7", "."),
            (r#"{"id": "a", "list": [{"id": "b"#, "list[0].id"),
            (r#"{"id": "a", "inner": {"id": tru"#, "inner.id"),
            (r#"{"id": "a", "id": "b"}"#, "id"),
        ] {
            assert_eq!(of(text), path, "{text}");
        }
    }

    /// Deeper than any stack: what is ignored may be nested without end.
    #[test]
    fn depth_costs_no_stack() {
        let deep = 200_000;
        let text = format!(
            r#"{{"ignored": {}{}, "id": 7}}"#,
            "[".repeat(deep),
            "]".repeat(deep)
        );
        assert_eq!(of(&text), "id");
    }
}
