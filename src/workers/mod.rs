//! What runs in the background and reads the log: projectors, the clone worker, and the one that frees forgotten names.

mod clone_run;
mod clone_worker;
mod lag_meter;
mod name_sweeper;
mod projector;
mod retries;
mod waiting;

pub use clone_worker::CloneWorker;
pub use lag_meter::measure_lag;
pub use name_sweeper::sweep_names;
pub use projector::{Projector, ProjectorError};
pub use retries::CloneRetries;
