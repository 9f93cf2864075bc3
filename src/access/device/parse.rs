//! From the text of a rule to its tree.

use super::{Attribute, Comparison, Literal, Node, Rule, Test};

/// What a rule can be long, in characters ("Conditional Access: Filter for devices").
const LONGEST: usize = 3072;

/// How many parentheses may stand inside each other: far more than anybody writes, and few enough for any stack.
const DEEPEST: usize = 64;

/// Why a text is not a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {what}")]
pub(in crate::access) struct FilterError {
    /// Where it stopped making sense: characters from the start, the first is 1.
    pub(in crate::access) column: usize,
    /// What is wrong there, in words that repeat nothing of the rule.
    pub(in crate::access) what: String,
}

/// Reads the rule of a filter. A test that is well formed and not understood (attribute, operator, `null`) is no error: its
/// outcome is unknown.
pub(in crate::access) fn parse(rule: &str) -> Result<Rule, FilterError> {
    if rule.chars().count() > LONGEST {
        return error(
            LONGEST + 1,
            format!("a rule has at most {LONGEST} characters"),
        );
    }
    let tokens = tokens(rule)?;
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        end: rule.chars().count() + 1,
    };
    let root = parser.alternatives(0)?;
    match parser.peek() {
        None => Ok(Rule { root }),
        Some(_) => parser.expected("`and`, `or` or the end of the rule"),
    }
}

fn error<T>(column: usize, what: impl Into<String>) -> Result<T, FilterError> {
    let what = what.into();
    Err(FilterError { column, what })
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// One of `(`, `)`, `[`, `]` and the comma.
    Mark(char),
    Quoted(String),
    /// Anything else up to a blank, a mark or a quote.
    Word(String),
}

fn tokens(rule: &str) -> Result<Vec<(usize, Token)>, FilterError> {
    let is_mark = |character: char| "()[],".contains(character);
    let is_quote = |character: char| "\"'".contains(character);
    let mut found = Vec::new();
    let mut rest = rule.chars().zip(1..).peekable();
    while let Some((character, column)) = rest.next() {
        if character.is_whitespace() {
            continue;
        }
        let token = if is_mark(character) {
            Token::Mark(character)
        } else if is_quote(character) {
            let mut text = String::new();
            loop {
                match rest.next() {
                    None => return error(column, "the quote that opens here never closes"),
                    // A quote within: doubled between single ones, after a backtick between double ones.
                    Some((next, _)) if next == character => {
                        if character == '"' || rest.next_if(|(next, _)| *next == '\'').is_none() {
                            break;
                        }
                        text.push(next);
                    }
                    Some(('`', _)) if character == '"' => {
                        let quote = rest.next_if(|(next, _)| *next == '"');
                        text.push(quote.map_or('`', |(quote, _)| quote));
                    }
                    Some((next, _)) => text.push(next),
                }
            }
            Token::Quoted(text)
        } else {
            let mut word = String::from(character);
            while let Some((next, _)) = rest
                .next_if(|(next, _)| !next.is_whitespace() && !is_mark(*next) && !is_quote(*next))
            {
                word.push(next);
            }
            Token::Word(word)
        };
        found.push((column, token));
    }
    Ok(found)
}

/// What stands on the right of an operator.
enum Operand {
    Null,
    Text(String),
    List(Vec<Operand>),
}

struct Parser<'a> {
    tokens: &'a [(usize, Token)],
    at: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn expected<T>(&self, what: &str) -> Result<T, FilterError> {
        let column = self.tokens.get(self.at).map_or(self.end, |(at, _)| *at);
        error(column, format!("expected {what}"))
    }

    /// Takes the next token if it is this mark.
    fn mark(&mut self, wanted: char) -> bool {
        let is = self.peek() == Some(&Token::Mark(wanted));
        self.at += usize::from(is);
        is
    }

    /// Takes the next token if it is this keyword.
    fn keyword(&mut self, wanted: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Word(word)) if is_keyword(word, wanted));
        self.at += usize::from(is);
        is
    }

    fn alternatives(&mut self, depth: usize) -> Result<Node, FilterError> {
        let mut parts = vec![self.conjunction(depth)?];
        while self.keyword("or") {
            parts.push(self.conjunction(depth)?);
        }
        Ok(joined(parts, Node::Or))
    }

    fn conjunction(&mut self, depth: usize) -> Result<Node, FilterError> {
        let mut parts = vec![self.factor(depth)?];
        while self.keyword("and") {
            parts.push(self.factor(depth)?);
        }
        Ok(joined(parts, Node::And))
    }

    fn factor(&mut self, depth: usize) -> Result<Node, FilterError> {
        let mut negated = false;
        while self.keyword("not") {
            negated = !negated;
        }
        let node = if self.peek() == Some(&Token::Mark('(')) {
            if depth == DEEPEST {
                return self.expected(&format!("no more than {DEEPEST} nested parentheses"));
            }
            self.at += 1;
            let inner = self.alternatives(depth + 1)?;
            if !self.mark(')') {
                return self.expected("`and`, `or` or a closing parenthesis");
            }
            inner
        } else {
            self.test()?
        };
        Ok(if negated {
            Node::Not(Box::new(node))
        } else {
            node
        })
    }

    fn test(&mut self) -> Result<Node, FilterError> {
        let Some(Token::Word(word)) = self.peek() else {
            return self.expected("an attribute such as `device.trustType`");
        };
        let Some((_, name)) = word
            .split_once('.')
            .filter(|(object, name)| object.eq_ignore_ascii_case("device") && !name.is_empty())
        else {
            return self.expected("an attribute such as `device.trustType`");
        };
        self.at += 1;
        let Some(Token::Word(operator)) = self.peek() else {
            return self.expected("an operator such as `-eq`");
        };
        if ["and", "or", "not"]
            .iter()
            .any(|&key| is_keyword(operator, key))
        {
            return self.expected("an operator such as `-eq`");
        }
        self.at += 1;
        let operand = self.operand()?;
        let test = Attribute::named(name).and_then(|attribute| {
            let (comparison, negative) = comparison(operator, operand)?;
            attribute.offers(&comparison).then_some(Test {
                attribute,
                comparison,
                negative,
            })
        });
        Ok(test.map_or(Node::Unknown, Node::Test))
    }

    fn operand(&mut self) -> Result<Operand, FilterError> {
        if !self.mark('[') {
            return self.single();
        }
        let mut list = Vec::new();
        while !self.mark(']') {
            if !list.is_empty() && !self.mark(',') {
                return self.expected("a comma or the end of the list");
            }
            list.push(self.single()?);
        }
        Ok(Operand::List(list))
    }

    fn single(&mut self) -> Result<Operand, FilterError> {
        let bare = |word: &str| {
            word.starts_with(|first: char| first.is_alphanumeric())
                && !["and", "or", "not"]
                    .iter()
                    .any(|key| word.eq_ignore_ascii_case(key))
        };
        let operand = match self.peek() {
            Some(Token::Quoted(text)) => Operand::Text(text.clone()),
            Some(Token::Word(word)) if is_keyword(word, "null") => Operand::Null,
            Some(Token::Word(word)) if bare(word) => Operand::Text(word.clone()),
            _ => return self.expected("a value in quotes"),
        };
        self.at += 1;
        Ok(operand)
    }
}

/// In any case, with or without the hyphen. `$null` is PowerShell's way to write null.
fn is_keyword(word: &str, wanted: &str) -> bool {
    let bare = word.strip_prefix(['-', '$']).unwrap_or(word);
    bare.eq_ignore_ascii_case(wanted)
}

fn joined(mut parts: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            join(parts)
        }
    }
}

/// The comparison that an operator stands for and whether it is the negative one; `None` for what is not understood.
fn comparison(operator: &str, operand: Operand) -> Option<(Comparison, bool)> {
    let word = operator.strip_prefix('-').unwrap_or(operator);
    let word = word.to_ascii_lowercase();
    let (word, negative) = match word.as_str() {
        "ne" => ("eq", true),
        other => other
            .strip_prefix("not")
            .filter(|&positive| positive != "eq")
            .map_or((other, false), |positive| (positive, true)),
    };
    let literal = |operand| match operand {
        Operand::Text(text) => Some(Literal::from(text)),
        Operand::Null | Operand::List(_) => None,
    };
    let comparison = match (word, operand) {
        ("in", Operand::List(list)) => {
            Comparison::Is(list.into_iter().map(literal).collect::<Option<_>>()?)
        }
        ("eq", operand) => Comparison::Is(vec![literal(operand)?]),
        ("startswith", operand) => Comparison::StartsWith(literal(operand)?),
        ("endswith", operand) => Comparison::EndsWith(literal(operand)?),
        ("contains", operand) => Comparison::Contains(literal(operand)?),
        _ => return None,
    };
    Some((comparison, negative))
}
