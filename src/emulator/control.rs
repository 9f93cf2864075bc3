//! Questions about the emulator itself, where they are allowed: what was counted, and the least time it could have taken.
//!
//! - `GET /emulator/summary`: [`Summary`](super::Summary) as JSON
//! - `GET /emulator/floor`: `{"seconds": .., "wall": "..", "text": "..", "requests": {"Identity": 245, ..}}` for the computed tenant
//!   that is served and what was asked of it so far; `requests` are those that are needed at least, by service. Before the first
//!   request it is that of a full reading, and `signIns=true` and `registration=true` add the reports.
use std::collections::BTreeMap;

use serde_json::json;

use super::floor::{Conditions, Floor, Service, SignIns, Work};
use super::odata::pairs;
use super::reply::Reply;
use super::state::State;
use super::{Mix, Pace};

/// Answers a path below `/emulator/`, if such questions are allowed.
pub(super) fn answer(state: &State, path: &str, query: &str) -> Option<Reply> {
    let question = path
        .strip_prefix("/emulator/")
        .filter(|_| state.options.control)?;
    let body = match question {
        "summary" => serde_json::to_value(state.summary()).ok()?,
        "floor" => {
            let work = work(state, query)?;
            let floor = floor(state, &work);
            let requests: BTreeMap<String, u64> = Service::ALL
                .into_iter()
                .map(|service| (format!("{service:?}"), work.requests(service)))
                .filter(|(_, many)| *many > 0)
                .collect();
            json!({
                "seconds": floor.seconds(),
                "wall": floor.wall().map(|term| &term.name),
                "text": floor.to_string(),
                "requests": requests,
            })
        }
        _ => return None,
    };
    Some(Reply::new(
        200,
        "application/json",
        body.to_string().into_bytes(),
    ))
}

/// What has to be asked.
fn work(state: &State, query: &str) -> Option<Work> {
    let mix: &Mix = state.tenant.synthetic.as_ref()?.mix();
    let (summary, reports) = (state.summary(), state.options.sign_ins_are_reports);
    if summary.requests > 0 {
        return Some(Work::asked(mix, reports, &summary.needed));
    }
    let asked = pairs(query);
    let wanted = |name: &str| {
        asked
            .iter()
            .any(|(own, value)| own == name && value == "true")
    };
    let sign_ins = match (wanted("signIns"), reports) {
        (true, true) => SignIns::Reports,
        (true, false) => SignIns::Identity,
        (false, _) => SignIns::Unread,
    };
    Some(Work::of(mix, sign_ins, wanted("registration")).with_keys())
}

fn floor(state: &State, work: &Work) -> Floor {
    let options = &state.options;
    let seconds = options
        .latency
        .map_or(0.0, |latency| latency.mean().as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "for a quotient of seconds")]
    let bytes = options
        .bandwidth
        .map(|rate| (state.summary().bytes as f64, rate as f64));
    let conditions = Conditions {
        latency: seconds,
        users: state.tenant.users(),
        unit_scale: options.unit_scale,
        bytes,
        trouble: options
            .trouble
            .as_ref()
            .map_or(0.0, |trouble| trouble.share),
        wait: options.trouble.as_ref().map_or(0.0, super::Trouble::wait),
        limits: options.pace == Pace::Strict,
        ..Conditions::default()
    };
    Floor::of(work, &conditions)
}
