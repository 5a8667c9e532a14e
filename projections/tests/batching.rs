//! A read model says the same, however its events came: one by one, in batches, or again after a crash.

use offshoot_projections::access::Access;
use offshoot_projections::audit_log::AuditLog;
use offshoot_projections::digest::digest;
use offshoot_projections::features::Features;
use offshoot_projections::{Projection, apply, open, position};
use proptest::prelude::*;
use rusqlite::Connection;

use crate::every_event::every_event;

const READ_MODELS: [&dyn Projection; 3] = [&Features, &Access, &AuditLog];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_batching_of_the_same_events_gives_the_same_read_model(
        sizes in proptest::collection::vec(1usize..12, 1..80),
        repeated in 0usize..4,
    ) {
        let history = every_event();
        for projection in READ_MODELS {
            let mut connection = Connection::open("").unwrap();
            open(&mut connection, projection).unwrap();
            let mut rest = history.events.as_slice();
            let mut sizes = sizes.iter().copied().cycle();
            while !rest.is_empty() {
                let (batch, after) = rest.split_at(sizes.next().unwrap().min(rest.len()));
                apply(&mut connection, projection, batch).unwrap();
                // A reader that starts anew may hand out events that were applied before.
                apply(&mut connection, projection, &batch[batch.len().saturating_sub(repeated)..]).unwrap();
                rest = after;
            }
            prop_assert_eq!(position(&connection).unwrap(), history.events.last().unwrap().position);
            prop_assert_eq!(digest(&connection).unwrap(), digest(&history.read_model(projection)).unwrap());
        }
    }
}

#[test]
fn a_digest_changes_with_whatever_a_read_model_says() {
    let history = every_event();
    let changes: [(&dyn Projection, &str); 3] = [
        (&Features, "UPDATE organisation SET name = 'x'"),
        (&Access, "UPDATE api_key SET is_revoked = 1 WHERE id = 1"),
        (&AuditLog, "UPDATE entry SET log = log || '.' WHERE id IN (SELECT max(id) FROM entry)"),
    ];
    for (projection, change) in changes {
        let connection = history.read_model(projection);
        let before = digest(&connection).unwrap();
        connection.execute("UPDATE checkpoint SET position = position + 1", []).unwrap();
        assert_eq!(digest(&connection).unwrap(), before);
        assert_eq!(connection.execute(change, []).unwrap(), 1);
        assert_ne!(digest(&connection).unwrap(), before, "{}", projection.name());
    }
}
