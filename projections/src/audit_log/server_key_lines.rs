//! The lines of server-side keys. Flagsmith has none.

use offshoot_aggregates::environment::{EnvironmentEvent, ServerKey};
use offshoot_aggregates::ids::ServerKeyId;

use super::changes::{changed, object_changes};
use super::line::{ChangeType, Line, RelatedObjectType};

/// What there is to say about an event of a server-side key; nothing about others.
pub(super) fn lines(event: &EnvironmentEvent) -> Vec<Line> {
    use EnvironmentEvent as E;
    match event {
        E::ServerKeyIssued { key } => vec![issued(key)],
        E::ServerKeyChanged { key, before, after } => {
            let log = format!("Server-side key updated: {}", after.name);
            vec![line(ChangeType::Update, *key, log).with(object_changes(before, after))]
        }
        E::ServerKeyRevoked { key, name } => {
            vec![line(ChangeType::Delete, *key, format!("Server-side key revoked: {name}"))]
        }
        _ => Vec::new(),
    }
}

/// Neither the key nor its hash is anybody's business; the prefix is there to recognise it by.
fn issued(key: &ServerKey) -> Line {
    let log = format!("Server-side key issued: {} (prefix {})", key.settings.name, key.prefix);
    let expires_at = key.settings.expires_at.map(|time| time.to_string());
    line(ChangeType::Create, key.id, log).with(changed("expires_at", None::<String>, expires_at))
}

fn line(change: ChangeType, key: ServerKeyId, log: String) -> Line {
    Line::new(change, (RelatedObjectType::ServerKey, Some(key.0)), log)
}
