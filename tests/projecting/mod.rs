//! How read models follow the log: when they are written, and what a reader who waits can count on.

mod gathering;
