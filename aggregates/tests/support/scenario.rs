//! Given / when / then over `Aggregate::handle` and `Aggregate::apply`.

use std::fmt::Debug;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;

/// What an aggregate must be so that its states can be compared.
pub trait Observable: Aggregate<Services = (), Event: PartialEq, Error: PartialEq> + Clone + Debug + PartialEq {}

impl<A: Aggregate<Services = (), Event: PartialEq, Error: PartialEq> + Clone + Debug + PartialEq> Observable for A {}

/// An aggregate to which something happened.
pub struct Scenario<A> {
    state: A,
}

/// What a command led to.
pub struct Outcome<A: Aggregate> {
    before: A,
    after: A,
    result: Result<Vec<A::Event>, A::Error>,
}

/// Begins with what happened.
pub fn given<A: Observable>(events: impl IntoIterator<Item = A::Event>) -> Scenario<A> {
    Scenario { state: fold(events) }
}

/// Begins with nothing.
pub fn given_nothing<A: Observable>() -> Scenario<A> {
    given([])
}

/// The state after these events.
pub fn fold<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> A {
    events.into_iter().fold(A::default(), |mut state, event| {
        state.apply(event);
        state
    })
}

/// Has an aggregate decide a command; answers what happened.
pub fn perform<A: Observable>(state: &mut A, command: A::Command) -> Result<Vec<A::Event>, A::Error> {
    let sink = EventSink::default();
    let result = ready(state.handle(command, &(), &sink));
    let events = ready(sink.collect());
    assert!(result.is_ok() || events.is_empty(), "a rejected command leads to no events: {events:?}");
    result.map(|()| events)
}

impl<A: Observable> Scenario<A> {
    /// What a command leads to.
    pub fn when(self, command: A::Command) -> Outcome<A> {
        let before = self.state;
        let mut after = before.clone();
        let result = perform(&mut after, command);
        Outcome { before, after, result }
    }
}

impl<A: Observable> Outcome<A> {
    /// Exactly these events happen, and the state is the one that they make; answers the state.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = A::Event>) -> A {
        let expected: Vec<_> = expected.into_iter().collect();
        let Ok(events) = self.result else { panic!("rejected: {:?}", self.result) };
        assert_eq!(events, expected);
        let replayed = events.into_iter().fold(self.before, |mut state, event| {
            state.apply(event);
            state
        });
        assert_eq!(replayed, self.after, "replay is not what happened");
        self.after
    }

    /// The command is fine, and nothing happens.
    #[track_caller]
    pub fn then_nothing(self) {
        self.then([]);
    }

    /// The command is fine, whatever happens.
    #[track_caller]
    pub fn then_accepted(self) {
        assert!(self.result.is_ok(), "rejected: {:?}", self.result);
    }

    /// The command is rejected for this reason, and the state is what it was.
    #[track_caller]
    pub fn then_rejected(self, expected: impl Into<A::Error>) {
        assert_eq!(self.rejection(), expected.into());
    }

    /// Why the command is rejected; the state is what it was.
    #[track_caller]
    pub fn rejection(self) -> A::Error {
        assert_eq!(self.after, self.before, "a rejected command changed something");
        match self.result {
            Ok(events) => panic!("not rejected: {events:?}"),
            Err(error) => error,
        }
    }
}

/// The result of a future that waits for nothing.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("a decision waits for something"),
    }
}
