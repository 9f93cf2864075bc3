//! Short answers: many small objects in few round trips, and the pages that follow where one is not that short.

use futures_util::StreamExt as _;

use super::chain::{Chain, Ended, Reader, Start};
use super::{Told, requests, rows, shape};
use crate::graph::{Answer, GraphError};
use crate::snapshot::{Guid, Resource};

/// Reads resources whose answers are short and of which nothing is there yet, and tells how each ended.
pub(super) async fn read_singles(reader: &Reader, resources: Vec<Resource>) {
    for &resource in &resources {
        reader.begin(resource).await;
    }
    let ask = std::sync::Arc::clone(&reader.ask);
    let queries = resources.into_iter().map(move |resource| {
        let query = requests::query(resource, ask.now, ask.alert_days);
        (resource, query)
    });
    // Some services answer once a second: what the others say is kept meanwhile.
    let answers = reader.client.answers(queries);
    let tell = async |(resource, answer)| {
        let mut ended = tell_answer(reader, resource, None, answer).await;
        if shape::may_not_exist(resource) {
            ended.forgive_absence();
        }
        let state = ended.state(resource);
        reader.end(resource, state, ended.of, ended.effort).await;
    };
    answers.for_each_concurrent(None, tell).await;
}

/// Tells what came as one answer, and the pages that follow it.
pub(super) async fn tell_answer(
    reader: &Reader,
    resource: Resource,
    of: Option<Guid>,
    answer: Result<Answer, GraphError>,
) -> Ended {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Ended::refused(error),
    };
    let (effort, next, count) = (answer.effort, answer.next(), answer.count());
    let rows = if shape::is_collection(resource) {
        answer.rows()
    } else {
        Ok(vec![rows::object(resource, answer.body)])
    };
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => return Ended::refused(error),
    };
    let ended = Ended::with_page(rows.len() as u64, count);
    let follow = next.filter(|_| shape::goes_on(resource));
    let _ = reader
        .tell
        .send(Told::Rows {
            resource,
            of,
            shard: None,
            rows,
            count,
            next: follow.clone(),
            effort,
        })
        .await;
    if follow.is_none() && ended.shortfall().is_none() {
        return ended;
    }
    let query = match of {
        Some(of) => requests::query_of(resource, of),
        None => requests::query(resource, reader.ask.now, reader.ask.alert_days),
    };
    let chain = Chain {
        of,
        ..Chain::whole(resource)
    };
    let rest = follow.map(|link| Start {
        pages: reader.client.follow(&link),
        read: Some(ended.read),
        of: count,
        is_old: false,
    });
    chain.read(reader, &query, rest).await
}
