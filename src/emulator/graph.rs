//! One Graph request, alone or as a part of a batch: checks in the order of the service, then the data.
use serde_json::Value;

use super::admission::{charge, denied, permitted};
use super::errors::Failure;
use super::faults::{FaultKind, RetryAfter};
use super::odata::select::{ObjectWriter, Projection};
use super::odata::{Query, Rules, Scope, decode};
use super::page::{self, Page};
use super::reply::{Ask, JSON, Mishap, Reply, with_status};
use super::resolve::{Found, RELATIONS, Resolver, Row};
use super::routes::{self, Matched, Shape, Version};
use super::state::State;
use super::synthetic::Computed;
use super::throttle::{PERCENTAGE, Service};

/// Answers a request of an application with these permissions.
pub(super) fn answer(state: &State, ask: &Ask, granted: &[String]) -> Reply {
    with_fault(state, ask, |fault| {
        respond(state, ask, granted, fault)
            .unwrap_or_else(|failure| Reply::failure(&failure, &ask.trace))
    })
}

/// Counts a request for the faults, and answers with the fault that is due or by `respond`.
pub(super) fn with_fault(
    state: &State,
    ask: &Ask,
    respond: impl FnOnce(Option<&FaultKind>) -> Reply,
) -> Reply {
    let fault = state.faults.due(&ask.path_and_query(), ask.batch_part);
    if let Some(fault) = &fault
        && let Some(reply) = early(state, ask, fault)
    {
        return reply;
    }
    let mut reply = respond(fault.as_ref());
    match fault {
        Some(FaultKind::CutBody) => reply.mishap = Some(Mishap::Cut),
        Some(FaultKind::Latency(delay)) => reply.delay = Some(delay),
        _ => {}
    }
    reply
}

/// Faults that need no look at the data.
fn early(state: &State, ask: &Ask, fault: &FaultKind) -> Option<Reply> {
    let fail = |failure: &Failure| Some(Reply::failure(failure, &ask.trace));
    match fault {
        FaultKind::Throttle { retry_after } => fail(&throttled(state, ask, retry_after)),
        FaultKind::Status(status) => fail(&with_status(*status)),
        FaultKind::Unavailable { retry_after } => {
            let failure = with_status(503);
            fail(&match retry_after.header(ask.trace.at) {
                Some(value) => failure.header("Retry-After", value),
                None => failure,
            })
        }
        FaultKind::BatchPartFailure => fail(&with_status(500)),
        FaultKind::ErrorUnder200 => {
            let failure = Failure {
                status: 200,
                ..with_status(500)
            };
            fail(&failure)
        }
        FaultKind::ExpiredToken | FaultKind::ClaimsChallenge => {
            let failure = if *fault == FaultKind::ClaimsChallenge {
                Failure::new("claimsChallenge", &[])
            } else {
                Failure::new(
                    "invalidToken",
                    &["Access token has expired or is not yet valid."],
                )
            };
            let mut reply = Reply::failure(&failure, &ask.trace);
            reply.revoke = true;
            Some(reply)
        }
        FaultKind::ResetConnection => {
            let mut reply = Reply::new(200, JSON, b"{}".to_vec());
            reply.mishap = Some(Mishap::Reset);
            Some(reply)
        }
        FaultKind::Html(status) => {
            let page = b"<!DOCTYPE html>\n<html><body><h1>Proxy</h1><p>The page cannot be shown.</p></body></html>\n";
            Some(Reply::new(
                *status,
                "text/html; charset=utf-8",
                page.to_vec(),
            ))
        }
        FaultKind::Redirect(url) => {
            let mut reply = Reply::new(302, "text/plain", Vec::new());
            reply.header("Location", url);
            Some(reply)
        }
        _ => None,
    }
}

fn throttled(state: &State, ask: &Ask, retry_after: &RetryAfter) -> Failure {
    let service = split(&ask.path)
        .and_then(|(version, path)| routes::find(version, &path).ok())
        .map_or(Service::Other, |found| found.route.service);
    let failure = match service {
        Service::ConditionalAccess => Failure::new("throttled.conditionalAccess", &[]),
        Service::SharePoint => Failure::new("throttled.sharepoint", &[]),
        Service::Outlook => Failure::new("throttled.outlook", &[]),
        _ => Failure::new(
            "throttled.identity",
            &[state.tenant.client_id(), state.tenant.tenant_id()],
        ),
    };
    match retry_after.header(ask.trace.at) {
        Some(value) => failure.header("Retry-After", value),
        None => failure,
    }
}

/// Version and decoded segments of a path; `users('id')` counts as two segments.
fn split(path: &str) -> Option<(Version, Vec<String>)> {
    let mut raw = path.split('/').skip(1);
    let version = Version::parse(raw.next()?)?;
    let mut segments = Vec::new();
    for segment in raw {
        let segment = decode(segment, false);
        let key = segment
            .split_once('(')
            .and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)));
        match key {
            Some((name, key)) if !name.starts_with("get") && !name.is_empty() => {
                segments.push(name.to_owned());
                let bare = key
                    .strip_prefix('\'')
                    .and_then(|rest| rest.strip_suffix('\''));
                segments.push(bare.unwrap_or(key).to_owned());
            }
            _ => segments.push(segment),
        }
    }
    if segments.last().is_some_and(String::is_empty) {
        segments.pop();
    }
    Some((version, segments))
}

fn respond(
    state: &State,
    ask: &Ask,
    granted: &[String],
    fault: Option<&FaultKind>,
) -> Result<Reply, Failure> {
    let (version, path) = split(&ask.path).ok_or_else(|| {
        let version = ask.path.split('/').nth(1).unwrap_or_default();
        Failure::bad_request(&format!("Invalid version: {version}"))
    })?;
    let found = routes::find(version, &path).map_err(|index| {
        let segment = path.get(index).map_or("", String::as_str);
        Failure::new("segmentNotFound", &[segment])
    })?;
    let route = found.route;
    let above = path.len().checked_sub(2).and_then(|index| path.get(index));
    let relation =
        above.is_some_and(|above| RELATIONS.contains(&above.to_ascii_lowercase().as_str()));
    let directory = route.service == Service::Identity
        && super::schema::is_a(&found.type_name, "microsoft.graph.directoryObject");
    let rules = match found.type_name.as_str() {
        _ if directory => Rules::Directory,
        "microsoft.graph.unifiedRoleAssignment" => Rules::SingleExpand,
        _ => Rules::Plain,
    };
    let scope = Scope {
        version,
        type_name: &found.type_name,
        rules,
        cast: found.cast && relation,
        shape: found.shape,
        eventual: ask.eventual,
    };
    let query = Query::parse(&ask.query, scope);
    let units = charge(state, &found, &path, query.as_ref().ok())?;
    if let Some(trouble) = state.network.trouble(ask.batch_part)
        && let Some(reply) = early(state, ask, &trouble)
    {
        return Ok(reply);
    }
    let parsed = permitted(state, &found, granted, query)?;
    let licences = state.licences();
    let context = context(ask, version, &path, &parsed);
    let mut reply = if route.licence != "-" && !licences.has(route.licence) {
        if route.unlicensed != "empty" {
            return Err(Failure::new(route.unlicensed, &[]));
        }
        Reply::json(page::empty(&context))
    } else {
        if parsed.mentions("signInActivity")
            && found.type_name == "microsoft.graph.user"
            && !licences.has("p1")
        {
            return Err(Failure::new("premiumMissing", &[]));
        }
        data(state, ask, &found, &path, &parsed, context, fault)?
    };
    if let Some((units, share)) = units {
        reply.header("x-ms-resource-unit", units.to_string());
        if let Some(share) = share {
            reply.header(PERCENTAGE, format!("{share:.2}"));
        }
    }
    let unknown_members = "include-unknown-enum-members";
    if ask
        .prefer
        .as_ref()
        .is_some_and(|prefer| prefer.contains(unknown_members))
    {
        reply.header("Preference-Applied", unknown_members);
    }
    Ok(reply)
}

/// `@odata.context` of an answer.
fn context(ask: &Ask, version: Version, path: &[String], query: &Query) -> String {
    let select = query
        .select
        .as_ref()
        .map_or_else(String::new, |select| format!("({})", select.join(",")));
    format!(
        "{}/{}/$metadata#{}{select}",
        ask.origin,
        version.as_str(),
        path.join("/")
    )
}

fn data(
    state: &State,
    ask: &Ask,
    found: &Matched,
    path: &[String],
    query: &Query,
    context: String,
    fault: Option<&FaultKind>,
) -> Result<Reply, Failure> {
    let (version, _) = split(&ask.path).unwrap_or((Version::V1, Vec::new()));
    let resolver = Resolver {
        tenant: &state.tenant,
        version,
    };
    let count = found.shape == Shape::Count;
    let target = if count { &path[..path.len() - 1] } else { path };
    if query.mentions("signInActivity")
        && found.shape == Shape::One
        && path.last().is_some_and(|id| id.contains('@'))
    {
        return Err(Failure::bad_request(
            "Get By Key only supports UserId and the key has to be a valid Guid",
        ));
    }
    let projection = Projection {
        version,
        type_name: &found.type_name,
        select: query.select.as_deref(),
        listed: found.shape == Shape::List,
    };
    let limited = found.route.service == Service::Identity;
    let single = found.shape == Shape::One;
    let owned;
    let held = match state
        .tenant
        .synthetic
        .as_ref()
        .and_then(|lists| lists.find(target))
    {
        Some(Computed::List(list)) => {
            let view = list.view(query)?;
            if count {
                return Ok(number(view.len()));
            }
            let page = Page {
                resolver,
                query,
                projection,
                path,
                origin: &ask.origin,
                raw_path: &ask.path,
                context,
                size: size(state, found, query, fault)?,
                limited_expand: limited,
                fault,
            };
            return page.write_view(list, &view, &state.places).map(Reply::json);
        }
        Some(Computed::One(value)) => {
            owned = value;
            Found::One(Row::plain(&owned))
        }
        Some(Computed::Below(id)) => resolver.below(id, single),
        None => resolver.find(target, single),
    };
    match held {
        Found::List(rows) if count => Ok(number(match &query.filter {
            Some(filter) => rows
                .into_vec()
                .iter()
                .filter(|row| filter.matches(row.value))
                .count(),
            None => rows.len(),
        })),
        Found::List(rows) => {
            let base = match path.split_last() {
                Some((last, parent)) if routes::cast_of(last).is_some() => parent,
                _ => path,
            };
            let page = Page {
                resolver,
                query,
                projection,
                path: base,
                origin: &ask.origin,
                raw_path: &ask.path,
                context,
                size: size(state, found, query, fault)?,
                limited_expand: limited,
                fault,
            };
            page.write(rows, &state.places).map(Reply::json)
        }
        Found::One(row) if found.shape == Shape::Report => Ok(report(state, ask, row.value)),
        Found::One(row) if row.value.is_object() => {
            let home = path
                .split_last()
                .map(|(_, parent)| parent)
                .unwrap_or_default();
            let expanded = resolver.expand(home, row.value, &query.expand, limited);
            let mut inner = Vec::new();
            projection.write(&mut inner, row.value, row.odata_type.as_deref(), &expanded);
            Ok(Reply::json(with_context(&context, &inner)))
        }
        Found::One(_) | Found::NotHeld => Err(denied(
            found.route.denied,
            &found.route.permissions,
            &state.tenant.profile.app.permissions,
        )),
        Found::UnknownObject(_) if found.route.denied == "exchange" => {
            Err(Failure::new("mailboxMissing", &[]))
        }
        Found::UnknownObject(id) => Err(Failure::new("notFound", &[&id])),
    }
}

/// The answer of `/$count`.
fn number(number: usize) -> Reply {
    Reply::new(200, "text/plain", number.to_string().into_bytes())
}

/// Puts `@odata.context` in front of the fields of an object.
fn with_context(context: &str, object: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(object.len() + context.len() + 20);
    let mut writer = ObjectWriter::new(&mut out);
    writer.field("@odata.context", &Value::from(context));
    if object.len() > 2 {
        out.push(b',');
    }
    out.extend_from_slice(object.get(1..).unwrap_or(b"}"));
    out
}

/// Rows of a page at most.
fn size(
    state: &State,
    found: &Matched,
    query: &Query,
    fault: Option<&FaultKind>,
) -> Result<Option<usize>, Failure> {
    let route = found.route;
    let top = match fault {
        Some(FaultKind::IgnoreTop) => None,
        _ => query.top,
    };
    let sign_in = found.type_name == "microsoft.graph.user" && query.mentions("signInActivity");
    let size = match (route.top_max, top) {
        // Larger values are documented to be cut here, not refused.
        (_, Some(top)) if sign_in => Some(top.min(500)),
        (Some(max), Some(top)) if top > max => {
            return Err(Failure::bad_request(&format!(
                "Invalid page size specified: '{top}'. Must be between 1 and {max} inclusive."
            )));
        }
        (None, Some(_)) if route.service == Service::Identity && found.shape == Shape::List => {
            return Err(Failure::unsupported(
                "'$top' is not supported by the service.",
            ));
        }
        (_, Some(top)) => Some(top),
        (_, None) => route.top_default,
    };
    Ok(match (size, state.options.max_page) {
        (Some(size), Some(forced)) => Some(size.min(forced)),
        (size, forced) => size.or(forced),
    })
}

/// A usage report: a redirect to the file, which is fetched without a token. The body of the tenant is the CSV text, or an object
/// with the text in `redirected`.
fn report(state: &State, ask: &Ask, body: &Value) -> Reply {
    let text = body
        .as_str()
        .or_else(|| body.get("redirected").and_then(Value::as_str));
    let name = state.keep_download(text.unwrap_or_default());
    let mut reply = Reply::new(302, "text/plain", Vec::new());
    reply.header("Location", format!("{}/download/{name}", ask.origin));
    reply
}
