//! The audit log over HTTP: who may see which lines, what they can be narrowed by, and what each says of a change.

use offshoot_aggregates::permissions::ProjectPermission;
use serde_json::{Value, json};

use crate::support::builders::Permissions;
use crate::support::server::TestServer;

async fn logs(server: &TestServer, query: &str) -> Vec<String> {
    let list = server.get(query).await.expect(200);
    list["results"].as_array().unwrap().iter().map(|line| line["log"].as_str().unwrap().to_owned()).collect()
}

/// The newest line that a query finds, with its details.
async fn newest(server: &TestServer, query: &str) -> Value {
    let list = server.get(query).await.expect(200);
    server.get(&format!("audit/{}/", list["results"][0]["id"])).await.expect(200)
}

#[tokio::test]
async fn priorities_that_change_are_told_by_the_names_of_their_segments() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let environment = server.environment(project, "e").await;
    let feature = server.feature(project, "banner").await;
    let mut links = Vec::new();
    for name in ["gold", "beta"] {
        let segment = server.segment(project, name).await;
        let link = json!({ "feature": feature, "segment": segment, "environment": environment.id });
        links.push(server.post("features/feature-segments/", link).await.expect(201)["id"].clone());
    }
    let order = json!([{ "id": links[1], "priority": 0 }, { "id": links[0], "priority": 1 }]);
    server.post("features/feature-segments/update-priorities/", order).await.expect(200);
    let line = newest(&server, &format!("projects/{}/audit/?search=re-ordered", project.id)).await;
    let details = line["change_details"].as_array().unwrap();
    let mut fields: Vec<_> = details.iter().map(|detail| detail["field"].as_str().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["priority of segment 'beta'", "priority of segment 'gold'"]);
    assert_eq!(line["author"]["first_name"], "Administrator");
}

#[tokio::test]
async fn permissions_that_change_are_told_by_the_names_of_their_keys() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let viewer = Permissions::default().in_project(project, [ProjectPermission::ViewProject]);
    server.limited("deployer", viewer).await;
    let line = newest(&server, &format!("projects/{}/audit/?search=Permissions", project.id)).await;
    assert_eq!(line["log"], "Permissions granted in project p to API key 'deployer': VIEW_PROJECT");
}

#[tokio::test]
async fn lines_are_seen_by_those_who_may_see_the_log_of_their_project() {
    let server = TestServer::start().await;
    let (seen, hidden) = (server.project("seen").await, server.project("hidden").await);
    let permissions = [ProjectPermission::ViewProject, ProjectPermission::ViewAuditLog];
    let auditor = server.limited("auditor", Permissions::default().in_project(seen, permissions)).await;
    auditor.get(&format!("projects/{}/audit/", seen.id)).await.expect(200);
    auditor.get(&format!("projects/{}/audit/", hidden.id)).await.expect(403);
    auditor.get("organisations/1/audit/").await.expect(403);
    let other = server.get(&format!("projects/{}/audit/", hidden.id)).await.expect(200)["results"][0]["id"].clone();
    let reply = auditor.get(&format!("audit/{other}/")).await;
    assert!([403, 404].contains(&reply.status), "{}", reply.body);
    let without = server.limited("viewer", Permissions::default().in_project(seen, [ProjectPermission::ViewProject]));
    without.await.get(&format!("projects/{}/audit/", seen.id)).await.expect(403);
    server.without_key().get("audit/").await.expect(401);
}

#[tokio::test]
async fn lines_are_narrowed_by_project_environments_and_text_page_by_page() {
    let server = TestServer::start().await;
    let (project, elsewhere) = (server.project("p").await, server.project("q").await);
    let (one, two) = (server.environment(project, "one").await, server.environment(project, "two").await);
    server.environment(elsewhere, "three").await;
    server.feature(project, "banner").await;
    let of_project = logs(&server, &format!("audit/?project={}", project.id)).await;
    assert!(of_project.iter().all(|log| !log.contains("three")), "{of_project:?}");
    let in_one = logs(&server, &format!("audit/?environments={}", one.id)).await;
    assert!(!in_one.is_empty() && in_one.iter().all(|log| !log.contains("two")), "{in_one:?}");
    let in_both = logs(&server, &format!("audit/?environments={}&environments={}", one.id, two.id)).await;
    assert!(in_both.len() > in_one.len(), "{in_both:?}");
    let query = format!("audit/?project={}&search=baNNer", project.id);
    let all = logs(&server, &query).await;
    assert_eq!(all.len(), 3, "once for the project, once for each environment: {all:?}");
    let mut pages = Vec::new();
    for page in 1..=3 {
        pages.extend(logs(&server, &format!("{query}&page_size=1&page={page}")).await);
    }
    assert_eq!(pages, all);
    for (query, expected) in [
        ("audit/?environments=x", json!({ "environments": ["A valid integer is required."] })),
        ("audit/?project=1.5", json!({ "project": ["A valid integer is required."] })),
    ] {
        let reply = server.get(query).await;
        assert_eq!(reply.status, 400, "{query}: {}", reply.body);
        assert_eq!(reply.body.as_object().unwrap().keys().next(), expected.as_object().unwrap().keys().next());
    }
    let long = format!("audit/?search={}", "x".repeat(257));
    assert_eq!(server.get(&long).await.status, 400);
    assert_eq!(server.get("audit/?search=a%00b").await.status, 400);
}
