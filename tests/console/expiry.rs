//! A session that ends while somebody works: they sign in again and are where they were.

use super::page::Page;
use super::visit::{sign_in, visit};
use crate::support::server::{ADMIN_KEY, TestServer};

/// Waits for the page to sign in, which says why it is there; signs in, and waits for the features that were looked at.
async fn sign_in_again(page: &Page, path: &str) {
    page.wait_for_path("/sign-in").await;
    page.wait_for_text("[role=status]", "Your session has ended").await;
    sign_in(page, ADMIN_KEY).await;
    page.wait_for_path(path).await;
    assert_eq!(page.evaluate("location.search").await, "?search=flag_000001");
    page.wait_for_text("#features", "flag_000001").await;
}

#[tokio::test]
async fn who_is_not_signed_in_any_more_is_told_so_and_comes_back_to_where_they_were() {
    let server = TestServer::start().await;
    let (_, source) = server.sample(3).await;
    let path = format!("/environments/{}/features", source.api_key);
    let page = visit(&server, &format!("{path}?search=flag_000001")).await;
    page.wait_for(".switch").await;
    let driver = page.browser().driver();

    // As a browser does when the time of the cookie is over. The page learns of it when it asks for something.
    driver.delete_all_cookies().await.unwrap();
    let head = server.head().await;
    page.click(".switch").await;
    sign_in_again(&page, &path).await;
    assert_eq!(server.head().await, head, "nothing was changed by who was not signed in");

    // In another tab one signs out. This one learns of it when it hears of something, or is looked at.
    let here = driver.window().await.unwrap();
    let other = driver.new_tab().await.unwrap();
    driver.switch_to_window(other).await.unwrap();
    page.go("/").await;
    page.click("form[action='/sign-out'] button").await;
    page.wait_for_path("/sign-in").await;
    driver.close_window().await.unwrap();
    driver.switch_to_window(here).await.unwrap();
    let described = serde_json::json!({ "description": "something happens" });
    server.patch(&format!("environments/{}/", source.api_key), described).await.expect(200);
    sign_in_again(&page, &path).await;
    // A stream that is asked for without a session is led to the page to sign in, as any page is.
    page.assert_clean_but(|error| error.contains("401") || error.contains("EventSource's response")).await;
    page.leave().await;
}
