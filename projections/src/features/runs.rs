//! The runs of ids that a project's features have: what stands in for an index.

use rusqlite::{OptionalExtension, Result, Transaction};

/// Ids that follow each other, all given to features of one project, in the order in which the project got them.
struct Run {
    /// The ordinal of the first feature.
    first_ordinal: u64,
    first_id: i64,
    last_id: i64,
}

/// Takes in the ids of new features of a project, the first of which has this ordinal.
pub(super) fn extend(
    tx: &Transaction<'_>,
    project: i64,
    first_ordinal: u64,
    ids: impl Iterator<Item = i64>,
) -> Result<()> {
    let mut run = last(tx, project)?;
    for (ordinal, id) in (first_ordinal..).zip(ids) {
        match &mut run {
            Some(run) if run.last_id.checked_add(1) == Some(id) => run.last_id = id,
            _ => {
                let ended = run.replace(Run { first_ordinal: ordinal, first_id: id, last_id: id });
                ended.map_or(Ok(()), |ended| write(tx, project, &ended))?;
            }
        }
    }
    run.map_or(Ok(()), |run| write(tx, project, &run))
}

fn last(tx: &Transaction<'_>, project: i64) -> Result<Option<Run>> {
    tx.prepare_cached(
        "SELECT first_ordinal, first_id, last_id FROM feature_run WHERE project = ?1
            ORDER BY first_ordinal DESC LIMIT 1",
    )?
    .query_row([project], |row| Ok(Run { first_ordinal: row.get(0)?, first_id: row.get(1)?, last_id: row.get(2)? }))
    .optional()
}

fn write(tx: &Transaction<'_>, project: i64, run: &Run) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO feature_run (project, first_ordinal, first_id, last_id) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET last_id = ?4",
    )?
    .execute((project, run.first_ordinal, run.first_id, run.last_id))?;
    Ok(())
}

/// Deletes all features of a project, and its runs.
pub(super) fn delete_features(tx: &Transaction<'_>, project: i64) -> Result<()> {
    let mut runs = tx.prepare_cached("SELECT first_id, last_id FROM feature_run WHERE project = ?1")?;
    let mut delete = tx.prepare_cached("DELETE FROM feature WHERE id BETWEEN ?1 AND ?2")?;
    let runs: Vec<(i64, i64)> =
        runs.query_map([project], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_>>()?;
    for run in runs {
        delete.execute(run)?;
    }
    tx.prepare_cached("DELETE FROM feature_run WHERE project = ?1")?.execute([project])?;
    Ok(())
}
