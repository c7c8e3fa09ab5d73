//! ExecQuery: rows as the providers give their instances; only ORDER BY and DISTINCT hold some.

use std::collections::HashSet;
use std::future::ready;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use futures_util::future::Either;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::model::{CimError, CimValue, Instance, InstancePath, Result, Status};
use crate::ops::{ExecQuery, InstanceStream, Reply, Select};
use crate::provider::Context;
use crate::query::limits::HELD_ROWS_LIMIT;
use crate::query::{Circumstances, Query};

use super::dispatch::Broker;

impl Broker {
    /// DSP0200 1.4 §5.4.2.13.
    pub(super) async fn exec_query(&self, cx: &Context, request: &ExecQuery) -> Result<Reply> {
        let query = Query::given(&request.language, &request.query, &*cx.schema)?;
        let (stream, select) = self.rows(cx, Arc::new(query)).await?;
        Ok(Reply::Rows { stream, select })
    }

    /// The rows of `query`, with what is wanted of them.
    pub(super) async fn rows(
        &self,
        cx: &Context,
        query: Arc<Query>,
    ) -> Result<(InstanceStream, Select)> {
        let select = Select {
            properties: query.projection.names(),
            class_origin: false,
        };
        let selected = selected(cx, &query, self.candidates(cx, &query).await?);
        let ordered = if query.is_ordered() {
            ordered(cx, &query, selected).await?
        } else {
            selected
        };
        let shown = query.clone();
        let rows = ordered.map_ok(move |instance| shown.projection.of(instance));
        let rows = if query.distinct {
            distinct(rows.boxed())
        } else {
            rows.boxed()
        };
        let stream = match query.first {
            Some(first) => rows
                .take(usize::try_from(first).unwrap_or(usize::MAX))
                .boxed(),
            None => rows,
        };
        Ok((stream, select))
    }

    /// The instances that may be selected: one when the query binds every key, else all of the
    /// class.
    async fn candidates(&self, cx: &Context, query: &Query) -> Result<InstanceStream> {
        let keys = &query.class.keys;
        if keys.is_empty() || query.keys.len() < keys.len() {
            return Ok(self.instances_of(cx, &query.class));
        }
        let path = InstancePath {
            namespace: cx.namespace.clone(),
            class: query.class.name.clone(),
            keys: query.keys.clone(),
        };
        match self.lookup(cx, &path).await {
            Ok(instance) => Ok(crate::ops::stream_of(vec![instance])),
            Err(error) if error.status == Status::NotFound => Ok(crate::ops::stream_of(Vec::new())),
            Err(error) => Err(error),
        }
    }
}

fn selected(cx: &Context, query: &Arc<Query>, candidates: InstanceStream) -> InstanceStream {
    let (query, now, namespace) = (query.clone(), cx.now, cx.namespace.clone());
    let selects = move |instance: &Instance| {
        let namespace = &namespace;
        ready(query.selects(instance, Circumstances { now, namespace }))
    };
    candidates.try_filter(selects).boxed()
}

fn too_many(what: &str) -> CimError {
    let text = format!("{what} would hold more than {HELD_ROWS_LIMIT} rows in memory");
    CimError::new(Status::ServerLimitsExceeded, text)
}

/// The rows in their order. With FIRST no more are held than can still be among the first.
async fn ordered(
    cx: &Context,
    query: &Query,
    mut selected: InstanceStream,
) -> Result<InstanceStream> {
    let circumstances = Circumstances {
        now: cx.now,
        namespace: &cx.namespace,
    };
    let wanted = query
        .first
        .filter(|_| !query.distinct)
        .and_then(|first| usize::try_from(first).ok());
    let kept = wanted.unwrap_or(HELD_ROWS_LIMIT).min(HELD_ROWS_LIMIT);
    let mut held: Vec<(Vec<CimValue>, Instance)> = Vec::new();
    let sort = |held: &mut Vec<(Vec<CimValue>, Instance)>| {
        held.sort_by(|(left, _), (right, _)| query.compared(left, right));
    };
    while let Some(instance) = selected.try_next().await? {
        held.push((query.order_of(&instance, circumstances), instance));
        if wanted.is_none_or(|wanted| wanted > kept) && held.len() > kept {
            return Err(too_many("ORDER BY"));
        }
        // Sorting twice as many as are kept costs little more than keeping them sorted.
        if held.len() > kept.saturating_mul(2) {
            sort(&mut held);
            held.truncate(kept);
        }
    }
    sort(&mut held);
    let rows = held.into_iter().map(|(_, instance)| Ok(instance));
    Ok(stream::iter(rows).boxed())
}

/// Every row once. What was seen is remembered by 128 bits under keys that nobody can know.
fn distinct(rows: InstanceStream) -> InstanceStream {
    let keys = (RandomState::new(), RandomState::new());
    let fingerprint = move |row: &Instance| {
        let text = text_of(row);
        (keys.0.hash_one(&text), keys.1.hash_one(&text))
    };
    let mut seen = HashSet::new();
    let fresh = move |row: Result<Instance>| {
        let row = match row {
            Ok(row) => row,
            Err(error) => return Either::Left(ready(Some(Err(error)))),
        };
        let known = !seen.insert(fingerprint(&row));
        let outcome = match (known, seen.len() > HELD_ROWS_LIMIT) {
            (true, _) => None,
            (false, true) => Some(Err(too_many("DISTINCT"))),
            (false, false) => Some(Ok(row)),
        };
        Either::Right(ready(outcome))
    };
    rows.filter_map(fresh).boxed()
}

/// A text that two rows have in common when their values are equal, and else not.
fn text_of(row: &Instance) -> String {
    let mut out = String::new();
    for (property, value) in row.iter().filter(|(_, value)| !value.is_null()) {
        out.push_str(&property.name.folded());
        append(&mut out, value);
    }
    out
}

fn append(out: &mut String, value: &CimValue) {
    match value {
        CimValue::Null => out.push('-'),
        CimValue::Array(entries) => {
            out.push('[');
            for entry in entries {
                append(out, entry);
            }
            out.push(']');
        }
        CimValue::Instance(embedded) => {
            sized(out, &embedded.class.name.folded());
            sized(out, &text_of(embedded));
        }
        simple => sized(out, &simple.to_string()),
    }
}

/// With its length in front no text can be taken for the beginning of another.
fn sized(out: &mut String, text: &str) {
    out.push_str(&text.len().to_string());
    out.push(':');
    out.push_str(text);
}
