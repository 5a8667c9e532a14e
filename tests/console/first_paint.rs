//! When a page is first painted, and whether it jumps afterwards: the second is asserted, the first is printed by
//! `scripts/bench-console`.

use std::ffi::OsString;

use serde_json::{Value, json};

use super::page::Page;
use super::visit::{visit, visit_at};
use crate::support::client::Client;
use crate::support::prepared::{ADMIN_KEY, Prepared};
use crate::support::process::{ServerProcess, offshoot_at};
use crate::support::server::TestServer;

/// How often each page is loaded, for a median.
const LOADS: usize = 9;

/// Runs in every page before anything of its own: notes that its stream has said everything once.
const NOTE: &str = "document.addEventListener('region', () => { window.hasRegions = true; }, { once: true });";

/// Resolves when the page is painted as its stream has it. Milliseconds since the navigation began, and how much jumped.
const READ: &str = "
    const done = arguments[arguments.length - 1];
    let shift = 0;
    const add = (entries) => entries.filter((one) => !one.hadRecentInput).forEach((one) => { shift += one.value; });
    const observer = new PerformanceObserver((list) => add(list.getEntries()));
    observer.observe({ type: 'layout-shift', buffered: true });
    const [navigation] = performance.getEntriesByType('navigation');
    const at = (name) => performance.getEntriesByName(name)[0]?.startTime;
    const finish = () => {
        if (at('first-contentful-paint') === undefined) return requestAnimationFrame(finish);
        add(observer.takeRecords());
        done({
            server: navigation.responseStart - navigation.requestStart,
            paint: at('first-paint'),
            contentful: at('first-contentful-paint'),
            shift,
            kilobytes: navigation.decodedBodySize / 1024,
        });
    };
    // What a region changed is laid out with the next frame, and told of with the one after.
    const frames = (left) => (left > 0 ? requestAnimationFrame(() => frames(left - 1)) : finish());
    if (window.hasRegions || !document.querySelector('[data-live]')) frames(3);
    else document.addEventListener('region', () => frames(3), { once: true });";

/// The path of every kind of page, as an environment with this key has them.
async fn paths(client: &Client, key: &str) -> Vec<String> {
    let environment = client.get(&format!("environments/{key}/")).await.expect(200);
    let states = client.get(&format!("environments/{key}/featurestates/?page_size=1")).await.expect(200);
    let feature = &states["results"][0]["feature"];
    vec![
        "/".to_owned(),
        format!("/projects/{}", environment["project"]),
        format!("/environments/{key}"),
        format!("/environments/{key}/features"),
        format!("/environments/{key}/features?value=value-99&state=on"),
        format!("/environments/{key}/features/{feature}"),
        "/audit".to_owned(),
        "/system".to_owned(),
    ]
}

async fn begin_to_note(page: &Page) {
    page.browser().devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": NOTE })).await;
}

/// Goes to a path. What the browser says of its first paint.
async fn paint(page: &Page, path: &str) -> Value {
    page.go(path).await;
    page.browser().driver().execute_async(READ, Vec::new()).await.unwrap().json().clone()
}

#[tokio::test]
async fn nothing_jumps_when_a_page_comes_or_when_its_stream_begins() {
    let server = TestServer::start().await;
    let (_, source) = server.sample(200).await;
    server.clone_async(&source, "Staging").await;
    let page = visit(&server, "/").await;
    begin_to_note(&page).await;
    for path in paths(&server, &source.api_key).await {
        for width in [360, 1_280] {
            page.resize(width, 900).await;
            let painted = paint(&page, &path).await;
            assert!(painted["shift"].as_f64().unwrap() < 0.01, "{path} at {width}: {painted}");
        }
    }
    page.leave().await;
}

#[tokio::test]
#[ignore = "run by scripts/bench-console"]
async fn first_paint_of_every_page_with_ten_thousand_flags() {
    let binary: OsString = std::env::var_os("OFFSHOOT_BENCH_BINARY").expect("OFFSHOOT_BENCH_BINARY is the server");
    let prepared = Prepared::new(10_000).await;
    let mut command = offshoot_at(&binary);
    command.env("OFFSHOOT_ADMIN_KEY", ADMIN_KEY);
    let server = ServerProcess::spawn_with(command, prepared.directory(), None);
    let base = format!("http://{}", server.address().expect("it serves"));
    let client = Client::new(base.clone(), Some(ADMIN_KEY.to_owned()));
    let page = visit_at(&base, ADMIN_KEY, "/").await;
    begin_to_note(&page).await;
    println!(
        "Medians of {LOADS} loads, in milliseconds since the navigation began; `cold` without the browser's cache."
    );
    println!("{:>6} {:>6} {:>8} {:>6} {:>7} {:>7}  page", "server", "paint", "content", "cold", "shift", "KiB");
    page.browser().devtools("Network.enable", json!({})).await;
    for path in paths(&client, &prepared.source.api_key).await {
        let mut loads = [Vec::new(), Vec::new()];
        for (is_cold, loads) in [true, false].into_iter().zip(&mut loads) {
            page.browser().devtools("Network.setCacheDisabled", json!({ "cacheDisabled": is_cold })).await;
            for _ in 0..LOADS {
                loads.push(paint(&page, &path).await);
            }
        }
        let [cold, warm] = loads.map(|loads| move |name: &str| median(&loads, name));
        println!(
            "{:>6.1} {:>6.0} {:>8.0} {:>6.0} {:>7.4} {:>7.0}  {path}",
            warm("server"),
            warm("paint"),
            warm("contentful"),
            cold("contentful"),
            warm("shift").max(cold("shift")),
            warm("kilobytes"),
        );
    }
    page.leave().await;
}

fn median(loads: &[Value], name: &str) -> f64 {
    let mut values: Vec<_> = loads.iter().map(|load| load[name].as_f64().expect("a number")).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
