//! OData query options: reading them, and refusing what Graph refuses.
pub(super) mod conjunction;
pub(super) mod filter;
mod grammar;
pub(super) mod select;

use serde_json::Value;

use super::errors::Failure;
use super::routes::{Shape, Version};
use super::schema;
use filter::Filter;
use select::Expand;

/// The query of a request, parsed and checked against the type of the route.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// Property paths; `None`: not sent.
    pub(super) select: Option<Vec<String>>,
    pub(super) expand: Vec<Expand>,
    pub(super) filter: Option<Filter>,
    pub(super) order_by: Vec<(Vec<String>, bool)>,
    pub(super) top: Option<usize>,
    pub(super) skip: usize,
    pub(super) count: bool,
    pub(super) skip_token: Option<String>,
    /// The query as sent without `$skiptoken`, for the nextLink.
    pub(super) without_token: String,
}

/// Percent-decodes; `+` is a blank where `plus` says so (queries and forms).
pub(super) fn decode(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        let hex = bytes
            .get(index + 1..index + 3)
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (byte, hex) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                index += 2;
            }
            (b'+', _) if plus => out.push(b' '),
            _ => out.push(byte),
        }
        index += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Name and value pairs of a query or form.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name, true), decode(value, true))
        })
        .collect()
}

/// Which queries a collection takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// Those of OData.
    Plain,
    /// One navigation property in `$expand` at most.
    SingleExpand,
    /// Directory objects: single `$expand`, advanced queries by header, no `$skip`.
    Directory,
}

/// What a query may say depends on this.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) version: Version,
    /// Full name of the type of an item; empty: unknown.
    pub(super) type_name: &'a str,
    pub(super) rules: Rules,
    /// The path ends in an OData cast of a relation (`/members/microsoft.graph.user`).
    pub(super) cast: bool,
    pub(super) shape: Shape,
    /// The header `ConsistencyLevel: eventual` was sent.
    pub(super) eventual: bool,
}

impl Query {
    /// Parses the raw query string.
    ///
    /// # Errors
    /// What Graph answers to a query that it does not support here.
    pub(super) fn parse(raw: &str, scope: Scope<'_>) -> Result<Self, Failure> {
        let mut query = Self::default();
        let mut seen = Vec::new();
        for (name, value) in pairs(raw) {
            if !name.starts_with('$') {
                continue;
            }
            let name = name.to_ascii_lowercase();
            if seen.contains(&name) {
                return Err(Failure::bad_request(&format!(
                    "Query option '{name}' was specified more than once, but it must be specified at most once."
                )));
            }
            query.option(&name, &value, scope)?;
            seen.push(name);
        }
        let kept: Vec<&str> = raw
            .split('&')
            .filter(|pair| {
                let name = decode(pair.split('=').next().unwrap_or_default(), true);
                !pair.is_empty() && !name.eq_ignore_ascii_case("$skiptoken")
            })
            .collect();
        query.without_token = kept.join("&");
        query.check(scope)?;
        Ok(query)
    }

    fn option(&mut self, name: &str, value: &str, scope: Scope<'_>) -> Result<(), Failure> {
        match name {
            "$select" => {
                self.select = Some(select::parse_select(value, scope.version, scope.type_name)?);
            }
            "$expand" => self.expand = select::parse_expand(value, scope.version, scope.type_name)?,
            "$filter" => self.filter = Some(Filter::parse(value, scope.version, scope.type_name)?),
            "$orderby" => self.order_by = order_by(value, scope)?,
            "$top" => {
                self.top = match value.parse() {
                    Ok(top) if top > 0 => Some(top),
                    _ => {
                        return Err(Failure::bad_request(&format!(
                            "Invalid value '{value}' for $top query option found. The $top query option requires a positive integer value."
                        )));
                    }
                };
            }
            "$skip" => {
                if scope.rules == Rules::Directory {
                    return Err(Failure::unsupported(
                        "'$skip' is not supported by the service.",
                    ));
                }
                self.skip = value.parse().map_err(|_| {
                    Failure::bad_request(&format!(
                        "Invalid value '{value}' for $skip query option found."
                    ))
                })?;
            }
            "$count" => {
                self.count = match value {
                    "true" => true,
                    "false" => false,
                    _ => {
                        return Err(Failure::bad_request(&format!(
                            "Invalid value '{value}' for $count query option found."
                        )));
                    }
                };
            }
            "$skiptoken" => self.skip_token = Some(value.to_owned()),
            "$format" if value == "json" || value == "application/json" => {}
            _ => {
                return Err(Failure::unsupported(&format!(
                    "The query parameter '{name}' is not supported."
                )));
            }
        }
        Ok(())
    }

    /// The rules for directory objects: advanced queries need the header and `$count=true`.
    fn check(&self, scope: Scope<'_>) -> Result<(), Failure> {
        let of_lists = self.filter.is_some()
            || !self.order_by.is_empty()
            || self.top.is_some()
            || self.count
            || self.skip > 0;
        if scope.shape == Shape::One && of_lists {
            return Err(Failure::bad_request(
                "The query specified in the URI is not valid. Query options $orderby, $filter, $top, $skip and $count can be applied only on collections.",
            ));
        }
        if scope.rules != Rules::Plain && self.expand.len() > 1 {
            return Err(Failure::bad_request(
                "The $expand query parameter supports only one navigation property per request here.",
            ));
        }
        if scope.rules != Rules::Directory {
            return Ok(());
        }
        if scope.shape == Shape::Count {
            return if scope.eventual {
                Ok(())
            } else {
                Err(Failure::new("countNeedsHeader", &[]))
            };
        }
        let advanced = self.filter.as_ref().is_some_and(Filter::is_advanced)
            || (self.filter.is_some() && !self.order_by.is_empty())
            || (scope.cast
                && (self.select.is_some() || self.filter.is_some() || !self.order_by.is_empty()));
        let complete = self.count && scope.eventual;
        if (advanced || self.count) && !complete {
            return Err(Failure::new("unsupportedQuery", &[]));
        }
        if let Some(filter) = &self.filter {
            filter.check_directory()?;
        }
        Ok(())
    }

    /// Whether a property is named in `$select` or `$filter`.
    pub(super) fn mentions(&self, property: &str) -> bool {
        let selected = self
            .select
            .iter()
            .flatten()
            .any(|path| path.split('/').next() == Some(property));
        selected
            || self
                .filter
                .as_ref()
                .is_some_and(|filter| filter.mentions(property))
    }
}

/// Follows a property path into nested types.
///
/// # Errors
/// The first name that the type does not have, with that type.
pub(super) fn resolve_path(
    version: Version,
    type_name: &str,
    path: &[String],
) -> Result<schema::Property, (String, String)> {
    let mut current = schema::Property {
        type_name: type_name.to_owned(),
        collection: false,
        navigation: false,
    };
    for name in path {
        if let Some(cast) = super::routes::cast_of(name) {
            current.type_name = cast;
            continue;
        }
        if current.type_name.starts_with("Edm.") {
            return Err((name.clone(), current.type_name));
        }
        let Some(found) = schema::property(version, &current.type_name, name) else {
            return Err((name.clone(), current.type_name));
        };
        current = found;
    }
    Ok(current)
}

fn order_by(value: &str, scope: Scope<'_>) -> Result<Vec<(Vec<String>, bool)>, Failure> {
    let mut order = Vec::new();
    for item in value.split(',') {
        let mut words = item.split_whitespace();
        let path: Vec<String> = words
            .next()
            .unwrap_or_default()
            .split('/')
            .map(ToOwned::to_owned)
            .collect();
        let descending = match (words.next(), words.next()) {
            (None | Some("asc"), None) => false,
            (Some("desc"), None) => true,
            _ => {
                return Err(Failure::bad_request(&format!(
                    "Syntax error in '$orderby={value}'."
                )));
            }
        };
        resolve_path(scope.version, scope.type_name, &path)
            .map_err(|(name, of)| Failure::new("unknownFilterProperty", &[&name, &of]))?;
        order.push((path, descending));
    }
    Ok(order)
}

/// The value at a property path; `Null` where something is missing.
pub(super) fn at<'a>(row: &'a Value, path: &[String]) -> &'a Value {
    const NULL: &Value = &Value::Null;
    let mut current = row;
    for name in path {
        if super::routes::cast_of(name).is_some() {
            continue;
        }
        match current.get(name) {
            Some(found) => current = found,
            None => return NULL,
        }
    }
    current
}

/// Order of two values for `$orderby`: null first, text without regard to case.
pub(super) fn compare(left: &Value, right: &Value) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    match (left, right) {
        (Value::String(left), Value::String(right)) => {
            left.to_lowercase().cmp(&right.to_lowercase())
        }
        (Value::Number(left), Value::Number(right)) => left
            .as_f64()
            .partial_cmp(&right.as_f64())
            .unwrap_or(Ordering::Equal),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: Scope<'static> = Scope {
        version: Version::V1,
        type_name: "microsoft.graph.user",
        rules: Rules::Directory,
        cast: false,
        shape: Shape::List,
        eventual: false,
    };

    fn refused(raw: &str, scope: Scope<'_>) -> String {
        Query::parse(raw, scope).unwrap_err().code
    }

    #[test]
    fn advanced_queries_need_header_and_count() {
        let ne = "$filter=userType%20ne%20'Guest'&$count=true";
        assert_eq!(refused(ne, USERS), "Request_UnsupportedQuery");
        let eventual = Scope {
            eventual: true,
            ..USERS
        };
        assert!(Query::parse(ne, eventual).is_ok());
        assert_eq!(
            refused("$filter=userType+ne+'Guest'", eventual),
            "Request_UnsupportedQuery"
        );
        assert_eq!(refused("$count=true", USERS), "Request_UnsupportedQuery");
        let elsewhere = Scope {
            rules: Rules::Plain,
            type_name: "microsoft.graph.riskyUser",
            ..USERS
        };
        assert!(Query::parse("$filter=riskState ne 'none'", elsewhere).is_ok());
        assert_eq!(
            refused("$filter=id ge 'a'", USERS),
            "Request_UnsupportedQuery"
        );
        let counting = Scope {
            shape: Shape::Count,
            ..USERS
        };
        assert_eq!(refused("", counting), "Request_BadRequest");
    }

    #[test]
    fn odd_options_are_refused() {
        for raw in [
            "$top=0",
            "$top=-1",
            "$top=many",
            "$count=yes",
            "$top=1&$top=2",
            "$skip=1",
            "$search=x",
            "$foo=1",
        ] {
            assert_eq!(Query::parse(raw, USERS).unwrap_err().status, 400, "{raw}");
        }
        let query = Query::parse("$top=5&$skiptoken=abc&x=%20y", USERS).unwrap();
        assert_eq!(query.without_token, "$top=5&x=%20y");
    }
}
