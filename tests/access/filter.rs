//! Device filters, read word by word.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// What a device says of itself; `Null` for what it does not say. Keys are in lower case.
pub(crate) type Device = BTreeMap<String, Value>;

#[derive(Debug, Clone, PartialEq)]
enum Word {
    Open,
    Close,
    Text(String),
    Bare(String),
    List(Vec<String>),
}

/// One comparison: attribute, operator without its hyphen, literals. All in lower case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) attribute: String,
    pub(crate) operator: String,
    pub(crate) literals: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rule {
    Or(Box<Self>, Box<Self>),
    And(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Is(Comparison),
}

fn words(rule: &str) -> Vec<Word> {
    let characters: Vec<char> = rule.to_lowercase().chars().collect();
    let mut at = 0;
    let mut words = Vec::new();
    let text = |at: &mut usize| {
        let start = *at + 1;
        let length = characters[start..].iter().position(|&c| c == '"').unwrap();
        *at = start + length + 1;
        characters[start..start + length].iter().collect::<String>()
    };
    while at < characters.len() {
        match characters[at] {
            ' ' => at += 1,
            '(' => {
                words.push(Word::Open);
                at += 1;
            }
            ')' => {
                words.push(Word::Close);
                at += 1;
            }
            '"' => words.push(Word::Text(text(&mut at))),
            '[' => {
                let mut list = Vec::new();
                while characters[at] != ']' {
                    if characters[at] == '"' {
                        list.push(text(&mut at));
                    } else {
                        at += 1;
                    }
                }
                at += 1;
                words.push(Word::List(list));
            }
            _ => {
                let rest = &characters[at..];
                let length = rest
                    .iter()
                    .position(|c| " ()[\"".contains(*c))
                    .unwrap_or(rest.len());
                words.push(Word::Bare(rest[..length].iter().collect()));
                at += length;
            }
        }
    }
    words
}

/// Reads a rule that is known to be sound; each text once.
pub(crate) fn parse(rule: &str) -> Arc<Rule> {
    static READ: Mutex<BTreeMap<String, Arc<Rule>>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap();
    if let Some(known) = read.get(rule) {
        return Arc::clone(known);
    }
    let new = Arc::new(parse_anew(rule));
    read.insert(rule.to_owned(), Arc::clone(&new));
    new
}

fn parse_anew(rule: &str) -> Rule {
    let words = words(rule);
    let mut at = 0;
    let rule = either(&words, &mut at);
    assert_eq!(at, words.len(), "the whole rule is read");
    rule
}

fn joined(words: &[Word], at: usize, by: &str) -> bool {
    matches!(words.get(at), Some(Word::Bare(word)) if word.trim_start_matches('-') == by)
}

fn either(words: &[Word], at: &mut usize) -> Rule {
    let mut left = both(words, at);
    while joined(words, *at, "or") {
        *at += 1;
        left = Rule::Or(Box::new(left), Box::new(both(words, at)));
    }
    left
}

fn both(words: &[Word], at: &mut usize) -> Rule {
    let mut left = single(words, at);
    while joined(words, *at, "and") {
        *at += 1;
        left = Rule::And(Box::new(left), Box::new(single(words, at)));
    }
    left
}

fn single(words: &[Word], at: &mut usize) -> Rule {
    if joined(words, *at, "not") {
        *at += 1;
        return Rule::Not(Box::new(single(words, at)));
    }
    if words[*at] == Word::Open {
        *at += 1;
        let inner = either(words, at);
        assert_eq!(words[*at], Word::Close);
        *at += 1;
        return inner;
    }
    let (Word::Bare(attribute), Word::Bare(operator)) = (&words[*at], &words[*at + 1]) else {
        panic!("a comparison was expected: {words:?} at {at}");
    };
    let literals = match &words[*at + 2] {
        Word::Text(text) | Word::Bare(text) => vec![text.clone()],
        Word::List(texts) => texts.clone(),
        other => panic!("a value was expected, not {other:?}"),
    };
    *at += 3;
    Rule::Is(Comparison {
        attribute: attribute.strip_prefix("device.").unwrap().to_owned(),
        operator: operator.trim_start_matches('-').to_owned(),
        literals,
    })
}

impl Rule {
    /// Whether it matches; nobody has a value where there is no device.
    pub(crate) fn matches(&self, device: Option<&Device>) -> bool {
        match self {
            Self::Or(left, right) => left.matches(device) || right.matches(device),
            Self::And(left, right) => left.matches(device) && right.matches(device),
            Self::Not(inner) => !inner.matches(device),
            Self::Is(comparison) => comparison.matches(device),
        }
    }

    pub(crate) fn comparisons<'a>(&'a self, found: &mut Vec<&'a Comparison>) {
        match self {
            Self::Or(left, right) | Self::And(left, right) => {
                left.comparisons(found);
                right.comparisons(found);
            }
            Self::Not(inner) => inner.comparisons(found),
            Self::Is(comparison) => found.push(comparison),
        }
    }
}

impl Comparison {
    fn matches(&self, device: Option<&Device>) -> bool {
        let value = device
            .and_then(|device| device.get(&self.attribute))
            .filter(|value| !value.is_null());
        let (positive, test): (bool, fn(&str, &str) -> bool) = match self.operator.as_str() {
            "eq" | "in" => (true, |value, literal| value == literal),
            "ne" | "notin" => (false, |value, literal| value == literal),
            "startswith" => (true, |value, literal| value.starts_with(literal)),
            "notstartswith" => (false, |value, literal| value.starts_with(literal)),
            "endswith" => (true, |value, literal| value.ends_with(literal)),
            "notendswith" => (false, |value, literal| value.ends_with(literal)),
            "contains" => (true, |value, literal| value.contains(literal)),
            "notcontains" => (false, |value, literal| value.contains(literal)),
            other => panic!("operator {other}"),
        };
        let holds = match value {
            None => false,
            Some(Value::Array(elements)) => elements.iter().any(|element| {
                let element = element.as_str().unwrap().to_lowercase();
                self.literals.contains(&element)
            }),
            Some(value) => {
                let value = match value {
                    Value::String(text) => text.to_lowercase(),
                    other => other.to_string(),
                };
                self.literals.iter().any(|literal| test(&value, literal))
            }
        };
        holds == positive
    }
}
