//! The read model `audit_log`.

mod environment_lines;
mod identity_lines;
mod project_lines;
mod queries;
mod state_lines;

use offshoot_projections::Page;
use offshoot_projections::audit_log::{AuditEntry, AuditFilter, AuditLog, list_entries};

use crate::history::History;

/// The lines of the last event, in order.
fn last_lines(history: &History) -> Vec<AuditEntry> {
    let position = history.events.last().unwrap().position;
    let mut lines = list_entries(&history.read_model(&AuditLog), &AuditFilter::default(), Page::ALL).unwrap();
    lines.retain(|line| line.position == position);
    lines.reverse();
    lines
}

/// The only line of the last event.
fn last_line(history: &History) -> AuditEntry {
    let mut lines = last_lines(history);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

/// A line's changes: the field, what it was, what it is.
fn changes(line: &AuditEntry) -> Vec<(&str, serde_json::Value, serde_json::Value)> {
    line.change_details.iter().map(|detail| (detail.field.as_str(), detail.old.clone(), detail.new.clone())).collect()
}

/// What a line is about.
fn about(line: &AuditEntry) -> (&'static str, Option<i64>, &'static str) {
    (line.related_object_type.as_str(), line.related_object_id, line.change_type.as_str())
}
