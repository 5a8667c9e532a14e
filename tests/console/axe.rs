//! axe-core in the page: what it finds against the rules of WCAG 2.2 A and AA, and its own best practices; and whether the page
//! can be used on a telephone.

use std::path::Path;

use serde_json::Value;

use super::narrow::assert_usable;
use super::page::{Colours, Page};

const RUN: &str = "
    const done = arguments[arguments.length - 1];
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];
    // Colours are on their way from one to another while something moves.
    const passing = document.getAnimations().filter((one) => one.effect.getComputedTiming().iterations !== Infinity);
    Promise.allSettled(passing.map((one) => one.finished)).then(() => axe.run(document, { runOnly: tags })).then(
        ({ violations }) => done(violations.map(({ id, help, nodes }) => ({
            id, help, nodes: nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary),
        }))),
        (error) => done([{ id: 'failed', help: String(error), nodes: [] }]),
    );";

/// Asserts that axe-core finds nothing wrong with a page, in light colours on a desk and in dark ones on a telephone, and that
/// all of it can be used there.
pub async fn assert_accessible(page: &Page) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/node/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(&file).expect("axe-core is installed (scripts/clients)");
    let driver = page.browser().driver();
    for colours in [Colours::Light, Colours::Dark] {
        page.prefer(colours).await;
        if colours == Colours::Dark {
            page.resize(360, 780).await;
            assert_usable(page).await;
        }
        driver.execute(axe.as_str(), Vec::new()).await.unwrap();
        let found = driver.execute_async(RUN, Vec::new()).await.unwrap();
        let violations = found.json().as_array().expect("a list").clone();
        let path = page.path().await;
        assert_eq!(violations, Vec::<Value>::new(), "{path} in {colours:?}");
    }
    page.resize_to_window().await;
}
