//! What pages say that cannot be shown.

use axum::http::StatusCode;

pub const BACK: &str = "Back to the projects";
pub const REQUEST_ID: &str = "For the one who runs the server, the request's id:";

/// The heading and the text for an answer with this status.
pub fn of(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => ("Not found", "There is no such page, or it shows something that was deleted."),
        StatusCode::FORBIDDEN => ("Not allowed", "Your key may not see this. An administrator can change that."),
        StatusCode::SERVICE_UNAVAILABLE => {
            ("Not ready yet", "The server is getting this ready. Load the page again in a moment.")
        }
        status if status.is_server_error() => ("Something went wrong", "The server failed. It has written down why."),
        _ => {
            ("That cannot be shown", "The address of this page asks for something that the server does not understand.")
        }
    }
}
