//! Lines of the audit log as pages show them, with what changed as a diff.

use std::collections::{BTreeSet, HashMap};

use offshoot_aggregates::ActorKind;
use offshoot_aggregates::ids::{EnvironmentId, ProjectId};
use offshoot_projections::audit_log::{AuditEntry, ChangeDetail, ChangeType};
use offshoot_projections::{environment_status, features};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::shown::Moment;
use super::texts;
use super::viewer::Viewer;
use crate::http::problem::Problem;

/// A line.
pub struct ShownLine {
    /// Its id.
    pub id: u64,
    /// When it happened.
    pub at: Moment,
    /// What happened.
    pub text: String,
    /// Who did it.
    pub actor: String,
    /// Where it happened: project and environment, as they are called now.
    pub place: Option<String>,
    /// What kind of change it is, in a word, and the class of its badge; none if there is nothing to say.
    pub kind: Option<(&'static str, &'static str)>,
    /// What changed.
    pub changes: Vec<ShownChange>,
}

/// One thing that changed.
pub struct ShownChange {
    /// The thing.
    pub field: String,
    /// Before and after, line by line.
    pub lines: Vec<DiffLine>,
}

/// A line of a diff.
#[derive(Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// `removed`, `added` or `same`.
    pub kind: &'static str,
    /// What it says.
    pub text: String,
}

/// The names of the places that lines speak of.
pub struct Places {
    environments: HashMap<EnvironmentId, String>,
    projects: HashMap<ProjectId, String>,
}

impl Places {
    /// Those of some lines.
    ///
    /// # Errors
    /// A read model cannot be asked.
    pub async fn of(viewer: &Viewer, entries: impl Iterator<Item = &AuditEntry> + Clone) -> Result<Self, Problem> {
        let read_models = &viewer.session.state.read_models;
        let ids: BTreeSet<_> = entries.clone().filter_map(|entry| entry.environment).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let query = move |file: &_| environment_status::environments_by_ids(file, &ids);
        let environments = read_models.environment_status.query(query).await?;
        let ids: BTreeSet<_> = entries.filter_map(|entry| entry.project).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let projects = read_models.features.query(move |file: &_| features::projects_by_ids(file, &ids)).await?;
        Ok(Self {
            environments: environments.into_iter().map(|stored| (stored.id, stored.settings.name)).collect(),
            projects: projects.into_iter().map(|stored| (stored.id, stored.settings.name)).collect(),
        })
    }

    fn name(&self, entry: &AuditEntry) -> Option<String> {
        let project = entry.project.and_then(|id| self.projects.get(&id));
        let environment = entry.environment.and_then(|id| self.environments.get(&id));
        match (project, environment) {
            (Some(project), Some(environment)) => Some(format!("{project} / {environment}")),
            (one, other) => one.or(other).cloned(),
        }
    }
}

impl ShownLine {
    /// A line of the read model.
    #[must_use]
    pub fn of(entry: AuditEntry, places: &Places) -> Self {
        let actor = entry.actor.as_ref();
        let is_own = actor.is_none_or(|actor| actor.kind == ActorKind::System);
        Self {
            id: entry.id,
            at: entry.created_at.into(),
            actor: actor.filter(|_| !is_own).map_or(texts::audit::OFFSHOOT, |actor| &actor.name).to_owned(),
            place: places.name(&entry),
            kind: match entry.change_type {
                ChangeType::Create => Some((texts::audit::CREATED, "good")),
                ChangeType::Update => Some((texts::audit::UPDATED, "")),
                ChangeType::Delete => Some((texts::audit::DELETED, "bad")),
                ChangeType::Unknown => None,
            },
            changes: entry.change_details.into_iter().map(ShownChange::of).collect(),
            text: entry.log,
        }
    }
}

impl ShownChange {
    fn of(ChangeDetail { field, old, new, option }: ChangeDetail) -> Self {
        let field = option.map_or(field.clone(), |option| texts::audit::of_option(&field, option.0));
        Self { field, lines: diff(&old, &new) }
    }
}

/// Before and after, line by line. What is not there has no line.
fn diff(old: &Value, new: &Value) -> Vec<DiffLine> {
    let (old, new) = (written(old), written(new));
    let (old, new) = (old.as_deref().unwrap_or_default(), new.as_deref().unwrap_or_default());
    let compared = TextDiff::from_lines(old, new);
    let line = |change: similar::Change<&str>| DiffLine {
        kind: match change.tag() {
            ChangeTag::Delete => "removed",
            ChangeTag::Insert => "added",
            ChangeTag::Equal => "same",
        },
        text: change.value().trim_end_matches(['\r', '\n']).to_owned(),
    };
    compared.iter_all_changes().map(line).collect()
}

/// A value with a line end, so that the last line is one as well.
fn written(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) if text.is_empty() => texts::audit::EMPTY_TEXT.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => serde_json::to_string_pretty(value).unwrap_or_default(),
        other => other.to_string(),
    };
    Some(format!("{text}\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(old: &Value, new: &Value) -> Vec<(&'static str, String)> {
        diff(old, new).into_iter().map(|DiffLine { kind, text }| (kind, text)).collect()
    }

    #[test]
    fn what_changed_is_shown_line_by_line() {
        let line = |kind, text: &str| (kind, text.to_owned());
        assert_eq!(lines(&json!(true), &json!(false)), [line("removed", "true"), line("added", "false")]);
        assert_eq!(lines(&json!(null), &json!("a")), [line("added", "a")]);
        assert_eq!(
            lines(&json!("one\ntwo\nthree"), &json!("one\n2\nthree")),
            [line("same", "one"), line("removed", "two"), line("added", "2"), line("same", "three")]
        );
        assert_eq!(
            lines(&json!(["A"]), &json!(null)),
            [line("removed", "["), line("removed", "  \"A\""), line("removed", "]")]
        );
    }
}
