//! The grammar of `$filter`: from text to an expression.
use std::iter::Peekable;
use std::str::Chars;

/// An expression; a property path is a list of names.
#[derive(Debug)]
pub(super) enum Expr {
    Or(Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Compare(Vec<String>, Op, Literal),
    In(Vec<String>, Vec<Literal>),
    Call(Function, Vec<String>, String),
    Any(Vec<String>, Option<(String, Box<Expr>)>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

/// A function on text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    StartsWith,
    EndsWith,
    Contains,
}

/// A value in a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Date(jiff::Timestamp),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    Colon,
    Text(String),
    Word(String),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&next) = chars.peek() {
        let simple = match next {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            ',' => Some(Token::Comma),
            ':' => Some(Token::Colon),
            _ => None,
        };
        if let Some(token) = simple {
            chars.next();
            tokens.push(token);
        } else if next.is_whitespace() {
            chars.next();
        } else if next == '\'' {
            chars.next();
            tokens.push(Token::Text(quoted(&mut chars)?));
        } else if next.is_alphanumeric() || matches!(next, '-' | '_' | '$' | '@') {
            tokens.push(Token::Word(word(&mut chars)));
        } else {
            return Err(format!(
                "Syntax error: character '{next}' is not valid in '{text}'."
            ));
        }
    }
    Ok(tokens)
}

fn quoted(chars: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    let mut text = String::new();
    while let Some(next) = chars.next() {
        if next != '\'' {
            text.push(next);
        } else if chars.next_if_eq(&'\'').is_some() {
            text.push('\'');
        } else {
            return Ok(text);
        }
    }
    Err("There is an unterminated string literal.".to_owned())
}

/// A name, keyword, number or date. A colon belongs to it only in a date: elsewhere it ends the variable of a lambda.
fn word(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::new();
    while let Some(&next) = chars.peek() {
        let date = word.starts_with(|first: char| first.is_ascii_digit()) && word.contains('T');
        let part = next.is_alphanumeric()
            || matches!(next, '-' | '_' | '$' | '@' | '.' | '/')
            || (date && matches!(next, ':' | '+'));
        if !part {
            break;
        }
        word.push(next);
        chars.next();
    }
    word
}

/// Reads an expression.
///
/// # Errors
/// What is wrong with the text, in a sentence.
pub(super) fn parse(text: &str) -> Result<Expr, String> {
    let mut parser = Parser {
        tokens: tokens(text)?.into_iter().peekable(),
        depth: 0,
    };
    let expression = parser.or()?;
    if parser.tokens.next().is_some() {
        return Err(format!("Syntax error at the end of '{text}'."));
    }
    Ok(expression)
}

struct Parser {
    tokens: Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

impl Parser {
    fn or(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > 50 {
            return Err("The expression is too deep.".to_owned());
        }
        let mut left = self.and()?;
        while self.keyword("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut left = self.unary()?;
        while self.keyword("and") {
            left = Expr::And(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, String> {
        if self.keyword("not") {
            self.depth += 1;
            if self.depth > 50 {
                return Err("The expression is too deep.".to_owned());
            }
            return Ok(Expr::Not(Box::new(self.unary()?)));
        }
        if self.tokens.next_if_eq(&Token::Open).is_some() {
            let inner = self.or()?;
            self.expect(&Token::Close)?;
            return Ok(inner);
        }
        let name = self.name()?;
        if self.tokens.next_if_eq(&Token::Open).is_some() {
            return self.call(&name);
        }
        self.comparison(split(&name))
    }

    fn call(&mut self, name: &str) -> Result<Expr, String> {
        if let Some(path) = name.strip_suffix("/any") {
            let path = split(path);
            if self.tokens.next_if_eq(&Token::Close).is_some() {
                return Ok(Expr::Any(path, None));
            }
            let variable = self.name()?;
            self.expect(&Token::Colon)?;
            let inner = self.or()?;
            self.expect(&Token::Close)?;
            return Ok(Expr::Any(path, Some((variable, Box::new(inner)))));
        }
        let function = match name.to_ascii_lowercase().as_str() {
            "startswith" => Function::StartsWith,
            "endswith" => Function::EndsWith,
            "contains" => Function::Contains,
            _ => return Err(format!("An unknown function with name '{name}' was found.")),
        };
        let path = split(&self.name()?);
        self.expect(&Token::Comma)?;
        let Some(Token::Text(text)) = self.tokens.next() else {
            return Err(format!("The second argument of '{name}' must be a string."));
        };
        self.expect(&Token::Close)?;
        if self.keyword("eq") {
            return match self.tokens.next() {
                Some(Token::Word(word)) if word == "true" => Ok(Expr::Call(function, path, text)),
                Some(Token::Word(word)) if word == "false" => {
                    Ok(Expr::Not(Box::new(Expr::Call(function, path, text))))
                }
                _ => Err(format!("'{name}' can only be compared with true or false.")),
            };
        }
        Ok(Expr::Call(function, path, text))
    }

    fn comparison(&mut self, path: Vec<String>) -> Result<Expr, String> {
        let operator = self.name()?;
        if operator == "in" {
            self.expect(&Token::Open)?;
            let mut literals = vec![self.literal()?];
            while self.tokens.next_if_eq(&Token::Comma).is_some() {
                literals.push(self.literal()?);
            }
            self.expect(&Token::Close)?;
            return Ok(Expr::In(path, literals));
        }
        let op = match operator.as_str() {
            "eq" => Op::Eq,
            "ne" => Op::Ne,
            "gt" => Op::Gt,
            "ge" => Op::Ge,
            "lt" => Op::Lt,
            "le" => Op::Le,
            _ => return Err(format!("Syntax error: '{operator}' is no operator.")),
        };
        Ok(Expr::Compare(path, op, self.literal()?))
    }

    fn literal(&mut self) -> Result<Literal, String> {
        match self.tokens.next() {
            Some(Token::Text(text)) => Ok(Literal::Text(text)),
            Some(Token::Word(word)) => literal(&word),
            _ => Err("A value is missing.".to_owned()),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Word(word)) => Ok(word),
            other => Err(format!("Syntax error: a name is missing before {other:?}.")),
        }
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        self.tokens
            .next_if(|token| matches!(token, Token::Word(word) if word == keyword))
            .is_some()
    }

    fn expect(&mut self, token: &Token) -> Result<(), String> {
        if self.tokens.next_if_eq(token).is_some() {
            Ok(())
        } else {
            Err(format!("Syntax error: {token:?} is missing."))
        }
    }
}

fn split(path: &str) -> Vec<String> {
    path.split('/').map(ToOwned::to_owned).collect()
}

fn literal(word: &str) -> Result<Literal, String> {
    let is_guid = word.len() == 36 && uuid::Uuid::parse_str(word).is_ok();
    match word {
        "null" => Ok(Literal::Null),
        "true" => Ok(Literal::Bool(true)),
        "false" => Ok(Literal::Bool(false)),
        _ if is_guid => Ok(Literal::Text(word.to_owned())),
        _ => {
            if let Ok(number) = word.parse::<f64>() {
                return Ok(Literal::Number(number));
            }
            instant(word)
                .map(Literal::Date)
                .ok_or_else(|| format!("'{word}' is no value: strings stand in single quotes."))
        }
    }
}

/// A timestamp, or a date alone as its first moment in UTC.
pub(super) fn instant(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok().or_else(|| {
        let is_date = text.len() == 10 && text.is_ascii();
        is_date
            .then(|| format!("{text}T00:00:00Z").parse().ok())
            .flatten()
    })
}
