//! Copying the key of an environment into the clipboard of the browser.

use serde_json::json;

use super::visit::visit;
use crate::support::server::TestServer;

#[tokio::test]
async fn the_key_of_an_environment_is_in_the_clipboard_or_one_is_told_why_not() {
    let server = TestServer::start().await;
    let (project, source) = server.sample(3).await;
    let page = visit(&server, &format!("/projects/{}", project.id)).await;
    let browser = page.browser();
    let reading = json!({ "origin": server.base(), "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    browser.devtools("Browser.grantPermissions", reading).await;
    page.click(".environment .copy").await;
    page.wait_for(".environment .copy.done .icon-done").await;
    assert_eq!(page.evaluate("navigator.clipboard.readText()").await, source.api_key.as_str());
    assert_eq!(page.evaluate("document.getElementById('announcements').textContent").await, "Copied");

    let refused = json!({ "origin": server.base(), "permission": { "name": "clipboard-write" }, "setting": "denied" });
    browser.devtools("Browser.setPermission", refused).await;
    page.click(".environment .copy").await;
    page.wait_for_text(".toast.danger", "Copying was refused").await;
    page.leave().await;
}
