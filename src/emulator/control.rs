//! Questions about the emulator itself, where they are allowed: what was counted, and the least time it could have taken.
//!
//! - `GET /emulator/summary`: [`Summary`](super::Summary) as JSON
//! - `GET /emulator/floor`: `{"seconds": .., "wall": "..", "text": ".."}` for the computed tenant that is served. `lists=/users,/groups`
//!   keeps these lists only, `restricted=5` adds short lists under the
//!   limit of Conditional Access and risk, `singles=40` is the number of other requests, `signIns=true` and `registration=true` add the reports.
use serde_json::json;

use super::floor::{Conditions, Floor, SignIns, Work};
use super::odata::pairs;
use super::reply::Reply;
use super::server::State;
use super::throttle::Service;
use super::{Mix, Pace};

/// Answers a path below `/emulator/`, if such questions are allowed.
pub(super) fn answer(state: &State, path: &str, query: &str) -> Option<Reply> {
    let question = path
        .strip_prefix("/emulator/")
        .filter(|_| state.options.control)?;
    let body = match question {
        "summary" => serde_json::to_value(state.summary()).ok()?,
        "floor" => {
            let floor = floor(state, query)?;
            json!({"seconds": floor.seconds(), "wall": floor.wall().map(|term| term.name), "text": floor.to_string()})
        }
        _ => return None,
    };
    Some(Reply::new(
        200,
        "application/json",
        body.to_string().into_bytes(),
    ))
}

fn floor(state: &State, query: &str) -> Option<Floor> {
    let mix: &Mix = state.tenant.synthetic.as_ref()?.mix();
    let asked = pairs(query);
    let value = |name: &str| {
        asked
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    };
    let options = &state.options;
    let sign_ins = match (value("signIns"), options.sign_ins_are_reports) {
        (Some("true"), true) => SignIns::Reports,
        (Some("true"), false) => SignIns::Identity,
        _ => SignIns::Unread,
    };
    let mut work = Work::of(mix, sign_ins, value("registration") == Some("true"));
    if let Some(lists) = value("lists") {
        let lists: Vec<&str> = lists.split(',').collect();
        work = work.only(|name| {
            lists.iter().any(|list| {
                name.split(' ')
                    .next()
                    .is_some_and(|name| name.eq_ignore_ascii_case(list))
            })
        });
    }
    if let Some(others) = value("restricted").and_then(|others| others.parse().ok()) {
        work.restrict(others);
    }
    if let Some(singles) = value("singles").and_then(|singles| singles.parse().ok()) {
        work.singles = singles;
    }
    let (units_at_once, period) = Service::Identity.limit(state.tenant.users(), options.unit_scale);
    let seconds = options
        .latency
        .map_or(0.0, |latency| latency.mean().as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "for a quotient of seconds")]
    let bytes = options
        .bandwidth
        .map(|rate| (state.summary().bytes as f64, rate as f64));
    let conditions = Conditions {
        latency: seconds,
        units_at_once,
        units_per_second: units_at_once / period,
        bytes,
        trouble: options
            .trouble
            .as_ref()
            .map_or(0.0, |trouble| trouble.share),
        wait: options.trouble.as_ref().map_or(0.0, super::Trouble::wait),
        limits: options.pace == Pace::Strict,
        ..Conditions::default()
    };
    Some(Floor::of(&work, &conditions))
}
