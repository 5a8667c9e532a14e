//! The double's gRPC services: appends, reads, what the server can do, who is in the cluster.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use prost::bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::BoxBody;
use tonic::codegen::{Service, http};
use tonic::metadata::MetadataMap;
use tonic::server::{Grpc, NamedService};
use tonic::{Code, Request, Response, Status, Streaming};
use uuid::Uuid;

use super::faults::Faults;
use super::log::{Appended, ExpectedRevision, Log, NewRecord};
use super::messages::{
    AppendContent, AppendOptions, AppendReq, AppendResp, AppendResult, ClusterInfo, Empty, EndPoint, Expected, Id,
    IdValue, Member, Position, Proposed, ReadReq, ReadResp, Success, SupportedMethod, SupportedMethods,
    WrongExpectedVersion,
};
use super::reads;

/// Bytes of one message: more than any event has.
const MESSAGE_BYTES_MAX: usize = 17 << 20;

/// What all nodes of the double share.
pub struct Shared {
    pub log: RwLock<Log>,
    /// Told when there are new records.
    pub grown: watch::Sender<()>,
    pub faults: Faults,
    pub ports: [u16; 2],
    pub writer: std::sync::mpsc::Sender<ToAppend>,
}

/// An append on its way to the writer.
pub struct ToAppend {
    stream: String,
    expected: ExpectedRevision,
    events: Vec<NewRecord>,
    answer: oneshot::Sender<Appended>,
}

/// Writes what waits, all that there is at a time, with one wait for the disk.
pub fn write(shared: &Shared, requests: &std::sync::mpsc::Receiver<ToAppend>) {
    while let Ok(first) = requests.recv() {
        let waiting: Vec<_> = std::iter::once(first).chain(requests.try_iter()).collect();
        let mut log = shared.log.write().unwrap();
        let outcomes: Vec<_> =
            waiting.into_iter().map(|one| (log.append(&one.stream, one.expected, one.events), one.answer)).collect();
        log.write();
        drop(log);
        shared.grown.send_replace(());
        for (outcome, answer) in outcomes {
            // Whoever asked may have gone.
            let _ = answer.send(outcome);
        }
    }
}

/// One node.
#[derive(Clone)]
pub struct Node {
    pub shared: Arc<Shared>,
    pub index: usize,
}

impl Node {
    /// Whether this node does what it is asked for.
    async fn admit(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let faults = &self.shared.faults;
        tokio::time::sleep(Duration::from_millis(faults.delay.load(Ordering::SeqCst))).await;
        if faults.is_not_ready.load(Ordering::SeqCst) {
            return Err(Status::unavailable("Server Is Not Ready"));
        }
        let leader = faults.leader.load(Ordering::SeqCst);
        let needs_leader = metadata.get("requires-leader").is_some_and(|value| value == "true");
        if needs_leader && leader != self.index {
            let mut status = Status::new(Code::NotFound, "Leader info available");
            let metadata = status.metadata_mut();
            metadata.insert("exception", "not-leader".parse().unwrap());
            metadata.insert("leader-endpoint-host", "127.0.0.1".parse().unwrap());
            metadata.insert("leader-endpoint-port", self.shared.ports[leader].to_string().parse().unwrap());
            return Err(status);
        }
        Ok(())
    }

    async fn append(self, request: Request<Streaming<AppendReq>>) -> Result<Response<AppendResp>, Status> {
        self.admit(request.metadata()).await?;
        let mut messages = request.into_inner();
        let Some(AppendReq { content: Some(AppendContent::Options(options)) }) = messages.message().await? else {
            return Err(Status::unknown("an append begins with its options"));
        };
        let max = self.shared.faults.append_bytes.load(Ordering::SeqCst);
        let (mut events, mut bytes) = (Vec::new(), 0);
        while let Some(message) = messages.message().await? {
            let Some(AppendContent::Event(event)) = message.content else {
                return Err(Status::unknown("an append goes on with its events"));
            };
            let event = new_record(event)?;
            bytes += event.data.len() + event.metadata.len() + 2 * event.event_type.len();
            if bytes > max {
                let mut status = Status::invalid_argument(format!("Maximum Append Size of {max} Exceeded."));
                status.metadata_mut().insert("exception", "maximum-append-size-exceeded".parse().unwrap());
                return Err(status);
            }
            events.push(event);
        }
        let (stream, expected) = addressee(&options)?;
        let (answer, outcome) = oneshot::channel();
        let to_append = ToAppend { stream, expected, events, answer };
        self.shared.writer.send(to_append).map_err(|_| Status::unavailable("the double is stopping"))?;
        let outcome = outcome.await.map_err(|_| Status::unavailable("the double is stopping"))?;
        let lost = |lost: u64| lost.checked_sub(1);
        if self.shared.faults.lost_replies.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lost).is_ok() {
            self.shared.faults.drop_connections();
            std::future::pending::<()>().await;
        }
        Ok(Response::new(AppendResp { result: Some(result(outcome, options.expected)) }))
    }

    async fn read(
        self,
        request: Request<ReadReq>,
    ) -> Result<Response<ReceiverStream<Result<ReadResp, Status>>>, Status> {
        self.admit(request.metadata()).await?;
        let options = request.into_inner().options.ok_or_else(|| Status::invalid_argument("no options"))?;
        let (answers, stream) = mpsc::channel(32);
        tokio::spawn(reads::serve(self.shared, options, answers));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn supported_methods(self, _: Request<Empty>) -> Result<Response<SupportedMethods>, Status> {
        if self.shared.faults.is_not_ready.load(Ordering::SeqCst) {
            return Err(Status::unavailable("Server Is Not Ready"));
        }
        let method = |name: &str, features: &[&str]| SupportedMethod {
            method: name.to_owned(),
            service: "event_store.client.streams.streams".to_owned(),
            features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        };
        let methods = vec![method("append", &[]), method("read", &["position", "events"])];
        Ok(Response::new(SupportedMethods { methods, server_version: "24.10.0".to_owned() }))
    }

    async fn gossip(self, _: Request<Empty>) -> Result<Response<ClusterInfo>, Status> {
        let leader = self.shared.faults.leader.load(Ordering::SeqCst);
        let member = |(index, port): (usize, &u16)| Member {
            id: Some(Id { value: Some(IdValue::Text(Uuid::from_u128(index as u128 + 1).to_string())) }),
            time_stamp: 0,
            state: if index == leader { 8 } else { 6 },
            is_alive: true,
            end_point: Some(EndPoint { address: "127.0.0.1".to_owned(), port: u32::from(*port) }),
        };
        Ok(Response::new(ClusterInfo { members: self.shared.ports.iter().enumerate().map(member).collect() }))
    }
}

fn new_record(event: Proposed) -> Result<NewRecord, Status> {
    let missing = |what: &str| Status::invalid_argument(format!("Required Metadata Property '{what}' is missing"));
    let text = |key: &str| event.metadata.get(key).cloned().ok_or_else(|| missing(key));
    let id = match event.id.as_ref().and_then(|id| id.value.as_ref()) {
        Some(IdValue::Text(text)) => {
            text.parse::<Uuid>().map_err(|error| Status::invalid_argument(error.to_string()))?
        }
        Some(IdValue::Structured(id)) => {
            Uuid::from_u64_pair(id.most_significant_bits.cast_unsigned(), id.least_significant_bits.cast_unsigned())
        }
        None => return Err(missing("id")),
    };
    Ok(NewRecord {
        id: Bytes::copy_from_slice(id.as_bytes()),
        event_type: text("type")?,
        content_type: text("content-type")?,
        data: event.data,
        metadata: event.custom_metadata,
    })
}

fn addressee(options: &AppendOptions) -> Result<(String, ExpectedRevision), Status> {
    let name = options.stream.as_ref().map(|stream| String::from_utf8(stream.name.to_vec()));
    let Some(Ok(name)) = name else { return Err(Status::invalid_argument("the stream has no name")) };
    let expected = match options.expected {
        Some(Expected::Revision(revision)) => ExpectedRevision::At(revision),
        Some(Expected::NoStream(_)) => ExpectedRevision::NoStream,
        Some(Expected::Any(_)) => ExpectedRevision::Any,
        Some(Expected::StreamExists(_)) => ExpectedRevision::StreamExists,
        None => return Err(Status::invalid_argument("no revision is expected")),
    };
    Ok((name, expected))
}

fn result(outcome: Appended, expected: Option<Expected>) -> AppendResult {
    match outcome {
        Appended::Recorded { revision, position } => AppendResult::Success(Success {
            current_revision: Some(revision),
            position: Some(Position { commit: position, prepare: position }),
            no_position: None,
        }),
        Appended::WrongRevision { current } => AppendResult::WrongExpectedVersion(WrongExpectedVersion {
            current_revision: current,
            current_no_stream: current.is_none().then_some(Empty {}),
            expected_revision: if let Some(Expected::Revision(revision)) = expected { Some(revision) } else { None },
            expected_any: matches!(expected, Some(Expected::Any(_))).then_some(Empty {}),
            expected_stream_exists: matches!(expected, Some(Expected::StreamExists(_))).then_some(Empty {}),
            expected_no_stream: matches!(expected, Some(Expected::NoStream(_))).then_some(Empty {}),
        }),
    }
}

macro_rules! grpc_service {
    ($(#[$doc:meta])* $service:ident, $name:literal, { $($path:literal => $kind:ident($method:ident)),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $service(pub Node);

        impl NamedService for $service {
            const NAME: &'static str = $name;
        }

        impl Service<http::Request<BoxBody>> for $service {
            type Response = http::Response<BoxBody>;
            type Error = Infallible;
            type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<BoxBody>) -> Self::Future {
                let node = self.0.clone();
                Box::pin(async move {
                    Ok(match request.uri().path() {
                        $(concat!("/", $name, "/", $path) => {
                            let method = tower::service_fn(move |request| node.clone().$method(request));
                            let codec = tonic::codec::ProstCodec::default();
                            let mut grpc = Grpc::new(codec).max_decoding_message_size(MESSAGE_BYTES_MAX);
                            grpc.$kind(method, request).await
                        })+
                        path => Status::unimplemented(format!("the double does not know {path}")).into_http(),
                    })
                })
            }
        }
    };
}

grpc_service!(
    /// What is done with streams.
    Streams, "event_store.client.streams.Streams", { "Append" => client_streaming(append), "Read" => server_streaming(read) }
);
grpc_service!(
    /// What the server can do.
    ServerFeatures, "event_store.client.server_features.ServerFeatures", { "GetSupportedMethods" => unary(supported_methods) }
);
grpc_service!(
    /// Who is in the cluster.
    Gossip, "event_store.client.gossip.Gossip", { "Read" => unary(gossip) }
);
