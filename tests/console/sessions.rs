//! Sessions, asked over plain HTTP: what a cookie opens, and what it does not.

use offshoot::commands::{CommandContext, NewApiKey};
use offshoot_aggregates::Actor;
use offshoot_aggregates::organisation::ApiKeyRole;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::client::{Client, Reply};
use crate::support::server::{ADMIN_KEY, TestServer};

/// The cookie of a new session, and its CSRF token.
async fn begin(server: &TestServer) -> (String, String) {
    let form = format!("key={ADMIN_KEY}&next=%2F");
    let request = server.without_key().request(Method::POST, "/sign-in").body(form);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &"/".parse().unwrap()));
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    let pair = cookie.split(';').next().unwrap().to_owned();
    let page = server.without_key().request(Method::GET, "/").header("cookie", &pair).send().await.unwrap();
    assert_eq!(page.headers()["cache-control"], "max-age=0, no-cache, no-store, must-revalidate, private");
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let html = page.text().await.unwrap();
    let (_, rest) = html.split_once("name=\"csrf-token\" content=\"").expect("the page has a token");
    (pair, rest.split('"').next().unwrap().to_owned())
}

async fn ask(client: &Client, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Reply {
    let mut request = client.request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    client.send(request).await
}

#[tokio::test]
async fn a_session_reads_with_its_cookie_and_changes_only_with_its_csrf_token() {
    let server = TestServer::start().await;
    let nobody = server.without_key();
    let (cookie, token) = begin(&server).await;
    let (_, token_of_another) = begin(&server).await;
    let cookie = ("cookie", cookie.as_str());
    let body = || Some(json!({ "name": "Shop", "organisation": 1 }));
    ask(&nobody, Method::GET, "projects/", &[cookie], None).await.expect(200);
    let head = server.head().await;
    for headers in [&[cookie][..], &[cookie, ("x-csrf-token", "")], &[cookie, ("x-csrf-token", &token_of_another)]] {
        let refused = ask(&nobody, Method::POST, "projects/", headers, body()).await.expect(403);
        assert!(refused["detail"].as_str().unwrap().contains("CSRF"), "{refused}");
    }
    // Without the cookie the token is nothing.
    ask(&nobody, Method::POST, "projects/", &[("x-csrf-token", &token)], body()).await.expect(401);
    assert_eq!(server.head().await, head);
    let headers = [cookie, ("x-csrf-token", token.as_str())];
    ask(&nobody, Method::POST, "projects/", &headers, body()).await.expect(201);
}

#[tokio::test]
async fn another_site_gets_nothing_by_a_cookie_and_a_wrong_key_is_not_helped_by_one() {
    let server = TestServer::start().await;
    let nobody = server.without_key();
    let (cookie, _) = begin(&server).await;
    let cookie = ("cookie", cookie.as_str());
    for site in ["cross-site", "same-site"] {
        ask(&nobody, Method::GET, "projects/", &[cookie, ("sec-fetch-site", site)], None).await.expect(401);
    }
    ask(&nobody, Method::GET, "projects/", &[cookie, ("sec-fetch-site", "same-origin")], None).await.expect(200);
    let wrong = server.with_key("nobody-has-this-key-at-all");
    ask(&wrong, Method::GET, "projects/", &[cookie], None).await.expect(401);
}

#[tokio::test]
async fn a_session_outlives_a_restart_and_ends_with_its_key() {
    let server = TestServer::start().await;
    let issued =
        server.post("organisations/1/master-api-keys/", json!({ "name": "for a while", "is_admin": true })).await;
    let issued = issued.expect(201);
    let (key, id) = (issued["key"].as_str().unwrap().to_owned(), issued["prefix"].as_str().unwrap().to_owned());
    let request = server.without_key().request(Method::POST, "/sign-in").body(format!("key={key}"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let cookie = request.send().await.unwrap().headers()["set-cookie"].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let server = server.restart().await;
    let nobody = server.without_key();
    ask(&nobody, Method::GET, "projects/", &[("cookie", &cookie)], None).await.expect(200);
    let revoked = server.delete(&format!("organisations/1/master-api-keys/{id}/")).await;
    assert_eq!(revoked.status, 204, "{}", revoked.body);
    ask(&nobody, Method::GET, "projects/", &[("cookie", &cookie)], None).await.expect(401);
    let page = nobody.request(Method::GET, "/").header("cookie", &cookie).send().await.unwrap();
    assert_eq!(page.headers()["location"], "/sign-in");
    let page = nobody.request(Method::GET, "/sign-in").header("cookie", &cookie).send().await.unwrap();
    assert_eq!(page.status(), 200, "who is led to sign in stays there");
}

#[tokio::test]
async fn a_session_that_was_signed_out_opens_nothing_any_more_also_after_a_restart() {
    let server = TestServer::start().await;
    let nobody = server.without_key();
    let ((cookie, token), (other, _)) = (begin(&server).await, begin(&server).await);
    let sign_out = |token: &str| {
        let request = server.without_key().request(Method::POST, "/sign-out").body(format!("csrf_token={token}"));
        request.header("content-type", "application/x-www-form-urlencoded").header("cookie", &cookie)
    };
    assert_eq!(sign_out("something-else").send().await.unwrap().status(), 403);
    ask(&nobody, Method::GET, "projects/", &[("cookie", &cookie)], None).await.expect(200);
    let answer = sign_out(&token).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &"/sign-in".parse().unwrap()));
    let is_ended = async |server: &TestServer| {
        let nobody = server.without_key();
        ask(&nobody, Method::GET, "projects/", &[("cookie", &cookie)], None).await.expect(401);
        let headers = [("cookie", cookie.as_str()), ("x-csrf-token", &token)];
        ask(&nobody, Method::POST, "projects/", &headers, Some(json!({ "name": "Shop" }))).await.expect(401);
        let page = nobody.request(Method::GET, "/").header("cookie", &cookie).send().await.unwrap();
        assert_eq!(page.headers()["location"], "/sign-in");
        // Nobody else's session is ended by it.
        ask(&nobody, Method::GET, "projects/", &[("cookie", &other)], None).await.expect(200);
    };
    is_ended(&server).await;
    is_ended(&server.restart().await).await;
}

#[tokio::test]
async fn a_key_that_was_issued_a_moment_ago_is_not_taken_for_one_that_nobody_has() {
    let server = TestServer::start().await;
    let (organisation, _) = server.commands().first_organisation().await.unwrap().unwrap();
    for number in 0..20 {
        let context = CommandContext::repeatable(Actor::operator("test"), Uuid::new_v4());
        let new = NewApiKey {
            name: format!("key {number}"),
            role: ApiKeyRole::OrganisationAdmin,
            expires_at: None,
            key: None,
            projects: Vec::new(),
            environments: Vec::new(),
        };
        let issued = server.commands().issue_api_key(&context, organisation, new).await.unwrap().created;
        let request = server.without_key().request(Method::POST, "/sign-in").body(format!("key={}", issued.key));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(request.send().await.unwrap().status(), 303, "the read model has not heard of it, the log has");
    }
}

#[tokio::test]
async fn behind_tls_the_cookie_is_for_tls_only_and_no_other_site_can_sign_somebody_in() {
    let server = TestServer::start().await;
    let form = || {
        let request = server.without_key().request(Method::POST, "/sign-in").body(format!("key={ADMIN_KEY}"));
        request.header("content-type", "application/x-www-form-urlencoded")
    };
    let behind_tls = form().header("x-forwarded-proto", "https").send().await.unwrap();
    assert!(behind_tls.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"));
    let from_elsewhere = form().header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!((from_elsewhere.status().as_u16(), from_elsewhere.headers().get("set-cookie")), (403, None));
}

#[tokio::test]
async fn who_follows_a_link_from_elsewhere_is_not_asked_to_sign_in_again() {
    let server = TestServer::start().await;
    let request = server.without_key().request(Method::GET, "/?a=1&b=%22").header("sec-fetch-site", "cross-site");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let html = answer.text().await.unwrap();
    assert!(html.contains("http-equiv=\"refresh\" content=\"0;url=/?a=1&#38;b=%22\""), "{html}");
}
