//! The audit log: what happened, the newest first, as it happens. What followed from one request is one line that unfolds.

use askama::Template;
use async_trait::async_trait;
use axum::response::{Html, IntoResponse, Response};
use offshoot_aggregates::RecordedEvent;
use offshoot_projections::Page;
use offshoot_projections::audit_log::{self, AuditGroup};
use uuid::Uuid;

use super::assets;
use super::audit_lines::{Places, ShownLine};
use super::audit_query::{Asked, Choices, PAGE_SIZE, Scope};
use super::layout::{Section, Shell, page};
use super::live::{Region, Regions, follow};
use super::problem_page::PageProblem;
use super::shown::grouped;
use super::texts;
use super::viewer::Viewer;
use crate::http::body::{Path, Query};
use crate::http::problem::Problem;

/// Lines of one group that are shown at most.
const GROUP_LINES_MAX: u64 = 1_000;

#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "audit.html")]
struct AuditPage {
    shell: Shell,
    asked: Asked,
    choices: Choices,
    list: AuditList,
}

/// The region with the lines.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "audit_list.html")]
struct AuditListRegion<'a> {
    asked: &'a Asked,
    list: &'a AuditList,
}

/// The region of one of them.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "audit_row.html")]
struct AuditRow<'a> {
    asked: &'a Asked,
    group: &'a ShownGroup,
}

/// What a group unfolds into.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "audit_lines.html")]
struct GroupLines {
    lines: Vec<ShownLine>,
    more: Option<String>,
}

/// A page of groups.
struct AuditList {
    groups: Vec<ShownGroup>,
    previous: Option<String>,
    next: Option<String>,
}

/// What followed from one request.
struct ShownGroup {
    line: ShownLine,
    /// How it ended, or how far it is, if there is more than one line.
    last: Option<String>,
    /// How many lines there are.
    lines: u64,
    /// What its lines are asked for by; none if the one line is all.
    correlation: Option<String>,
}

impl ShownGroup {
    fn of(AuditGroup { line, last, lines }: AuditGroup, places: &Places) -> Self {
        let correlation = line.correlation_id.filter(|_| lines > 1);
        Self {
            last: (lines > 1 && last.id != line.id).then_some(last.log),
            correlation: correlation.map(|correlation| correlation.to_string()),
            line: ShownLine::of(line, places),
            lines,
        }
    }

    /// How many lines there are, in words.
    fn count(&self) -> String {
        texts::audit::unfolds(&grouped(self.lines))
    }
}

async fn find(viewer: &Viewer, asked: &Asked) -> Result<AuditList, Problem> {
    let filter = asked.filter(&Scope::of(viewer, asked.project).await?);
    let rows = Page { limit: PAGE_SIZE + 1, offset: (asked.page - 1) * PAGE_SIZE };
    let query = move |file: &_| audit_log::list_groups(file, &filter, rows);
    let mut groups = viewer.session.state.read_models.audit_log.query(query).await?;
    let has_more = groups.len() as u64 > PAGE_SIZE;
    groups.truncate(usize::try_from(PAGE_SIZE).unwrap_or(usize::MAX));
    let places = Places::of(viewer, groups.iter().map(|group| &group.line)).await?;
    Ok(AuditList {
        groups: groups.into_iter().map(|group| ShownGroup::of(group, &places)).collect(),
        previous: (asked.page > 1).then(|| asked.query_of_page(asked.page - 1)),
        next: has_more.then(|| asked.query_of_page(asked.page + 1)),
    })
}

pub(super) async fn show(viewer: Viewer, Query(mut fields): Query) -> Result<Response, PageProblem> {
    let asked = Asked::read(&mut fields);
    fields.finish()?;
    let (list, choices) = (find(&viewer, &asked).await?, Choices::of(&viewer, asked.project).await?);
    Ok(page(&AuditPage { shell: viewer.shell(Section::Audit, texts::audit::TITLE), asked, choices, list })?)
}

/// The lines of one group, as a part of a page.
pub(super) async fn group(
    viewer: Viewer,
    Path(correlation): Path<Uuid>,
    Query(mut fields): Query,
) -> Result<Response, Problem> {
    let asked = Asked::read(&mut fields);
    fields.finish()?;
    let filter = asked.filter(&Scope::of(&viewer, asked.project).await?);
    let rows = Page { limit: GROUP_LINES_MAX + 1, offset: 0 };
    let query = move |file: &_| audit_log::entries_of_group(file, &filter, correlation, rows);
    let mut entries = viewer.session.state.read_models.audit_log.query(query).await?;
    let has_more = entries.len() as u64 > GROUP_LINES_MAX;
    entries.truncate(usize::try_from(GROUP_LINES_MAX).unwrap_or(usize::MAX));
    let places = Places::of(&viewer, entries.iter()).await?;
    let lines = entries.into_iter().map(|entry| ShownLine::of(entry, &places)).collect();
    let more = has_more.then(|| texts::audit::first(&grouped(GROUP_LINES_MAX)));
    let html = GroupLines { lines, more }.render().map_err(Problem::internal)?;
    Ok(Html(html).into_response())
}

pub(super) async fn live(viewer: Viewer, Query(mut fields): Query) -> Result<Response, Problem> {
    let asked = Asked::read(&mut fields);
    fields.finish()?;
    Ok(follow(viewer.clone(), AuditRegions { viewer, asked }))
}

struct AuditRegions {
    viewer: Viewer,
    asked: Asked,
}

#[async_trait]
impl Regions for AuditRegions {
    /// All but those of the id allocator have a line.
    fn concerns(&self, _: &RecordedEvent) -> bool {
        true
    }

    async fn render(&mut self) -> Result<Vec<Region>, Problem> {
        let list = find(&self.viewer, &self.asked).await?;
        let (asked, list) = (&self.asked, &list);
        let items = list.groups.iter().map(|group| (format!("line-{}", group.line.id), AuditRow { asked, group }));
        Region::list("audit", &AuditListRegion { asked, list }, &[], items)
    }
}
