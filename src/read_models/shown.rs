//! How old what the read models show may be: since when the log may have had more.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use offshoot_aggregates::Position;

/// Ends of the log that are remembered: one for each time that it was looked at while the read models were behind.
const ENDS_MAX: usize = 4_096;

/// What the read models show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// They show everything up to this position.
    pub position: Position,
    /// So long ago that was all that the log had; `None` if they have not shown all of it since the start.
    pub age: Option<Duration>,
}

/// Remembers at which moment the log ended where.
#[derive(Debug, Default)]
pub(super) struct LogEnds(Mutex<VecDeque<(Position, Instant)>>);

impl LogEnds {
    /// Notes that the log ended at a position at a moment. What is of no use to those who show `shown` is forgotten.
    pub(super) fn note(&self, end: Position, at: Instant, shown: Position) {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match ends.back_mut() {
            Some((last, last_at)) if *last >= end => *last_at = (*last_at).max(at),
            _ => ends.push_back((end, at)),
        }
        while ends.get(1).is_some_and(|(next, _)| *next <= shown) {
            ends.pop_front();
        }
        if ends.len() > ENDS_MAX {
            // The first one counts as long as nobody gets further.
            ends.remove(1);
        }
    }

    /// How long ago the log had no more than `shown`, as far as is known.
    pub(super) fn age(&self, shown: Position) -> Option<Duration> {
        let ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = ends.iter().rev().find(|(end, _)| *end <= shown)?;
        Some(known.1.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use offshoot_aggregates::Position;

    use super::LogEnds;

    #[test]
    fn what_is_shown_is_as_old_as_the_last_moment_at_which_there_was_no_more() {
        let (ends, now) = (LogEnds::default(), Instant::now());
        let ago = |seconds| now - Duration::from_secs(seconds);
        let shown = |position| ends.age(Position(position)).map(|age| age.as_secs());
        assert_eq!(shown(5), None);
        ends.note(Position(5), ago(100), Position(5));
        ends.note(Position(5), ago(90), Position(5));
        assert_eq!(shown(5), Some(90));
        ends.note(Position(7), ago(50), Position(5));
        ends.note(Position(9), ago(10), Position(5));
        assert_eq!([4, 5, 6, 7, 8, 9].map(shown), [None, Some(90), Some(90), Some(50), Some(50), Some(10)]);
        ends.note(Position(9), ago(3), Position(9));
        assert_eq!(shown(9), Some(3));
    }
}
