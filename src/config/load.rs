//! Reading the file, with errors that say where and what was meant.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, de};

use super::Config;

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("could not read the configuration {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not a valid configuration.
    #[error("{name}: line {line}: {message}")]
    Invalid {
        /// The file's name as given.
        name: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        message: String,
        /// The key that was probably meant.
        nearest: Option<String>,
    },
}

impl ConfigError {
    /// What to do next.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Read { .. } => Some("check the path given with --config".to_owned()),
            Self::Invalid { nearest, .. } => {
                nearest.as_ref().map(|key| format!("did you mean `{key}`?"))
            }
        }
    }
}

/// Reads a configuration file.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(&text, &path.display().to_string())
}

/// Reads a configuration from text; `name` is how errors call it.
pub fn parse(text: &str, name: &str) -> Result<Config, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| {
            text.get(..span.start)
                .map_or(1, |before| before.matches('\n').count() + 1)
        });
        let message = error
            .message()
            .lines()
            .next()
            .unwrap_or("not valid TOML")
            .to_owned();
        let nearest = unknown_word(&message).and_then(|(unknown, known)| nearest(unknown, known));
        ConfigError::Invalid {
            name: name.to_owned(),
            line,
            message,
            nearest,
        }
    })
}

/// Takes serde's "unknown field `x`, expected one of `a`, `b`" apart; a value that is none of some words is told the same way.
fn unknown_word(message: &str) -> Option<(&str, Vec<&str>)> {
    let mut quoted = message
        .strip_prefix("unknown field ")
        .or_else(|| message.strip_prefix("unknown variant "))?
        .split('`')
        .skip(1)
        .step_by(2);
    Some((quoted.next()?, quoted.collect()))
}

fn nearest(unknown: &str, known: Vec<&str>) -> Option<String> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(unknown, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len() / 2)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// A date written as a TOML date or as text.
pub(super) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Toml(toml::value::Datetime),
        Text(String),
    }
    let text = match Written::deserialize(deserializer)? {
        Written::Toml(date) => date.to_string(),
        Written::Text(text) => text,
    };
    text.parse()
        .map_err(|_| de::Error::custom("not a date: write it as 2027-06-30"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_file_and_an_empty_one_mean_the_defaults() {
        let config = parse("", "m365audit.toml").unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(
            (
                config.accounts.stale_days,
                config.roles.max_global_administrators
            ),
            (90, 4)
        );
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line_and_the_nearest_known_one() {
        let error = parse(
            "[roles]\n\nmax-global-administrator = 5\n",
            "m365audit.toml",
        )
        .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("m365audit.toml: line 3: unknown field `max-global-administrator`"),
            "{error}"
        );
        assert_eq!(
            error.help().as_deref(),
            Some("did you mean `max-global-administrators`?")
        );
    }

    #[test]
    fn answers_carry_a_date_written_either_way() {
        for written in ["2027-06-30", "\"2027-06-30\""] {
            let text = format!(
                "[answers.dlp-policies-missing]\nin-place = true\nby = \"a@b.example\"\nexpires = {written}\n"
            );
            let config = parse(&text, "t").unwrap();
            assert_eq!(
                config.answers["dlp-policies-missing"].expires,
                jiff::civil::date(2027, 6, 30)
            );
        }
        assert!(
            parse(
                "[answers.x]\nin-place = true\nby = \"a\"\nexpires = \"soon\"\n",
                "t"
            )
            .is_err()
        );
    }
}
