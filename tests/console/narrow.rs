//! A telephone's screen: a page must fit its width, and whatever can be used on it must be within reach.

use serde_json::Value;

use super::page::Page;
use super::visit::visit;
use crate::support::server::TestServer;

/// What is wrong with a page as it is: that it scrolls sideways, and controls that cannot be brought to where they can be
/// pressed, with what is there instead.
const LOOK: &str = r##"(() => {
    const wrong = [];
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > width) {
        wrong.push(`the page is ${document.documentElement.scrollWidth} wide on a screen of ${width}`);
    }
    const dialog = document.querySelector("dialog:modal");
    const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary";
    const start = [scrollX, scrollY];
    for (const control of (dialog ?? document).querySelectorAll(controls)) {
        // What is seen only with the focus, and what floats over the page for a while, have places of their own.
        if (!control.checkVisibility({ visibilityProperty: true }) || control.matches(".skip, .toast *")) continue;
        control.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
        const [box] = control.getClientRects();
        const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
        const hit = document.elementFromPoint(x, y);
        const isCovered = hit?.closest(".toast, [popover]:popover-open") && !hit.contains(control);
        if (!isCovered && !(hit && (control.contains(hit) || hit.contains(control) && hit.closest("label, a, button")))) {
            wrong.push(`${control.outerHTML.slice(0, 160)} at ${Math.round(x)}, ${Math.round(y)} is under ${hit?.outerHTML.slice(0, 80)}`);
        }
    }
    scrollTo(...start);
    return wrong;
})()"##;

/// Asserts that a page fits a screen of 360 pixels, on which it is shown at the moment, and that all of it can be used.
pub async fn assert_usable(page: &Page) {
    let wrong = page.evaluate(LOOK).await;
    assert_eq!(wrong, Value::Array(Vec::new()), "{}", page.path().await);
}

#[tokio::test]
async fn what_sticks_out_of_a_narrow_page_or_is_covered_is_found() {
    let server = TestServer::start().await;
    let page = visit(&server, "/").await;
    page.resize(360, 780).await;
    assert_usable(&page).await;
    let wrong = "(() => {
        const main = document.querySelector('main');
        const cover = Object.assign(document.createElement('div'), { className: 'cover' });
        Object.assign(cover.style, { position: 'fixed', inset: '0', zIndex: 9 });
        const wide = Object.assign(document.createElement('p'), { textContent: 'wide' });
        wide.style.width = '500px';
        main.append(cover, wide);
        return true;
    })()";
    page.evaluate(wrong).await;
    let found = page.evaluate(LOOK).await.to_string();
    assert!(found.contains("wide on a screen of 360") && found.contains("class=\\\"cover"), "{found}");
    page.leave().await;
}
