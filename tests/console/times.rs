//! Times in a browser: in the viewer's zone, with the exact UTC for whoever rests the pointer on one.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::page::Page;
use super::visit::visit;
use crate::support::server::TestServer;

/// What each time of a page is for machines, what it says on hover, and what one reads.
const TIMES: &str =
    "[...document.querySelectorAll('time')].map((time) => [time.dateTime, time.title, time.textContent])";

/// Asserts that every time of a page is shown so, and that there are at least as many.
async fn assert_times(page: &Page, at_least: usize) {
    let there = TimeZone::fixed(Offset::from_seconds(5 * 3_600 + 45 * 60).expect("the browser's zone, Kathmandu's"));
    let times = page.evaluate(TIMES).await;
    let times = times.as_array().unwrap();
    assert!(times.len() >= at_least, "{}: {times:?}", page.path().await);
    for time in times {
        let [machines, hover, read] = [0, 1, 2].map(|index| time[index].as_str().unwrap());
        let moment: Timestamp = hover.parse().unwrap();
        assert_eq!(format!("{moment:.3}"), hover, "exact, in UTC, to the millisecond");
        assert_eq!(machines, hover);
        // Whichever clock the browser's language goes by.
        let clocks = ["%H:%M", "%I:%M %p"].map(|clock| moment.to_zoned(there.clone()).strftime(clock).to_string());
        let read = read.replace('\u{202f}', " ");
        assert!(clocks.iter().any(|clock| read.ends_with(clock)), "{hover} is {clocks:?} there and shown as {read}");
    }
}

#[tokio::test]
async fn every_time_is_in_the_viewers_zone_and_says_the_exact_utc_on_hover() {
    let server = TestServer::start().await;
    let (project, source) = server.sample(3).await;
    let page = visit(&server, &format!("/projects/{}", project.id)).await;
    page.wait_for_text("#environments", "source").await;
    assert_times(&page, 2).await;
    // Times that come later, with a region, are shown so too.
    let clone = server.clone_async(&source, "Staging").await;
    page.wait_until("document.querySelectorAll('.environment .badge.good').length === 2").await;
    assert_times(&page, 4).await;
    let states = server.get(&format!("environments/{}/featurestates/", clone.key)).await.expect(200);
    let feature = &states["results"][0]["feature"];
    for (path, at_least) in [
        (format!("/environments/{}", source.api_key), 2),
        (format!("/environments/{}", clone.key), 3),
        (format!("/environments/{}/features/{feature}", clone.key), 2),
        ("/audit".to_owned(), 2),
    ] {
        page.go(&path).await;
        page.wait_for("time").await;
        assert_times(&page, at_least).await;
    }
    page.click(".audit-row details[data-lines] summary").await;
    page.wait_for(".audit-lines time").await;
    assert_times(&page, 4).await;
    page.leave().await;
}
