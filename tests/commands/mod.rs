//! Commands past the door: what many of them at once do to one aggregate.

mod in_flight;
