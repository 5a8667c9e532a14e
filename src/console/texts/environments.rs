//! Environments, in lists and on their pages.

pub const READY: &str = "Ready";
pub const CREATING: &str = "Being created";
pub const IMPORTING: &str = "Being imported";
pub const FAILED: &str = "Failed";
pub const CLONE: &str = "Clone";
pub const MENU: &str = "More for";
pub const RENAME: &str = "Rename";
pub const DELETE: &str = "Delete";
pub const SETTINGS: &str = "Settings";
pub const COPY_KEY: &str = "Copy the client key of";
pub const CLONED_FROM: &str = "Cloned from";
pub const AS_OF: &str = "as of";
pub const POSITION: &str = "position";
pub const CREATED: &str = "Created";
pub const CHANGED: &str = "Changed";
pub const PROGRESS: &str = "Progress of";
pub const A_SECOND: &str = "a second";
pub const BATCH: &str = "Batch";
pub const OF: &str = "of";
pub const ATTEMPT: &str = "attempt";
pub const WAITING: &str = "Waiting for the first batch";
pub const RETRY: &str = "Retry";
pub const CANCEL: &str = "Cancel the clone";
pub const FAILED_AT: &str = "It stopped at batch";
pub const RETRY_HINT: &str = "Retry goes on with that batch. What was copied stays.";

/// How many feature states were copied.
pub fn copied(copied: &str, total: &str) -> String {
    format!("{copied} of {total} feature states")
}

/// How many features are on.
pub fn on(on: &str, total: &str) -> String {
    format!("{on} of {total} on")
}

/// How long something still takes.
pub fn left(millis: u64) -> String {
    match millis.div_ceil(1_000) {
        0 | 1 => "about a second left".to_owned(),
        seconds @ 2..100 => format!("about {seconds} s left"),
        seconds => format!("about {} min left", seconds.div_ceil(60)),
    }
}

/// How long something took.
pub fn duration(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..100_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

/// What those who listen are told while an environment is being created.
pub fn announce_progress(name: &str, percent: u64) -> String {
    format!("{name}: {percent} % copied")
}

/// What they are told when that fails.
pub fn announce_failure(name: &str, batch: u32) -> String {
    format!("Creating {name} failed at batch {batch}")
}

/// What they are told when it is done.
pub fn announce_ready(name: &str) -> String {
    format!("{name} is ready")
}
