//! Own questions: guarantees that somebody wrote down, in TOML or JSON.
//!
//! **Promise.** A file is read as a whole or not at all: an unknown key, an unknown word, an id that is none, a device filter that
//! does not parse is an error that says where it stands and what was probably meant. A question that was misread would be
//! answered, and the answer believed. `must` becomes a conjunction of alternatives that means the same.
//!
//! The language is that of `docs/access.md`. Nothing here knows policies or how a question is answered.

mod countries;
mod language;
mod must;
mod names;
#[cfg(test)]
mod tests;
mod tree;
mod words;

use super::guarantee::Guarantee;

pub use names::Names;

/// A question file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: line {line}, column {column}: {message}")]
pub struct QueryError {
    /// The file's name as given.
    pub name: String,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
    /// What was probably meant.
    pub nearest: Option<String>,
}

impl QueryError {
    /// What to do next.
    pub fn help(&self) -> Option<String> {
        self.nearest
            .as_ref()
            .map(|nearest| format!("did you mean `{nearest}`?"))
    }
}

/// Something wrong at a place of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    at: usize,
    message: String,
    nearest: Option<String>,
}

impl Fault {
    fn at(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            nearest: None,
        }
    }

    /// A word that is not among those that may stand there.
    fn unknown<'w>(
        at: usize,
        what: &str,
        word: &str,
        known: impl IntoIterator<Item = &'w str>,
    ) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let nearest = nearest(word, known.iter().copied());
        let message = format!("unknown {what} `{word}`, expected {}", one_of(&known));
        Self {
            at,
            message,
            nearest,
        }
    }
}

fn one_of(words: &[&str]) -> String {
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => format!("`{last}`"),
        Some((last, first)) => format!("`{}` or `{last}`", first.join("`, `")),
    }
}

/// The word that is most like another one, unless none is; one that it begins comes first.
pub fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    known
        .into_iter()
        .map(|known| {
            let other = known.to_ascii_lowercase();
            let is_begun = lower.len() >= 3 && other.starts_with(&lower);
            let distance = strsim::damerau_levenshtein(&lower, &other);
            (!is_begun, distance, known)
        })
        .filter(|(is_other, distance, known)| !is_other || *distance <= known.chars().count() / 2)
        .min()
        .map(|(_, _, known)| known.to_owned())
}

/// Reads the guarantees of a question file, in their order.
///
/// `name` is how errors call the file; its ending tells TOML from JSON, else the content does. With [`Names::Later`] everything is
/// looked at but whether what is named exists.
pub fn parse(text: &str, name: &str, names: Names<'_>) -> Result<Vec<Guarantee>, QueryError> {
    // Editors of some systems put a mark before everything.
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let form = tree::Form::of(name, body);
    tree::read(body, form)
        .and_then(|root| language::guarantees(&root, names))
        .map_err(|fault| {
            let mut at = fault.at.min(body.len());
            while !body.is_char_boundary(at) {
                at -= 1;
            }
            let before = body.get(..at).unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            QueryError {
                name: name.to_owned(),
                line: before.matches('\n').count() + 1,
                column: line.chars().count() + 1,
                message: fault.message,
                nearest: fault.nearest,
            }
        })
}
