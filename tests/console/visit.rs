//! Somebody visits the console of a server.

use super::browser::Browser;
use super::page::Page;
use crate::support::server::{ADMIN_KEY, TestServer};

/// Opens the console of a server at a path, in a browser of its own, signed in as the organisation's admin.
pub async fn visit(server: &TestServer, path: &str) -> Page {
    visit_at(&server.base(), ADMIN_KEY, path).await
}

/// The same for any server and any key.
pub async fn visit_at(base: &str, key: &str, path: &str) -> Page {
    let page = Page::new(Browser::start().await, base.to_owned());
    page.go(path).await;
    sign_in(&page, key).await;
    page.wait_for_path(path.split('?').next().unwrap_or(path)).await;
    page
}

/// Signs in with a key, on the page to sign in.
pub async fn sign_in(page: &Page, key: &str) {
    page.write("#key", key).await;
    page.click("main button").await;
}
