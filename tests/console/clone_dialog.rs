//! The dialog that asks for a clone: what it refuses before it sends anything, and that all that is chosen there counts.

use offshoot_aggregates::permissions::EnvironmentPermission;
use serde_json::{Value, json};

use super::page::Page;
use super::visit::visit;
use crate::support::builders::{Permissions, TestProject};
use crate::support::server::TestServer;

const SUBMIT: &str = "#clone-environment button.primary";

async fn open(page: &Page) {
    page.click(".environment [data-opens=clone-environment]").await;
    page.wait_for("#clone-environment[open]").await;
}

async fn submit(page: &Page) {
    page.click(SUBMIT).await;
    page.wait_until("!document.querySelector('#clone-environment').open").await;
}

/// Asserts that the dialog does not send what is in it, and leads to the field that is wrong.
async fn assert_refused(page: &Page, field: &str) {
    page.click(SUBMIT).await;
    assert_eq!(page.evaluate("document.querySelector('#clone-environment').open").await, true, "{field}");
    assert_eq!(page.evaluate(&format!("document.querySelector('{field}').matches(':user-invalid')")).await, true);
    assert_eq!(page.evaluate("`#${document.activeElement.id}`").await, field);
    let sent = "performance.getEntriesByType('resource').filter(({ name }) => name.includes('/clone/')).length";
    assert_eq!(page.evaluate(sent).await, 0, "nothing was sent");
}

/// The environment of a project with this name, as the API shows it.
async fn environment_named(server: &TestServer, project: TestProject, name: &str) -> Value {
    let all = server.get(&format!("environments/?project={}", project.id)).await.expect(200);
    let all = all["results"].as_array().unwrap();
    all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}: {all:?}")).clone()
}

#[tokio::test]
async fn what_is_wrong_in_the_clone_dialog_is_not_sent_and_what_is_chosen_there_is_what_the_clone_becomes() {
    let server = TestServer::start().await;
    let (project, source) = server.sample(10).await;
    let described = json!({ "description": "Where customers are" });
    server.patch(&format!("environments/{}/", source.api_key), described).await.expect(200);
    let view = [EnvironmentPermission::ViewEnvironment];
    let colleague = server.limited("colleague", Permissions::default().in_environment(&source, view)).await;
    let head = server.head().await;
    let page = visit(&server, &format!("/projects/{}", project.id)).await;

    open(&page).await;
    assert_refused(&page, "#clone-name").await;
    page.write("#clone-name", "  ").await;
    assert_refused(&page, "#clone-name").await;
    page.write("#clone-name", "Waited for").await;
    page.click("#clone-environment [name=when][value=moment]").await;
    assert_refused(&page, "#clone-moment").await;
    assert_eq!(server.head().await, head);

    page.click("#clone-environment [name=when][value=now]").await;
    page.write("#clone-description", "For the rehearsal").await;
    page.click("#clone-environment [name=clone_feature_states_async][value=false]").await;
    page.click("#clone-environment [name=clone_permissions]").await;
    submit(&page).await;
    page.wait_for_text("#environments", "For the rehearsal").await;
    // What was chosen for one clone is not chosen for the next.
    open(&page).await;
    page.write("#clone-name", "Watched").await;
    submit(&page).await;
    page.wait_until("document.querySelectorAll('.environment .badge.good').length === 3").await;

    for (name, description, mode, colleague_sees) in
        [("Waited for", "For the rehearsal", "sync", 403), ("Watched", "Where customers are", "async", 200)]
    {
        let clone = environment_named(&server, project, name).await;
        assert_eq!(clone["description"], description);
        let path = format!("environments/{}/clone/", clone["api_key"].as_str().unwrap());
        let status = server.get(&path).await.expect(200);
        assert_eq!((&status["mode"], &status["status"]), (&json!(mode), &json!("completed")), "{name}");
        colleague.get(&path).await.expect(colleague_sees);
    }
    page.leave().await;
}
