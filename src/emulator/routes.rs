//! The request paths that Graph knows, with the permissions, licences, page sizes and limits of each (`fixtures/graph/routes.tsv`).
use std::sync::OnceLock;

use super::throttle::Service;

/// The version of Graph that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    Beta,
}

impl Version {
    pub(super) fn parse(segment: &str) -> Option<Self> {
        match segment {
            "v1.0" => Some(Self::V1),
            "beta" => Some(Self::Beta),
            _ => None,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

/// What a path answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A collection in `value`.
    List,
    /// A single object.
    One,
    /// The bare number of a `/$count` segment.
    Count,
    /// 302 to a CSV file.
    Report,
}

/// A filter without which the service refuses to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    /// scopeId and scopeType.
    Scope,
    /// groupId or principalId.
    Group,
}

/// One row of the table.
#[derive(Debug)]
pub(super) struct Route {
    beta_only: bool,
    segments: Vec<&'static str>,
    /// Application permissions, any of which suffices; empty: no application may read this.
    pub(super) permissions: Vec<&'static str>,
    /// Key (after `denied.`) of the error for a missing permission.
    pub(super) denied: &'static str,
    /// Licence, as `tenant::Licences` names it; `-` for none.
    pub(super) licence: &'static str,
    /// Error without the licence, or `empty`.
    pub(super) unlicensed: &'static str,
    /// Full name of the type of an item; empty where the schema has none.
    pub(super) type_name: String,
    shape: Shape,
    /// Largest `$top`; none: the list is not paged.
    pub(super) top_max: Option<usize>,
    pub(super) top_default: Option<usize>,
    pub(super) service: Service,
    pub(super) needs: Needs,
}

impl Route {
    fn answers(&self, version: Version) -> bool {
        !self.beta_only || version == Version::Beta
    }

    /// Path with `{id}` in it.
    pub(super) fn template(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }

    /// Number of literal segments when the path fits.
    fn fits(&self, path: &[String]) -> Option<usize> {
        if path.len() != self.segments.len() {
            return None;
        }
        let mut literal = 0;
        for (pattern, segment) in self.segments.iter().zip(path) {
            match segment_fits(pattern, segment) {
                Some(true) => literal += 1,
                Some(false) => {}
                None => return None,
            }
        }
        Some(literal)
    }
}

/// `Some(true)` for a literal, `Some(false)` for a placeholder.
fn segment_fits(pattern: &str, segment: &str) -> Option<bool> {
    if pattern == "{id}" {
        return (!segment.is_empty() && !segment.starts_with('$')).then_some(false);
    }
    if let Some(name) = pattern.strip_suffix("(period='{period}')") {
        let period = segment
            .strip_prefix(name)?
            .strip_prefix("(period='")?
            .strip_suffix("')")?;
        return matches!(period, "D7" | "D30" | "D90" | "D180").then_some(true);
    }
    pattern.eq_ignore_ascii_case(segment).then_some(true)
}

/// A route and what of it was asked.
#[derive(Debug)]
pub(super) struct Matched {
    pub(super) route: &'static Route,
    pub(super) shape: Shape,
    /// Type after an OData cast in the path, else the one of the route.
    pub(super) type_name: String,
    /// The last segment casts the collection to a derived type.
    pub(super) cast: bool,
}

/// The name in an OData cast segment (`microsoft.graph.user`, `graph.user`), in full.
pub(super) fn cast_of(segment: &str) -> Option<String> {
    if segment.starts_with("microsoft.graph.") {
        Some(segment.to_owned())
    } else {
        segment
            .strip_prefix("graph.")
            .map(|rest| format!("microsoft.graph.{rest}"))
    }
}

/// Finds the route of a path (without the version).
///
/// Beyond the table each collection answers `/{id}`, `/$count` and OData casts.
///
/// # Errors
/// The index of the first segment that no path of this version has.
pub(super) fn find(version: Version, path: &[String]) -> Result<Matched, usize> {
    if let Some(route) = exact(version, path) {
        let cast =
            route.shape == Shape::List && path.last().and_then(|last| cast_of(last)).is_some();
        return Ok(Matched {
            route,
            shape: route.shape,
            type_name: route.type_name.clone(),
            cast,
        });
    }
    if let Some((last, parent)) = path.split_last()
        && let Ok(of) = find(version, parent)
        && of.shape == Shape::List
    {
        let matched = if last == "$count" {
            Matched {
                shape: Shape::Count,
                ..of
            }
        } else if let Some(type_name) = cast_of(last) {
            Matched {
                type_name,
                cast: true,
                ..of
            }
        } else if last.starts_with('$') || of.cast {
            return Err(parent.len());
        } else {
            Matched {
                shape: Shape::One,
                ..of
            }
        };
        return Ok(matched);
    }
    let known = (0..path.len())
        .rev()
        .find(|&length| {
            table().iter().any(|route| {
                route.answers(version)
                    && route.segments.len() >= length
                    && route.segments[..length]
                        .iter()
                        .zip(path)
                        .all(|(pattern, segment)| segment_fits(pattern, segment).is_some())
            })
        })
        .unwrap_or(0);
    Err(known)
}

fn exact(version: Version, path: &[String]) -> Option<&'static Route> {
    table()
        .iter()
        .filter(|route| route.answers(version))
        .filter_map(|route| Some((route.fits(path)?, route)))
        .max_by_key(|(literal, _)| *literal)
        .map(|(_, route)| route)
}

/// The collection at the top of which objects of this type live, for example `/users` for `microsoft.graph.user`.
pub(super) fn home_of(type_name: &str) -> Option<String> {
    table()
        .iter()
        .find(|route| {
            route.shape == Shape::List
                && route.type_name == type_name
                && !route.segments.contains(&"{id}")
        })
        .map(Route::template)
}

/// All routes, parsed once.
pub(super) fn table() -> &'static [Route] {
    static TABLE: OnceLock<Vec<Route>> = OnceLock::new();
    TABLE.get_or_init(|| {
        include_str!("../../fixtures/graph/routes.tsv")
            .lines()
            .skip(1)
            .map(|line| row(line).expect("routes.tsv is part of the program and parsed by a test"))
            .collect()
    })
}

fn row(line: &'static str) -> Option<Route> {
    let mut cells = line.split('\t');
    let mut next = || cells.next();
    let versions = next()?;
    let path = next()?;
    let permissions = next()?;
    let (denied, licence, unlicensed) = (next()?, next()?, next()?);
    let type_name = next()?;
    let shape = match next()? {
        "list" => Shape::List,
        "one" => Shape::One,
        "text" => Shape::Count,
        "report" => Shape::Report,
        _ => return None,
    };
    let (top_max, top_default) = (next()?, next()?);
    let service = Service::parse(next()?)?;
    let needs = match next()? {
        "-" => Needs::Nothing,
        "scope" => Needs::Scope,
        "group" => Needs::Group,
        _ => return None,
    };
    Some(Route {
        beta_only: versions == "beta",
        segments: path.split('/').skip(1).collect(),
        permissions: permissions.split(',').filter(|name| *name != "-").collect(),
        denied,
        licence,
        unlicensed,
        type_name: if type_name == "-" {
            String::new()
        } else {
            format!("microsoft.graph.{type_name}")
        },
        shape,
        top_max: top_max.parse().ok(),
        top_default: top_default.parse().ok(),
        service,
        needs,
    })
}

#[cfg(test)]
mod tests {
    use super::super::errors::Failure;
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('/').skip(1).map(ToOwned::to_owned).collect()
    }

    #[test]
    fn literals_win_over_placeholders_and_collections_answer_more() {
        let found = find(Version::V1, &path("/sites/getAllSites")).unwrap();
        assert_eq!(found.shape, Shape::List);
        let found = find(
            Version::V1,
            &path("/groups/g/members/microsoft.graph.group/$count"),
        )
        .unwrap();
        assert_eq!(
            (found.shape, found.type_name.as_str()),
            (Shape::Count, "microsoft.graph.group")
        );
        assert_eq!(
            find(Version::V1, &path("/users/u")).unwrap().shape,
            Shape::One
        );
    }

    #[test]
    fn the_unknown_segment_is_named() {
        assert_eq!(
            find(
                Version::V1,
                &path("/deviceManagement/configurationPolicies")
            )
            .unwrap_err(),
            1
        );
        assert!(
            find(
                Version::Beta,
                &path("/deviceManagement/configurationPolicies")
            )
            .is_ok()
        );
        assert_eq!(find(Version::V1, &path("/users/u/nothing")).unwrap_err(), 2);
        assert_eq!(find(Version::V1, &path("/nothing")).unwrap_err(), 0);
    }

    #[test]
    fn every_error_of_the_table_exists() {
        for route in table() {
            let denied = format!("denied.{}", route.denied);
            assert!(Failure::exists(&denied), "{denied} of {}", route.template());
            let known =
                matches!(route.unlicensed, "-" | "empty") || Failure::exists(route.unlicensed);
            assert!(known, "{} of {}", route.unlicensed, route.template());
        }
    }
}
