//! `$filter`: checking and evaluating the part of OData that Graph documents.
use serde_json::Value;

use super::super::errors::Failure;
use super::super::routes::Version;
use super::grammar::{Expr, Function, Literal, Op, instant, parse};
use super::{at, compare, resolve_path};

/// A parsed filter expression.
#[derive(Debug)]
pub(in super::super) struct Filter {
    pub(super) expression: Expr,
    /// As it was sent, decoded.
    pub(in super::super) text: String,
}

impl Filter {
    /// Parses a filter and checks names and literal types against the type of the items.
    ///
    /// # Errors
    /// 400 `BadRequest` for syntax, unknown properties and operands of the wrong type.
    pub(in super::super) fn parse(
        text: &str,
        version: Version,
        type_name: &str,
    ) -> Result<Self, Failure> {
        let invalid = |what: String| Failure::new("invalidFilter", &[&what]);
        let expression = parse(text).map_err(invalid)?;
        check(&expression, version, type_name, &mut Vec::new())?;
        Ok(Self {
            expression,
            text: text.to_owned(),
        })
    }

    /// Whether a row fits.
    pub(in super::super) fn matches(&self, row: &Value) -> bool {
        evaluate(&self.expression, row, &mut Vec::new())
    }

    /// Whether directory objects need `ConsistencyLevel: eventual` for it.
    pub(in super::super) fn is_advanced(&self) -> bool {
        let mut found = false;
        walk(&self.expression, &mut |expression| {
            found |= match expression {
                Expr::Not(_)
                | Expr::Compare(_, Op::Ne, _)
                | Expr::Call(Function::EndsWith, _, _) => true,
                Expr::Compare(path, _, _) => path.last().is_some_and(|last| last == "$count"),
                _ => false,
            };
        });
        found
    }

    /// What directory objects refuse in any case: ranges over `id`, `contains`, and `signInActivity` beside another condition.
    pub(in super::super) fn check_directory(&self) -> Result<(), Failure> {
        let mut result = Ok(());
        let (mut conditions, mut sign_in) = (0, false);
        walk(&self.expression, &mut |expression| {
            let (path, refused) = match expression {
                Expr::Compare(path, op, _) => (
                    path,
                    !matches!(op, Op::Eq | Op::Ne) && path.as_slice() == ["id"],
                ),
                Expr::Call(function, path, _) => (
                    path,
                    *function == Function::Contains || path.as_slice() == ["id"],
                ),
                Expr::In(path, _) | Expr::Any(path, _) => (path, false),
                Expr::Or(..) | Expr::And(..) | Expr::Not(_) => return,
            };
            conditions += 1;
            sign_in |= path.first().is_some_and(|first| first == "signInActivity");
            if refused {
                let name = path.join("/");
                result = Err(Failure::unsupported(&format!(
                    "Unsupported or invalid query filter clause specified for property '{name}' of resource."
                )));
            }
        });
        if sign_in && conditions > 1 {
            return Err(Failure::unsupported(
                "Filter on signInActivity cannot be combined with other filterable properties.",
            ));
        }
        result
    }

    /// Whether a condition is on this property.
    pub(in super::super) fn mentions(&self, property: &str) -> bool {
        let mut found = false;
        walk(&self.expression, &mut |expression| {
            found |= match expression {
                Expr::Compare(path, _, _)
                | Expr::In(path, _)
                | Expr::Call(_, path, _)
                | Expr::Any(path, _) => path.first().is_some_and(|first| first == property),
                _ => false,
            };
        });
        found
    }
}

fn walk(expression: &Expr, visit: &mut impl FnMut(&Expr)) {
    visit(expression);
    match expression {
        Expr::Or(left, right) | Expr::And(left, right) => {
            walk(left, visit);
            walk(right, visit);
        }
        Expr::Not(inner) | Expr::Any(_, Some((_, inner))) => walk(inner, visit),
        Expr::Compare(..) | Expr::In(..) | Expr::Call(..) | Expr::Any(_, None) => {}
    }
}

/// Lambda variables with the type of their element.
type Variables = Vec<(String, String)>;

fn check(
    expression: &Expr,
    version: Version,
    type_name: &str,
    variables: &mut Variables,
) -> Result<(), Failure> {
    match expression {
        Expr::Or(left, right) | Expr::And(left, right) => {
            check(left, version, type_name, variables)?;
            check(right, version, type_name, variables)
        }
        Expr::Not(inner) => check(inner, version, type_name, variables),
        Expr::Compare(path, op, literal) => {
            operand(path, *op, literal, version, type_name, variables)
        }
        Expr::In(path, literals) => literals
            .iter()
            .try_for_each(|literal| operand(path, Op::Eq, literal, version, type_name, variables)),
        Expr::Call(_, path, _) => typed(path, version, type_name, variables).map(|_| ()),
        Expr::Any(path, inner) => {
            let of = typed(path, version, type_name, variables)?;
            let Some((variable, inner)) = inner else {
                return Ok(());
            };
            variables.push((variable.clone(), of));
            let result = check(inner, version, type_name, variables);
            variables.pop();
            result
        }
    }
}

/// The type at the end of a path; empty if not known.
fn typed(
    path: &[String],
    version: Version,
    type_name: &str,
    variables: &Variables,
) -> Result<String, Failure> {
    let variable = path
        .first()
        .and_then(|first| variables.iter().rev().find(|(name, _)| name == first));
    let (start, path) = match variable {
        Some((_, of)) => (of.as_str(), path.get(1..).unwrap_or_default()),
        None => (type_name, path),
    };
    let path = match path.split_last() {
        Some((last, rest)) if last == "$count" => {
            resolve(version, start, rest)?;
            return Ok("Edm.Int32".to_owned());
        }
        _ => path,
    };
    resolve(version, start, path)
}

fn resolve(version: Version, start: &str, path: &[String]) -> Result<String, Failure> {
    resolve_path(version, start, path)
        .map(|property| property.type_name)
        .map_err(|(name, of)| Failure::new("unknownFilterProperty", &[&name, &of]))
}

fn operand(
    path: &[String],
    op: Op,
    literal: &Literal,
    version: Version,
    type_name: &str,
    variables: &Variables,
) -> Result<(), Failure> {
    let of = typed(path, version, type_name, variables)?;
    let fits = match (of.as_str(), literal) {
        (_, Literal::Null) => true,
        ("Edm.Boolean", literal) => matches!(literal, Literal::Bool(_)),
        ("Edm.DateTimeOffset" | "Edm.Date", literal) => matches!(literal, Literal::Date(_)),
        ("Edm.String", literal) => matches!(literal, Literal::Text(_)),
        ("Edm.Int32" | "Edm.Int64" | "Edm.Double" | "Edm.Int16", literal) => {
            matches!(literal, Literal::Number(_))
        }
        _ => true,
    };
    if fits {
        return Ok(());
    }
    let literal = match literal {
        Literal::Null => "null",
        Literal::Bool(_) => "Edm.Boolean",
        Literal::Number(_) => "Edm.Int32",
        Literal::Text(_) => "Edm.String",
        Literal::Date(_) => "Edm.DateTimeOffset",
    };
    Err(Failure::new(
        "invalidFilter",
        &[&format!(
            "A binary operator with incompatible types was detected. Found operand types '{of}' and '{literal}' for operator kind '{op:?}'."
        )],
    ))
}

fn evaluate<'a>(
    expression: &'a Expr,
    row: &'a Value,
    variables: &mut Vec<(&'a str, &'a Value)>,
) -> bool {
    match expression {
        Expr::Or(left, right) => evaluate(left, row, variables) || evaluate(right, row, variables),
        Expr::And(left, right) => evaluate(left, row, variables) && evaluate(right, row, variables),
        Expr::Not(inner) => !evaluate(inner, row, variables),
        Expr::Compare(path, op, literal) => match path.split_last() {
            Some((last, rest)) if last == "$count" => {
                let count = value(rest, row, variables).as_array().map_or(0, Vec::len);
                holds(&Value::from(count), *op, literal)
            }
            _ => holds(value(path, row, variables), *op, literal),
        },
        Expr::In(path, literals) => {
            let value = value(path, row, variables);
            literals.iter().any(|literal| holds(value, Op::Eq, literal))
        }
        Expr::Call(function, path, text) => {
            let Some(value) = value(path, row, variables).as_str() else {
                return false;
            };
            let (value, text) = (value.to_lowercase(), text.to_lowercase());
            match function {
                Function::StartsWith => value.starts_with(&text),
                Function::EndsWith => value.ends_with(&text),
                Function::Contains => value.contains(&text),
            }
        }
        Expr::Any(path, inner) => {
            let Some(elements) = value(path, row, variables).as_array() else {
                return false;
            };
            let Some((variable, inner)) = inner else {
                return !elements.is_empty();
            };
            elements.iter().any(|element| {
                variables.push((variable, element));
                let fits = evaluate(inner, row, variables);
                variables.pop();
                fits
            })
        }
    }
}

fn value<'a>(path: &[String], row: &'a Value, variables: &[(&str, &'a Value)]) -> &'a Value {
    let variable = path
        .first()
        .and_then(|first| variables.iter().rev().find(|(name, _)| name == first));
    match variable {
        Some((_, element)) => at(element, path.get(1..).unwrap_or_default()),
        None => at(row, path),
    }
}

/// Text is compared without regard to case, as Graph does; a date also as an instant. Null is only equal to null.
fn holds(value: &Value, op: Op, literal: &Literal) -> bool {
    use std::cmp::Ordering;
    let order = match (value, literal) {
        (Value::Null, Literal::Null) => Some(Ordering::Equal),
        (Value::String(text), Literal::Date(date)) => instant(text).map(|at| at.cmp(date)),
        (Value::String(_), Literal::Text(text)) => {
            Some(compare(value, &Value::from(text.as_str())))
        }
        (Value::Bool(_), Literal::Bool(other)) => Some(compare(value, &Value::from(*other))),
        (Value::Number(_), Literal::Number(other)) => Some(compare(value, &Value::from(*other))),
        _ => None,
    };
    match op {
        Op::Eq => order == Some(Ordering::Equal),
        Op::Ne => order != Some(Ordering::Equal),
        Op::Gt => order == Some(Ordering::Greater),
        Op::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)) && !value.is_null(),
        Op::Lt => order == Some(Ordering::Less),
        Op::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)) && !value.is_null(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn users(filter: &str) -> Result<Filter, Failure> {
        Filter::parse(filter, Version::V1, "microsoft.graph.user")
    }

    #[test]
    fn expressions_hold_as_odata_says() {
        let user = json!({
            "displayName": "Conan O'Neil", "accountEnabled": true, "userType": null,
            "createdDateTime": "2026-01-05T08:00:00Z",
            "assignedLicenses": [{"skuId": "05e9a617-0261-4cee-bb44-138d3ef5d965"}],
            "signInActivity": {"lastSignInDateTime": "2026-08-01T00:00:00Z"},
            "otherMails": [],
        });
        let cases = [
            ("displayName eq 'conan o''neil'", true),
            (
                "startsWith(displayName,'Con') and accountEnabled eq true",
                true,
            ),
            ("userType eq null", true),
            ("userType ne 'Guest'", true),
            ("userType eq 'Member' or accountEnabled eq false", false),
            ("not (accountEnabled eq true)", false),
            ("createdDateTime ge 2026-01-05T09:00:00+01:00", true),
            ("createdDateTime lt 2026-01-05", false),
            ("userType ge 'A'", false),
            ("displayName in ('a', 'Conan O''Neil')", true),
            (
                "assignedLicenses/any(l:l/skuId eq 05e9a617-0261-4cee-bb44-138d3ef5d965)",
                true,
            ),
            (
                "assignedLicenses/any(l: l/skuId eq 11111111-0261-4cee-bb44-138d3ef5d965)",
                false,
            ),
            (
                "signInActivity/lastSignInDateTime le 2026-08-02T00:00:00Z",
                true,
            ),
            ("otherMails/any()", false),
            ("assignedLicenses/$count eq 1", true),
            (
                "accountEnabled eq true and displayName eq 'x' or userType eq null",
                true,
            ),
        ];
        for (filter, expected) in cases {
            assert_eq!(users(filter).unwrap().matches(&user), expected, "{filter}");
        }
    }

    #[test]
    fn bad_filters_are_refused() {
        for filter in [
            "",
            "displayName",
            "displayName eq",
            "displayName eq 'x",
            "displayName eq x",
            "foo eq 'x'",
            "(displayName eq 'x'",
            "displayName eq 'x' userType",
            "accountEnabled eq 'true'",
            "createdDateTime ge '2026'",
            "assignedLicenses/any(l:l/foo eq 'x')",
            "tolower(displayName) eq 'x'",
            "displayName # 'x'",
        ] {
            assert_eq!(
                users(filter).map(|_| ()).unwrap_err().status,
                400,
                "{filter}"
            );
        }
        let deep = format!(
            "{}accountEnabled eq true{}",
            "(".repeat(500),
            ")".repeat(500)
        );
        assert!(users(&deep).is_err());
    }
}
