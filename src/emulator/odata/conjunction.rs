//! What a filter asks of one text property, so that a sorted list can be narrowed before rows are looked at.
use super::filter::Filter;
use super::grammar::{Expr, Function, Literal, Op};

/// One condition on the text of a property. Texts are in lower case: Graph compares without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Limit {
    /// `ge`
    From(String),
    /// `gt`
    Above(String),
    /// `le`
    To(String),
    /// `lt`
    Below(String),
    /// `eq`
    Is(String),
    /// `startsWith`
    Prefix(String),
}

impl Filter {
    /// The conditions on this property that every row has to meet, and whether the filter says nothing else.
    pub(in super::super) fn limits(&self, property: &str) -> (Vec<Limit>, bool) {
        let mut limits = Vec::new();
        let whole = collect(&self.expression, property, &mut limits);
        (limits, whole)
    }
}

/// Gathers along `and`; `false` when something else was met.
fn collect(expression: &Expr, property: &str, limits: &mut Vec<Limit>) -> bool {
    let limit = match expression {
        Expr::And(left, right) => {
            let left = collect(left, property, limits);
            return collect(right, property, limits) && left;
        }
        Expr::Compare(path, op, Literal::Text(text)) if *path == [property] => {
            let text = text.to_lowercase();
            match op {
                Op::Ge => Limit::From(text),
                Op::Gt => Limit::Above(text),
                Op::Le => Limit::To(text),
                Op::Lt => Limit::Below(text),
                Op::Eq => Limit::Is(text),
                Op::Ne => return false,
            }
        }
        Expr::Call(Function::StartsWith, path, text) if *path == [property] => {
            Limit::Prefix(text.to_lowercase())
        }
        _ => return false,
    };
    limits.push(limit);
    true
}

#[cfg(test)]
mod tests {
    use super::super::super::routes::Version;
    use super::*;

    #[test]
    fn only_conditions_that_hold_for_every_row_are_limits() {
        let limits = |text| {
            Filter::parse(text, Version::V1, "microsoft.graph.user")
                .unwrap()
                .limits("displayName")
        };
        let from = |text: &str| Limit::From(text.to_owned());
        let to = |text: &str| Limit::To(text.to_owned());
        assert_eq!(
            limits("displayName ge 'A' and displayName le 'b'"),
            (vec![from("a"), to("b")], true)
        );
        assert_eq!(
            limits("userType eq 'Guest' and displayName ge 'A'"),
            (vec![from("a")], false)
        );
        assert_eq!(
            limits("startsWith(displayName,'Zo')"),
            (vec![Limit::Prefix("zo".to_owned())], true)
        );
        for elsewhere in [
            "displayName ge 'a' or accountEnabled eq true",
            "not (displayName ge 'a')",
            "displayName ne 'a'",
            "displayName eq null",
        ] {
            assert_eq!(limits(elsewhere), (vec![], false), "{elsewhere}");
        }
    }
}
