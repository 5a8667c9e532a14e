//! The server itself: whether it works, how far its read models are, and how long clones take. For admins of organisations.

use std::time::Duration;

use askama::Template;
use async_trait::async_trait;
use axum::response::Response;
use offshoot_aggregates::RecordedEvent;
use offshoot_projections::ParkedEvent;

use super::assets;
use super::clone_charts::Chart;
use super::clone_metrics::Histogram;
use super::layout::{Section, Shell, page};
use super::live::{Region, Regions, follow};
use super::problem_page::PageProblem;
use super::shown::grouped;
use super::texts;
use super::viewer::Viewer;
use crate::http::health::StoreHealth;
use crate::http::operational::HealthCheck as _;
use crate::http::problem::Problem;
use crate::read_models::{ReadModel, ReadModelState, lag};
use crate::telemetry::metrics_handle;

/// How often the page looks: what it shows changes without an event.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "system.html")]
struct SystemPage {
    shell: Shell,
    health: Health,
    projections: Vec<ShownProjection>,
    charts: [Chart; 2],
}

/// The region that says whether it works.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "system_health.html")]
struct HealthRegion<'a> {
    health: &'a Health,
}

/// The region of the read models.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "system_projections.html")]
struct ProjectionsRegion<'a> {
    projections: &'a [ShownProjection],
}

/// The region of the clones.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "system_clones.html")]
struct ClonesRegion<'a> {
    charts: &'a [Chart; 2],
}

/// Whether it works, and what it is.
struct Health {
    version: &'static str,
    store: String,
    /// Where the log ends; none while the store is away.
    head: Option<String>,
    /// What it stands on, and why that does not work, if it does not.
    parts: Vec<(&'static str, Option<String>)>,
}

/// A read model.
struct ShownProjection {
    name: &'static str,
    version: u32,
    position: String,
    lag: String,
    state: &'static str,
    /// The class of its badge.
    class: &'static str,
    /// How much of a new file is built, in percent.
    build: Option<u64>,
    parked: Vec<ParkedEvent>,
}

impl Health {
    async fn of(viewer: &Viewer) -> Self {
        let state = &viewer.session.state;
        let log = state.commands.log();
        let parts = StoreHealth::new(state.clone()).check().await;
        let named = |name| match name {
            "DatabaseBackend" => texts::system::LOG,
            _ => texts::system::READ_MODELS,
        };
        Self {
            version: env!("CARGO_PKG_VERSION"),
            store: texts::system::store(log.store_name(), log.is_shared()),
            head: log.head().await.ok().map(|head| grouped(head.0)),
            parts: parts.into_iter().map(|part| (named(part.name), part.state.err())).collect(),
        }
    }

    fn works(&self) -> bool {
        self.parts.iter().all(|(_, problem)| problem.is_none())
    }
}

impl ShownProjection {
    async fn of(viewer: &Viewer, read_model: &ReadModel) -> Result<Self, Problem> {
        let status = read_model.status().await?;
        let lag = lag(viewer.session.state.commands.log().as_ref(), read_model).await.ok();
        let (state, class) = match status.state {
            ReadModelState::Live => (texts::system::LIVE, "good"),
            ReadModelState::Rebuilding => (texts::system::REBUILDING, "busy"),
            ReadModelState::Building => (texts::system::BUILDING, "busy"),
            ReadModelState::Stopped => (texts::system::STOPPED, "bad"),
        };
        let percent = |done: u64, goal: u64| done.saturating_mul(100).checked_div(goal).unwrap_or(100).min(100);
        Ok(Self {
            name: status.name,
            version: status.version,
            position: grouped(status.position.0),
            lag: lag.map_or_else(
                || texts::system::UNKNOWN.to_owned(),
                |lag| texts::system::lag(lag.events, &grouped(lag.events), lag.seconds),
            ),
            state,
            class,
            build: status.build.map(|build| percent(build.position.0, build.goal.0)),
            parked: status.parked,
        })
    }

    /// What those who listen are told when it changes.
    fn announcement(&self) -> String {
        format!("{}: {}", self.name, self.state)
    }
}

async fn projections(viewer: &Viewer) -> Result<Vec<ShownProjection>, Problem> {
    let mut shown = Vec::new();
    for read_model in viewer.session.state.read_models.all() {
        shown.push(ShownProjection::of(viewer, read_model).await?);
    }
    Ok(shown)
}

fn charts() -> Result<[Chart; 2], Problem> {
    let metrics = metrics_handle().map_err(Problem::internal)?.render();
    let read = |name| ["sync", "async"].map(|mode| Histogram::read(&metrics, name, mode));
    let answers = read("offshoot_clone_request_seconds");
    let durations = read("offshoot_clone_duration_seconds");
    let [sync, background] = &answers;
    let answers = Chart::of("answers", texts::system::ANSWERS, texts::system::ANSWERS_LEAD, [sync, background]);
    let [sync, background] = &durations;
    let durations = Chart::of("durations", texts::system::DURATIONS, texts::system::DURATIONS_LEAD, [sync, background]);
    Ok([answers, durations])
}

pub(super) async fn show(viewer: Viewer) -> Result<Response, PageProblem> {
    viewer.session.require_organisation_admin().await?;
    let shown = SystemPage {
        shell: viewer.shell(Section::System, texts::system::TITLE),
        health: Health::of(&viewer).await,
        projections: projections(&viewer).await?,
        charts: charts()?,
    };
    Ok(page(&shown)?)
}

pub(super) async fn live(viewer: Viewer) -> Result<Response, Problem> {
    viewer.session.require_organisation_admin().await?;
    Ok(follow(viewer.clone(), SystemRegions { viewer }))
}

struct SystemRegions {
    viewer: Viewer,
}

#[async_trait]
impl Regions for SystemRegions {
    fn concerns(&self, _: &RecordedEvent) -> bool {
        false
    }

    fn interval(&self) -> Option<Duration> {
        Some(LOOK_INTERVAL)
    }

    async fn render(&mut self) -> Result<Vec<Region>, Problem> {
        self.viewer.session.require_organisation_admin().await?;
        let (health, projections, charts) =
            (Health::of(&self.viewer).await, projections(&self.viewer).await?, charts()?);
        Ok(vec![
            Region::new("system-health", &HealthRegion { health: &health })?,
            Region::new("projections", &ProjectionsRegion { projections: &projections })?,
            Region::new("clones", &ClonesRegion { charts: &charts })?,
        ])
    }
}
