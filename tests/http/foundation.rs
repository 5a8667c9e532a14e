//! What holds for every path: slashes, statuses, headers, pages, and the operators' pages.

use std::collections::BTreeSet;
use std::sync::Arc;

use reqwest::Method;
use serde_json::json;

use crate::http::small_door::{SmallDoor, told};

#[tokio::test]
async fn a_get_without_the_slash_at_the_end_is_sent_to_the_path_with_it() {
    let door = SmallDoor::serve().await;
    let answer = door.get("/api/v1/things?page_size=2&x=%20").await;
    assert_eq!(answer.status(), 301);
    assert_eq!(answer.headers()["location"], "/api/v1/things/?page_size=2&x=%20");
    let answer = door.post("/api/v1/things").json(&json!({})).send().await.unwrap();
    let expected = json!({ "detail": "Not found. Paths end with a slash: /api/v1/things/" });
    assert_eq!(told(answer).await, (404, expected));
    assert_eq!(door.made(), 0);
    assert_eq!(door.get("/version").await.headers()["location"], "/version/");
    assert_eq!(door.get("/api/v1/docs").await.headers()["location"], "/api/v1/docs/");
}

#[tokio::test]
async fn a_path_that_nothing_has_is_not_found_and_never_leads_elsewhere() {
    let door = SmallDoor::serve().await;
    for path in ["/", "/nothing", "//example.com", "/\\example.com", "/api/v1/things/x/", "/api/v1/things/1/more/"] {
        let answer = door.get(path).await;
        assert!(!answer.headers().contains_key("location"), "{path}");
        assert_eq!(told(answer).await, (404, json!({ "detail": "Not found." })), "{path}");
    }
    let answer = door.get("/api/v1/things/2/").await;
    assert_eq!(told(answer).await, (404, json!({ "detail": "No Thing matches the given query." })));
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_named_beside_those_that_it_knows() {
    let door = SmallDoor::serve().await;
    let answer = door.client.delete(door.url("/api/v1/things/")).send().await.unwrap();
    assert_eq!(answer.headers()["allow"], "GET, POST, HEAD, OPTIONS");
    assert_eq!(told(answer).await, (405, json!({ "detail": "Method \"DELETE\" not allowed." })));
    assert_eq!(door.get("/api/v1/things/1/").await.headers()["allow"], "GET, PUT, HEAD, OPTIONS");
}

#[tokio::test]
async fn nobody_known_is_told_how_to_say_who_they_are() {
    let door = SmallDoor::serve().await;
    let answer = door.client.get(door.url("/api/v1/things/")).send().await.unwrap();
    assert_eq!(answer.headers()["www-authenticate"], "Cookie realm=\"api\"");
    let expected = json!({ "detail": "Authentication credentials were not provided." });
    assert_eq!(told(answer).await, (401, expected));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_it_says_so_or_not() {
    let door = SmallDoor::serve().await;
    let big = "x".repeat((1 << 20) + 1);
    let expected = (413, json!({ "detail": "The request's body has more than 1048576 bytes." }));
    for _ in 0..5 {
        let answer = door.post("/api/v1/things/").body(big.repeat(5)).send().await.unwrap();
        assert_eq!(told(answer).await, expected);
    }
    let pieces = [Ok::<_, std::io::Error>(big.clone())];
    let body = reqwest::Body::wrap_stream(tokio_stream::iter(pieces));
    let request = door.post("/api/v1/things/").header("content-type", "application/json").body(body);
    assert_eq!(told(request.send().await.unwrap()).await, expected);
    let keyed = door.post("/api/v1/things/").header("idempotency-key", "big");
    let body = reqwest::Body::wrap_stream(tokio_stream::iter([Ok::<_, std::io::Error>(big)]));
    assert_eq!(told(keyed.body(body).send().await.unwrap()).await, expected);
    assert_eq!(door.made(), 0);
}

#[tokio::test]
async fn the_headers_of_every_answer_are_there_on_errors_too() {
    let door = SmallDoor::serve().await;
    for path in ["/api/v1/things/", "/nothing", "/health", "/api/v1/things/?page=0"] {
        let answer = door.get(path).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("flagsmith-version"), "2.265.0");
        assert_eq!(header("vary"), "Accept, Origin");
        assert_eq!(header("cache-control"), "max-age=0, no-cache, no-store, must-revalidate, private");
        assert_eq!(header("access-control-allow-origin"), "*");
        let exposed = header("access-control-expose-headers");
        for name in ["etag", "location", "offshoot-position", "retry-after", "x-request-id"] {
            assert!(exposed.split(',').any(|exposed| exposed == name), "{name} in {exposed}");
        }
        assert_eq!(uuid::Uuid::parse_str(&header("x-request-id")).unwrap().get_version_num(), 7);
    }
}

#[tokio::test]
async fn a_browser_may_send_the_headers_that_it_asks_for() {
    let door = SmallDoor::serve().await;
    let answer = door
        .client
        .request(Method::OPTIONS, door.url("/api/v1/things/"))
        .header("origin", "https://example.com")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,idempotency-key")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["access-control-allow-headers"], "authorization,idempotency-key");
    assert!(answer.headers()["access-control-allow-methods"].to_str().unwrap().contains("POST"));
}

#[tokio::test]
async fn an_id_that_came_with_a_request_is_kept_if_it_is_harmless() {
    let door = SmallDoor::serve().await;
    for (sent, is_kept) in [("trace-1.a:b_c", true), ("a b", false), (&"x".repeat(129), false)] {
        let answer = door.client.get(door.url("/nothing")).header("x-request-id", sent).send().await.unwrap();
        assert_eq!(answer.headers()["x-request-id"] == sent, is_kept, "{sent}");
    }
}

#[tokio::test]
async fn a_fault_of_ours_is_told_with_the_id_of_the_request_and_nothing_else() {
    let door = SmallDoor::serve().await;
    for how in ["panic", "fault"] {
        for key in [None, Some("a key")] {
            let mut request = door.post("/api/v1/fail/").json(&json!({ "how": how })).header("x-request-id", "r1");
            if let Some(key) = key {
                request = request.header("idempotency-key", key.replace(' ', "-"));
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.headers()["x-request-id"], "r1");
            assert_eq!(answer.headers()["content-type"], "application/json");
            let expected = json!({ "detail": "Internal server error.", "request_id": "r1" });
            assert_eq!(told(answer).await, (500, expected), "{how}");
        }
    }
    let answer = door.post("/api/v1/fail/").json(&json!({ "how": "away" })).send().await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(told(answer).await, (503, json!({ "detail": "Try again." })));
}

/// A file with what is logged on the thread, while the guard lives.
fn logged() -> (tracing::subscriber::DefaultGuard, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let writer = Arc::new(file.reopen().unwrap());
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish();
    (tracing::subscriber::set_default(subscriber), file)
}

#[tokio::test]
async fn a_fault_of_ours_is_logged_once_with_the_id_of_the_request() {
    let (_guard, log) = logged();
    let door = SmallDoor::serve().await;
    for (how, level, text) in [
        ("fault", "ERROR", "the secret of the fault"),
        ("panic", "ERROR", "the secret of the panic"),
        ("away", "WARN", "the secret of the absence"),
    ] {
        let request = door.post("/api/v1/fail/").json(&json!({ "how": how })).header("x-request-id", how);
        request.send().await.unwrap();
        let lines = std::fs::read_to_string(log.path()).unwrap();
        let found: Vec<&str> = lines.lines().filter(|line| line.contains(text)).collect();
        assert_eq!(found.len(), 1, "{lines}");
        assert!(found[0].contains(level) && found[0].contains(&format!("request_id=\"{how}\"")), "{found:?}");
        let answered = lines.lines().filter(|line| line.contains("latency_ms") && line.contains(how)).count();
        assert_eq!(answered, 1, "{lines}");
    }
}

#[tokio::test]
async fn a_change_on_the_ground_of_an_old_version_is_refused_with_the_actual_one() {
    let door = SmallDoor::serve().await;
    for (condition, status) in [("\"3\"", 200), ("\"1\", \"3\"", 200), ("*", 200), ("\"2\"", 412), ("W/\"3\"", 412)] {
        let request = door.client.put(door.url("/api/v1/things/1/")).header("authorization", "someone");
        let answer = request.header("if-match", condition).send().await.unwrap();
        assert_eq!(answer.status(), status, "{condition}");
        if status == 412 {
            assert_eq!(answer.headers()["etag"], "\"3\"");
            let expected = json!({ "detail": "The environment is at version 3.", "version": 3 });
            assert_eq!(answer.json::<serde_json::Value>().await.unwrap(), expected);
        }
    }
}

#[tokio::test]
async fn a_header_that_cannot_be_read_is_refused_before_anything_is_done() {
    let door = SmallDoor::serve().await;
    let keys = ["", "with space", &"k".repeat(256), "ümlaut"];
    for key in keys {
        let request = door.post("/api/v1/things/").json(&json!({ "name": "a" })).header("idempotency-key", key);
        assert_eq!(request.send().await.unwrap().status(), 400, "{key}");
    }
    let request = door.client.get(door.url("/api/v1/things/")).header("authorization", "someone");
    assert_eq!(request.header("offshoot-min-position", "soon").send().await.unwrap().status(), 400);
    assert_eq!(door.made(), 0);
}

#[tokio::test]
async fn health_is_a_table_for_people_and_json_for_programs() {
    let door = SmallDoor::serve().await;
    let expected = json!({ "DatabaseBackend": "working", "MigrationsHealthCheck": "unavailable: <lost>" });
    for path in ["/health?format=json", "/health/?format=json", "/health/readiness/?format=json"] {
        assert_eq!(told(door.get(path).await).await, (500, expected.clone()), "{path}");
    }
    let answer = door.client.get(door.url("/health")).header("accept", "application/json").send().await.unwrap();
    assert_eq!(told(answer).await, (500, expected));
    let page = door.get("/health").await.text().await.unwrap();
    assert!(page.contains("<td>DatabaseBackend</td><td>working</td>"), "{page}");
    assert!(page.contains("&lt;lost&gt;"), "{page}");
    assert_eq!(told(door.get("/health/liveness/").await).await, (200, json!({ "status": "ok" })));
    let (_, version) = told(door.get("/version/").await).await;
    assert_eq!(version["package_versions"]["."], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn metrics_name_paths_by_their_pattern() {
    let door = SmallDoor::serve().await;
    door.get("/api/v1/things/1/").await;
    door.get("/nothing/42").await;
    let page = door.get("/metrics").await.text().await.unwrap();
    let buckets: BTreeSet<&str> =
        page.lines().filter(|line| line.starts_with("offshoot_http_request_seconds_bucket")).collect();
    let has = |part: &str| buckets.iter().any(|line| line.contains(part));
    assert!(has("method=\"GET\",path=\"/api/v1/things/{id}/\",status=\"200\""), "{page}");
    assert!(has("path=\"unmatched\",status=\"404\""), "{page}");
    assert!(!page.contains("/things/1/") && !page.contains("/nothing"), "{page}");
}

#[tokio::test]
async fn the_page_that_shows_the_api_asks_nobody_else() {
    let door = SmallDoor::serve().await;
    let page = door.get("/api/v1/docs/").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("http"), "{policy}");
    let page = page.text().await.unwrap();
    let references = page.split(['"', '\'']).skip(1).step_by(2);
    let mut assets = 0;
    for reference in references.filter(|text| text.ends_with(".js") || text.ends_with(".css") || text.ends_with(".png"))
    {
        assert!(!reference.contains("//"), "{reference}");
        let answer = door.get(&format!("/api/v1/docs/{}", reference.trim_start_matches("./"))).await;
        assert_eq!(answer.status(), 200, "{reference}");
        assets += 1;
    }
    assert!(assets >= 5, "{page}");
    assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
    let start = door.get("/api/v1/docs/swagger-initializer.js").await.text().await.unwrap();
    assert!(start.contains("\"url\": \"/api/v1/openapi.json\""), "{start}");
    assert!(start.contains("\"validatorUrl\": \"none\"") && !start.contains("://"), "{start}");
}

#[tokio::test]
async fn the_description_of_the_api_has_all_paths_and_how_to_say_who_one_is() {
    let door = SmallDoor::serve().await;
    let (status, description) = told(door.get("/api/v1/openapi.json").await).await;
    assert_eq!(status, 200);
    assert_eq!(description["openapi"], "3.1.0");
    assert!(description["paths"]["/api/v1/things/{id}/"]["put"].is_object(), "{description}");
    assert_eq!(description["paths"]["/health/liveness/"]["get"]["security"], json!([{}]));
    assert_eq!(description["components"]["securitySchemes"]["api_key"]["name"], "Authorization");
    assert_eq!(description["security"], json!([{ "api_key": [] }]));
    let problems = &description["paths"]["/api/v1/things/{id}/"]["get"]["responses"];
    let detail = &problems["404"]["content"]["application/json"]["schema"]["properties"]["detail"];
    assert_eq!(detail["type"], "string", "{problems}");
}
