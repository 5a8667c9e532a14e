//! The official clients of Flagsmith and of OpenFeature, unmodified, against the real binary; and that of KurrentDB against its
//! protocol double.
//!
//! A client is driven by a small program in its own language (`python/`, `node/`, `rust/`), which reads requests as lines
//! of JSON and answers with what the client said; the tests are here. `scripts/clients` installs the clients.

mod agreement;
mod analytics;
mod cases;
mod driver;
mod flagsmith;
mod kurrentdb;
mod openfeature;
mod readme;
mod scene;
