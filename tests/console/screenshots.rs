//! Pictures of every page and state, for people to look at: `scripts/screenshots` runs this.

use std::path::{Path, PathBuf};

use super::browser::Browser;
use super::page::{Colours, Page};
use super::pictures;
use super::visit::visit;
use crate::support::gated_log::Gate;
use crate::support::server::TestServer;

/// A telephone's screen, and a desk's.
const SCREENS: [(u32, u32); 2] = [(360, 780), (1_280, 900)];

/// Pictures higher than this are cut off.
const HEIGHT_MAX: u32 = 2_400;

/// Resolves when nothing moves any more but what moves for ever.
const SETTLED: &str = "Promise.all(document.getAnimations()
    .filter((one) => one.effect.getComputedTiming().iterations !== Infinity)
    .map((one) => one.finished.catch(() => {})))";

/// A folder of pictures.
pub struct Album {
    directory: PathBuf,
}

impl Album {
    /// Takes a picture of a page as it is, in both colours, on both screens.
    pub async fn take(&self, page: &Page, name: &str) {
        for colours in [Colours::Light, Colours::Dark] {
            page.prefer(colours).await;
            for (width, height) in SCREENS {
                page.resize(width, height).await;
                let full = page.evaluate("document.documentElement.scrollHeight").await.as_u64().unwrap();
                page.resize(width, u32::try_from(full).unwrap().clamp(height, HEIGHT_MAX)).await;
                page.evaluate(SETTLED).await;
                let wide = page.evaluate("document.documentElement.scrollWidth").await.as_u64().unwrap();
                assert!(wide <= width.into(), "{name} is {wide} pixels wide on a screen of {width}");
                let file = format!("{name}-{}-{width}.png", if colours == Colours::Dark { "dark" } else { "light" });
                page.picture(&self.directory.join(file)).await;
            }
        }
        page.resize(SCREENS[1].0, SCREENS[1].1).await;
        page.prefer(Colours::Light).await;
    }
}

#[tokio::test]
#[ignore = "run by scripts/screenshots"]
async fn pictures_of_every_page_and_state() {
    let directory = std::env::var_os("OFFSHOOT_SCREENSHOTS").expect("OFFSHOOT_SCREENSHOTS says where to");
    let album = Album { directory: Path::new(&directory).to_owned() };
    std::fs::create_dir_all(&album.directory).unwrap();
    let empty = TestServer::start().await;
    let page = Page::new(Browser::start().await, empty.base());
    page.go("/").await;
    page.wait_for("#key").await;
    album.take(&page, "sign-in").await;
    page.write("#key", "a-key-that-nobody-has-ever-had").await;
    page.click("main button").await;
    page.wait_for("[role=alert]").await;
    album.take(&page, "sign-in-refused").await;
    page.browser().logged().await;
    page.leave().await;
    let page = visit(&empty, "/").await;
    album.take(&page, "projects-empty").await;
    page.click("[data-opens=new-project]").await;
    album.take(&page, "new-project").await;
    let project = empty.project("Shop").await;
    page.go(&format!("/projects/{}", project.id)).await;
    album.take(&page, "project-empty").await;
    page.go("/projects/999").await;
    album.take(&page, "not-found").await;
    page.browser().logged().await;
    page.leave().await;
    pictures_of_clones(&album).await;
    pictures::of_flags(&album).await;
}

async fn pictures_of_clones(album: &Album) {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (project, source) = server.sample(5_000).await;
    let path = format!("/projects/{}", project.id);
    let failing = server.clone_async(&source, "Rehearsal").await;
    gate.let_through(2);
    server.wait_for_clone(&failing, |status| status["batches_copied"] == 2).await;
    gate.fail(u32::MAX);
    gate.let_through(1);
    server.wait_for_clone(&failing, |status| status["status"] == "failed").await;
    gate.fail(0);
    let running = server.clone_async(&source, "Staging").await;
    gate.let_through(6);
    server.wait_for_clone(&running, |status| status["batches_copied"] == 6).await;
    let page = visit(&server, "/").await;
    album.take(&page, "projects").await;
    page.go(&path).await;
    page.wait_until("document.querySelectorAll('progress').length === 2").await;
    album.take(&page, "project").await;
    page.click(".environment [popovertarget]").await;
    album.take(&page, "project-menu").await;
    page.press(thirtyfour::Key::Escape).await;
    page.click(".environment [data-opens=clone-environment]").await;
    album.take(&page, "clone").await;
    page.click("#clone-environment [data-closes]").await;
    page.click("[data-opens=cancel-clone]").await;
    album.take(&page, "cancel").await;
    for (name, key) in [("failed", &failing.key), ("creating", &running.key), ("ready", &source.api_key)] {
        page.go(&format!("/environments/{key}")).await;
        album.take(&page, &format!("environment-{name}")).await;
    }
    server.delete(&format!("environments/{}/", source.api_key)).await;
    page.wait_for_text("h1", "This environment was deleted").await;
    album.take(&page, "environment-gone").await;
    page.block(&["*/live/*"]).await;
    page.go(&path).await;
    page.wait_for("#connection").await;
    album.take(&page, "interrupted").await;
    gate.open();
    page.browser().logged().await;
    page.leave().await;
}
