//! The page about the server itself.

pub const TITLE: &str = "System";
pub const LEAD: &str = "How this server does. Only administrators of an organisation see this page.";
pub const HEALTH: &str = "Health";
pub const WORKS: &str = "Everything works";
pub const WORKS_NOT: &str = "Something does not work";
pub const VERSION: &str = "Version";
pub const STORE: &str = "Store of the event log";
pub const HEAD: &str = "Position of the log";
pub const AWAY: &str = "The store is away";
pub const LOG: &str = "Event log";
pub const READ_MODELS: &str = "Read models";
pub const WORKING: &str = "Works";
pub const PROJECTIONS: &str = "Projections";
pub const PROJECTIONS_LEAD: &str = "Read models are built from the event log, and can be built anew at any time: the old one serves until the new one has caught up.";
pub const NAME: &str = "Name";
pub const STATE: &str = "State";
pub const POSITION: &str = "Position";
pub const LAG: &str = "Behind the log";
pub const PARKED: &str = "Parked events";
pub const REBUILD: &str = "Rebuild";
pub const ACTIONS: &str = "Actions";
pub const REBUILD_ASKED: &str = "It is being built anew.";
pub const PROGRESS: &str = "Progress of";
pub const LIVE: &str = "Live";
pub const REBUILDING: &str = "Being rebuilt";
pub const BUILDING: &str = "Being built";
pub const STOPPED: &str = "Stopped";
pub const UNKNOWN: &str = "unknown";
pub const NO_PARKED: &str = "None";
pub const PARKED_TITLE: &str = "Parked events";
pub const PARKED_LEAD: &str = "Events that a read model could not read. They are kept, and read once a version of Offshoot that can read them rebuilds it.";
pub const STREAM: &str = "Stream";
pub const EVENT: &str = "Event";
pub const WHY: &str = "Why";
pub const CLONES: &str = "Clones";
pub const CLONES_LEAD: &str =
    "Since this server was started: clones that one waits for beside those in the background.";
pub const NO_CLONES: &str = "No environment was cloned since this server was started.";
pub const ANSWERS: &str = "How long one waits for the answer";
pub const ANSWERS_LEAD: &str = "Clones by the time until their request was answered.";
pub const DURATIONS: &str = "How long it takes until a clone is complete";
pub const DURATIONS_LEAD: &str = "Clones by the time from the request to the last feature state.";
pub const SYNC: &str = "While one waits";
pub const ASYNC: &str = "In the background";
pub const MODE: &str = "Mode";
pub const COUNT: &str = "Clones";
pub const MEAN: &str = "Mean";
pub const HALF: &str = "Half of them";
pub const MOST: &str = "95 % of them";
pub const NOTHING: &str = "–";

/// Which store it is.
pub fn store(name: &str, is_shared: bool) -> String {
    format!("{name}, {}", if is_shared { "which nodes share" } else { "for this node alone" })
}

/// How far a read model is behind.
pub fn lag(events: u64, shown: &str, seconds: f64) -> String {
    match events {
        0 => "nothing".to_owned(),
        1 => format!("1 event, {seconds:.1} s"),
        _ => format!("{shown} events, {seconds:.1} s"),
    }
}

/// A time in seconds, as short as it is.
pub fn seconds(seconds: f64) -> String {
    if seconds < 1.0 {
        let millis = (seconds * 10_000.0).round() / 10.0;
        format!("{millis} ms")
    } else {
        let seconds = (seconds * 10.0).round() / 10.0;
        format!("{seconds} s")
    }
}

/// A bucket, by its upper bound in seconds.
pub fn up_to(bound: f64) -> String {
    if bound.is_finite() { format!("≤ {}", seconds(bound)) } else { "longer".to_owned() }
}

/// What a bar says.
pub fn bar(mode: &str, count: &str, bucket: &str) -> String {
    format!("{mode}: {count}, {bucket}")
}
