//! Environments are created, renamed and deleted on the page of their project.

use super::axe::assert_accessible;
use super::visit::visit;
use crate::support::server::TestServer;

#[tokio::test]
async fn an_environment_is_created_renamed_and_deleted() {
    let server = TestServer::start().await;
    let project = server.project("Shop").await;
    let page = visit(&server, &format!("/projects/{}", project.id)).await;
    page.wait_for_text(".state", "There is no environment yet").await;
    assert_accessible(&page).await;
    page.click("[data-opens=new-environment]").await;
    page.write("#new-environment-name", "Production").await;
    page.click("#new-environment button.primary").await;
    page.wait_for_text(".environment h2", "Production").await;

    page.click(".environment [popovertarget]").await;
    assert_accessible(&page).await;
    page.click("[data-opens=rename-environment]").await;
    page.write("#rename-environment-name", "Live").await;
    page.click("#rename-environment button.primary").await;
    page.wait_for_text(".environment h2", "Live").await;

    page.click(".environment [popovertarget]").await;
    page.click("[data-opens=delete-environment]").await;
    page.wait_for_text("#delete-environment", "Live is deleted with everything in it").await;
    page.click("#delete-environment button.danger").await;
    page.wait_for_text(".state", "There is no environment yet").await;
    page.leave().await;
}

#[tokio::test]
async fn what_a_form_says_wrong_is_said_at_the_field_and_can_be_mended() {
    let server = TestServer::start().await;
    let (project, _) = server.sample(3).await;
    let page = visit(&server, &format!("/projects/{}", project.id)).await;
    page.click("[data-opens=new-environment]").await;
    page.write("#new-environment-name", "source").await;
    page.click("#new-environment button.primary").await;
    page.wait_for_text("#new-environment .form-error", "An environment with this name already exists").await;
    page.write("#new-environment-name", " ").await;
    page.click("#new-environment button.primary").await;
    let error = page.wait_for("#new-environment-name-error").await.text().await.unwrap();
    assert!(!error.is_empty());
    assert_eq!(page.evaluate("document.activeElement.getAttribute('aria-invalid')").await, "true");
    assert_accessible(&page).await;
    page.write("#new-environment-name", "another").await;
    page.click("#new-environment button.primary").await;
    page.wait_for_text("#environments", "another").await;
    page.assert_clean_but(|error| error.contains("/api/v1/environments/") && error.contains("400")).await;
    page.leave().await;
}

#[tokio::test]
async fn a_clone_of_a_moment_of_the_past_is_asked_for_in_the_viewers_time_zone() {
    let server = TestServer::start().await;
    let (project, _) = server.sample(3).await;
    let page = visit(&server, &format!("/projects/{}", project.id)).await;
    page.click(".environment [data-opens=clone-environment]").await;
    page.write("#clone-name", "Before everything").await;
    assert_eq!(page.evaluate("document.querySelector('#clone-moment').disabled").await, true);
    page.click("#clone-environment [name=when][value=moment]").await;
    let moment = page.wait_for("#clone-moment").await;
    assert_accessible(&page).await;
    page.evaluate("(document.querySelector('#clone-moment').value = '2001-01-01T00:00:00')").await;
    drop(moment);
    page.click("#clone-environment button.primary").await;
    page.wait_for_text("#clone-environment", "The environment did not exist at that moment").await;
    page.assert_clean_but(|error| error.contains("/clone/") && error.contains("400")).await;
    page.click("#clone-environment [name=when][value=now]").await;
    page.click("#clone-environment button.primary").await;
    page.wait_for_text("#environments", "Cloned from source").await;
    page.leave().await;
}
