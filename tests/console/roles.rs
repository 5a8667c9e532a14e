//! What somebody may not do is not offered.

use offshoot_aggregates::permissions::{EnvironmentPermission, ProjectPermission};

use super::axe::assert_accessible;
use super::visit::visit_at;
use crate::support::builders::Permissions;
use crate::support::server::TestServer;

#[tokio::test]
async fn who_may_only_look_is_offered_nothing_else() {
    let server = TestServer::start().await;
    let (project, source) = server.sample(10).await;
    let permissions = Permissions::default()
        .in_project(project, [ProjectPermission::ViewProject])
        .in_environment(&source, [EnvironmentPermission::ViewEnvironment]);
    let visitor = server.limited("visitor", permissions).await;
    let page = visit_at(&server.base(), visitor.key(), "/").await;
    page.wait_for_text("#projects", "sample").await;
    assert_eq!(page.evaluate("document.querySelectorAll('main button, dialog').length").await, 0);
    page.go(&format!("/projects/{}", project.id)).await;
    page.wait_for_text("#environments", "source").await;
    let offered = "document.querySelectorAll('main [data-opens], main [popovertarget], #new-environment').length";
    assert_eq!(page.evaluate(offered).await, 0);
    page.go(&format!("/environments/{}", source.api_key)).await;
    page.wait_for_text("#features", "5 of 10 on").await;
    let offered = "document.querySelectorAll('main form, main input:not(:disabled), main [data-opens]').length";
    assert_eq!(page.evaluate(offered).await, 0);
    assert_accessible(&page).await;
    page.leave().await;
}

#[tokio::test]
async fn what_is_not_there_or_not_to_be_seen_has_a_page_that_says_so() {
    let server = TestServer::start().await;
    let project = server.project("Shop").await;
    let deleted = server.environment(project, "Production").await.api_key;
    assert_eq!(server.delete(&format!("environments/{deleted}/")).await.status, 204);
    let visitor = server.limited("visitor", Permissions::default()).await;
    let page = visit_at(&server.base(), visitor.key(), "/").await;
    page.wait_for_text(".state", "Nobody has given your key access").await;
    for (path, heading) in [
        (format!("/projects/{}", project.id), "Not allowed"),
        // That it was ever there is for those alone who may see its project.
        (format!("/environments/{deleted}"), "Not found"),
        ("/projects/999".to_owned(), "Not found"),
        ("/no/such/page".to_owned(), "Not found"),
    ] {
        page.go(&path).await;
        page.wait_for_text("h1", heading).await;
        assert_accessible(&page).await;
    }
    page.assert_clean_but(|error| error.contains("404") || error.contains("403")).await;
    page.leave().await;
}
