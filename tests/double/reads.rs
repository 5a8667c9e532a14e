//! Reading from the double: streams, the whole log, and subscriptions to it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use prost::bytes::Bytes;
use tokio::sync::mpsc;
use tonic::{Code, Status};
use uuid::Uuid;

use super::log::Record;
use super::messages::{
    AllPlace, Confirmation, Empty, Expression, Filter, FromAll, FromStream, Id, IdValue, Position, ReadContent,
    ReadCount, ReadEvent, ReadFrom, ReadOptions, ReadResp, Recorded, Revision, StreamName, StructuredId,
};
use super::service::Shared;

/// Records of which a subscriber is told a checkpoint at the latest, for each unit of the interval.
const WINDOW: u32 = 32;

pub type Answers = mpsc::Sender<Result<ReadResp, Status>>;

/// How a client wants its events.
#[derive(Clone, Copy)]
struct Form {
    id_is_text: bool,
    hides_positions: bool,
}

/// Answers a read, or serves a subscription until it ends.
pub async fn serve(shared: Arc<Shared>, options: ReadOptions, answers: Answers) {
    if let Err(status) = try_serve(&shared, options, &answers).await {
        // The client may have gone.
        let _ = answers.send(Err(status)).await;
    }
}

async fn try_serve(shared: &Shared, options: ReadOptions, answers: &Answers) -> Result<(), Status> {
    let invalid = |what: &str| Status::invalid_argument(format!("'{what}' is a required argument"));
    let id_form = options.id_form.ok_or_else(|| invalid("uuidOption"))?;
    let mut form = Form { id_is_text: id_form.text.is_some(), hides_positions: false };
    let forwards = options.direction == 0;
    match (options.from, options.count) {
        (Some(ReadFrom::Stream(from)), Some(ReadCount::Count(count))) => {
            form.hides_positions = shared.faults.hides_positions.load(Ordering::SeqCst);
            let contents = stream(shared, &from, forwards, count, form);
            send_all(contents, answers).await;
            Ok(())
        }
        (Some(ReadFrom::All(from)), Some(ReadCount::Count(count))) => {
            let contents = all(shared, from, forwards, count, options.filter.as_ref(), form)?;
            send_all(contents, answers).await;
            Ok(())
        }
        (Some(ReadFrom::All(from)), Some(ReadCount::Subscription(_))) if forwards => {
            subscribe(shared, from, options.filter.as_ref(), form, answers).await
        }
        _ => Err(Status::unimplemented("the double does not know such reads")),
    }
}

async fn send_all(contents: Vec<ReadContent>, answers: &Answers) {
    for content in contents {
        if !send(content, answers).await {
            return;
        }
    }
}

/// Whether there is still somebody there.
async fn send(content: ReadContent, answers: &Answers) -> bool {
    answers.send(Ok(ReadResp { content: Some(content) })).await.is_ok()
}

fn stream(shared: &Shared, from: &FromStream, forwards: bool, count: u64, form: Form) -> Vec<ReadContent> {
    let log = shared.log.read().unwrap();
    let name = from.stream.as_ref().map(|stream| String::from_utf8_lossy(&stream.name).into_owned());
    let Some(records) = log.stream(name.as_deref().unwrap_or_default()) else {
        return vec![ReadContent::StreamNotFound(FromStream { stream: from.stream.clone(), revision: None })];
    };
    let place = match (from.revision, forwards) {
        (Some(Revision::At(revision)), true) => revision as usize,
        (Some(Revision::At(revision)), false) => (revision as usize).saturating_add(1),
        (Some(Revision::End(_)), _) => records.len(),
        (Some(Revision::Start(_)) | None, _) => 0,
    };
    let (before, after) = records.split_at(place.min(records.len()));
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut contents: Vec<_> = match forwards {
        true => after.iter().take(count).map(|record| event(record, form)).collect(),
        false => before.iter().rev().take(count).map(|record| event(record, form)).collect(),
    };
    contents.push(ReadContent::LastStreamPosition(records.len() as u64 - 1));
    contents
}

fn all(
    shared: &Shared,
    from: FromAll,
    forwards: bool,
    count: u64,
    filter: Option<&Filter>,
    form: Form,
) -> Result<Vec<ReadContent>, Status> {
    let log = shared.log.read().unwrap();
    let place = place(log.all(), from)?;
    let (before, after) = log.all().split_at(place);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let passes = |record: &&Arc<Record>| filter.is_none_or(|filter| matches(filter, record));
    Ok(match forwards {
        true => after.iter().filter(passes).take(count).map(|record| event(record, form)).collect(),
        false => before.iter().rev().filter(passes).take(count).map(|record| event(record, form)).collect(),
    })
}

/// The number of records in front of a place; a place that is no record's is refused, unless it is beyond all of them.
fn place(records: &[Arc<Record>], from: FromAll) -> Result<usize, Status> {
    let at = match from.place {
        Some(AllPlace::At(at)) => at,
        Some(AllPlace::End(_)) => return Ok(records.len()),
        Some(AllPlace::Start(_)) | None => return Ok(0),
    };
    let before = records.partition_point(|record| record.position < at.commit);
    match records.get(before) {
        Some(record) if at.commit > 0 && (record.position != at.commit || at.prepare != at.commit) => {
            Err(Status::new(Code::InvalidArgument, "Trying to read from an invalid position."))
        }
        _ => Ok(before),
    }
}

async fn subscribe(
    shared: &Shared,
    from: FromAll,
    filter: Option<&Filter>,
    form: Form,
    answers: &Answers,
) -> Result<(), Status> {
    let _counted = Counted::new(shared);
    let mut end = shared.faults.subscriptions_end.subscribe();
    end.mark_unchanged();
    let mut grown = shared.grown.subscribe();
    let starts_after = matches!(from.place, Some(AllPlace::At(at)) if at.commit > 0);
    let mut next = {
        let log = shared.log.read().unwrap();
        let place = place(log.all(), from)?;
        // A subscription goes on after what it is given, where a read begins with it.
        (place + usize::from(starts_after)).min(log.all().len())
    };
    send(ReadContent::Confirmation(Confirmation { subscription_id: Uuid::new_v4().to_string() }), answers).await;
    let interval =
        filter.map_or(u32::MAX, |filter| filter.max.unwrap_or(WINDOW) * filter.checkpoint_interval_multiplier);
    let (mut considered, mut is_live) = (0, false);
    loop {
        grown.mark_unchanged();
        let some: Vec<Arc<Record>> = shared.log.read().unwrap().all()[next..].iter().take(64).cloned().collect();
        for record in &some {
            next += 1;
            considered += 1;
            if shared.faults.is_mute.load(Ordering::SeqCst) {
                continue;
            }
            let at = Position { commit: record.position, prepare: record.position };
            let is_sent = filter.is_none_or(|filter| matches(filter, record));
            if is_sent && !send(event(record, form), answers).await {
                return Ok(());
            }
            if considered >= interval {
                considered = 0;
                send(ReadContent::Checkpoint(at), answers).await;
            }
        }
        if some.is_empty() {
            if !std::mem::replace(&mut is_live, true) {
                let last = shared.log.read().unwrap().all()[..next].last().map(|last| last.position);
                let at = |commit| Position { commit, prepare: commit };
                if let Some(last) = last.filter(|_| filter.is_some()) {
                    send(ReadContent::Checkpoint(at(last)), answers).await;
                }
                send(ReadContent::CaughtUp(Empty {}), answers).await;
            }
            tokio::select! {
                _ = grown.changed() => {}
                _ = end.changed() => return Ok(()),
                () = answers.closed() => return Ok(()),
            }
        }
    }
}

/// A subscription that is open.
struct Counted<'s>(&'s Shared);

impl<'s> Counted<'s> {
    fn new(shared: &'s Shared) -> Self {
        shared.faults.subscriptions.fetch_add(1, Ordering::SeqCst);
        Self(shared)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.faults.subscriptions.fetch_sub(1, Ordering::SeqCst);
    }
}

fn matches(filter: &Filter, record: &Record) -> bool {
    let passes = |expression: &Expression, text: &str| {
        assert!(expression.regex.is_empty(), "the double knows prefixes only");
        expression.prefixes.iter().any(|prefix| text.starts_with(prefix))
    };
    match (&filter.stream_name, &filter.event_type) {
        (Some(name), _) => passes(name, &record.stream),
        (None, Some(event_type)) => passes(event_type, &record.content.event_type),
        (None, None) => true,
    }
}

fn event(record: &Record, form: Form) -> ReadContent {
    let uuid = Uuid::from_slice(&record.content.id).unwrap();
    let (upper, lower) = uuid.as_u64_pair();
    let id = match form.id_is_text {
        true => IdValue::Text(uuid.to_string()),
        false => IdValue::Structured(StructuredId {
            most_significant_bits: upper.cast_signed(),
            least_significant_bits: lower.cast_signed(),
        }),
    };
    let position = if form.hides_positions { u64::MAX } else { record.position };
    let recorded = Recorded {
        id: Some(Id { value: Some(id) }),
        stream: Some(StreamName { name: Bytes::copy_from_slice(record.stream.as_bytes()) }),
        revision: record.revision,
        prepare_position: position,
        commit_position: position,
        metadata: HashMap::from([
            ("type".to_owned(), record.content.event_type.clone()),
            ("created".to_owned(), record.created.to_string()),
            ("content-type".to_owned(), record.content.content_type.clone()),
        ]),
        custom_metadata: record.content.metadata.clone(),
        data: record.content.data.clone(),
    };
    ReadContent::Event(ReadEvent { event: Some(recorded), commit_position: Some(position) })
}
