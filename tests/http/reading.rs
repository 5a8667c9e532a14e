//! How bodies and queries are read: media types, all errors at once, nested errors, pages.

use offshoot::http::fields::Fields;
use offshoot::http::kinds;
use offshoot::http::problem::Problem;
use offshoot_aggregates::permissions::ProjectPermission;
use serde_json::{Value, json};

use crate::http::small_door::{SmallDoor, told};

fn fields(body: &Value) -> Fields {
    Fields::from_value(body.clone()).unwrap()
}

fn errors(fields: Fields) -> Value {
    match fields.finish() {
        Err(Problem::Invalid(messages)) => serde_json::to_value(messages).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_says_why() {
    let door = SmallDoor::serve().await;
    let send = async |content_type: &str, body: &str| {
        let request = door.post("/api/v1/things/").header("content-type", content_type).body(body.to_owned());
        told(request.send().await.unwrap()).await
    };
    let (status, body) = send("application/json", "{\"name\": }").await;
    assert!(status == 400 && body["detail"].as_str().unwrap().starts_with("JSON parse error - "), "{body}");
    let (status, body) = send("application/json", &"[".repeat(100_000)).await;
    assert!(status == 400 && body["detail"].as_str().unwrap().contains("recursion limit"), "{body}");
    let not_object = json!({ "non_field_errors": ["Invalid data. Expected a dictionary, but got list."] });
    assert_eq!(send("application/json; charset=utf-8", "[1]").await, (400, not_object));
    let unsupported = json!({ "detail": "Unsupported media type \"text/plain\" in request." });
    assert_eq!(send("text/plain", "name=a").await, (415, unsupported));
    assert_eq!(send("text/plain", "").await, (400, json!({ "name": ["This field is required."] })));
    assert_eq!(send("application/x-www-form-urlencoded", "name=a%20b&secret=true").await.0, 201);
    assert_eq!(door.made(), 1);
}

#[tokio::test]
async fn a_list_of_objects_names_the_errors_of_each_at_its_place() {
    let door = SmallDoor::serve().await;
    let order = async |body: Value| told(door.post("/api/v1/order/").json(&body).send().await.unwrap()).await;
    assert_eq!(order(json!([{ "id": 1 }, { "id": "2" }])).await, (200, json!([1, 2])));
    let wrong = json!([{}, { "id": ["Incorrect type. Expected pk value, received str."] }]);
    assert_eq!(order(json!([{ "id": 1 }, { "id": "x" }])).await, (400, wrong));
    let no_list = json!({ "non_field_errors": ["Expected a list of items but got type \"dict\"."] });
    assert_eq!(order(json!({})).await, (400, no_list));
}

#[test]
fn all_that_is_wrong_is_named_in_one_answer() {
    let mut read = fields(&json!({ "blank": " ", "long": "abcd", "null": null, "bool": "maybe", "int": 1.5,
        "small": -1, "share": "much", "id": true, "uuid": "1", "choice": "FLY", "list": 3, "texts": ["a", {}] }));
    read.require(&["missing"]);
    read.required("blank", kinds::text(3));
    read.required("long", kinds::text(3));
    read.optional("null", kinds::text(3));
    read.optional("bool", kinds::boolean());
    read.nullable("int", kinds::integer(0, 9));
    read.nullable("small", kinds::integer(0, 9));
    read.optional("share", kinds::number(0.0, 100.0));
    read.required("id", kinds::id());
    read.optional("uuid", kinds::uuid());
    read.optional("choice", kinds::choice::<ProjectPermission>());
    read.optional("list", kinds::list(kinds::id()));
    read.optional("texts", kinds::list(kinds::text(3)));
    let expected = json!({
        "missing": ["This field is required."],
        "blank": ["This field may not be blank."],
        "long": ["Ensure this field has no more than 3 characters."],
        "null": ["This field may not be null."],
        "bool": ["Must be a valid boolean."],
        "int": ["A valid integer is required."],
        "small": ["Ensure this value is greater than or equal to 0."],
        "share": ["A valid number is required."],
        "id": ["Incorrect type. Expected pk value, received bool."],
        "uuid": ["Must be a valid UUID."],
        "choice": ["\"FLY\" is not a valid choice."],
        "list": ["Expected a list of items but got type \"int\"."],
        "texts": { "1": ["Not a valid string."] },
    });
    assert_eq!(errors(read), expected);
}

#[test]
fn values_are_taken_in_every_form_that_django_rest_framework_takes() {
    let mut read =
        fields(&json!({ "number": 42, "float": 4.0, "padded": " a ", "kept": " ", "yes": "True", "off": 0, "on": true,
        "int": "7", "whole": 7.0, "share": "12.5", "choice": "CREATE_FEATURE", "null": null, "any": [null] }));
    assert_eq!(read.required("number", kinds::text(9)), "42");
    assert_eq!(read.required("float", kinds::text(9)), "4.0");
    assert_eq!(read.required("padded", kinds::text(9)), "a");
    assert_eq!(read.required("kept", kinds::text(9).verbatim()), " ");
    assert_eq!(read.required("on", kinds::text(9).or_boolean()), "True");
    assert!(read.required("yes", kinds::boolean()));
    assert_eq!(read.optional("off", kinds::boolean()), Some(false));
    assert_eq!(read.required("int", kinds::integer(0, 9)), 7);
    assert_eq!(read.required("whole", kinds::integer(0, 9)), 7);
    assert_eq!(read.required("share", kinds::number(0.0, 100.0)), 12.5);
    assert_eq!(read.optional("choice", kinds::choice()), Some(ProjectPermission::CreateFeature));
    assert_eq!(read.nullable("null", kinds::text(9)), Some(None));
    assert_eq!(read.nullable("absent", kinds::text(9)), None);
    assert_eq!(read.raw("any"), Some(&json!([null])));
    read.finish().unwrap();
}

#[test]
fn objects_in_objects_have_their_errors_where_they_are() {
    fn rule(fields: &mut Fields) -> usize {
        fields.required("type", kinds::text(9));
        1 + fields.objects("rules", rule).unwrap_or_default().into_iter().sum::<usize>()
    }
    let mut read = fields(&json!({ "rules": [{ "type": "ALL", "rules": [{ "type": "ANY" }] }, { "type": "NONE" }] }));
    assert_eq!(read.objects("rules", rule), Some(vec![2, 1]));
    read.finish().unwrap();
    let mut read = fields(&json!({ "rules": [{ "type": "ALL" }, { "type": "ALL", "rules": [1, { }] }], "value": "x" }));
    assert_eq!(read.objects("rules", rule), None);
    assert_eq!(read.object("value", |_| ()), None);
    assert_eq!(read.object("absent", |_| ()), None);
    let expected = json!({
        "rules": [{}, { "rules": [
            { "non_field_errors": ["Invalid data. Expected a dictionary, but got int."] },
            { "type": ["This field is required."] },
        ] }],
        "value": { "non_field_errors": ["Invalid data. Expected a dictionary, but got str."] },
    });
    assert_eq!(errors(read), expected);
}

#[test]
fn a_nul_anywhere_is_an_error_of_the_field_it_is_in() {
    let mut read = fields(&json!({ "name": "a\0", "deep": [{ "x": ["\0"] }], "fine": "a" }));
    assert_eq!(read.required("name", kinds::text(9)), "");
    assert_eq!(read.required("fine", kinds::text(9)), "a");
    let nul = json!(["Null characters are not allowed."]);
    assert_eq!(errors(read), json!({ "deep": nul, "name": nul }));
    let read = Fields::from_form(b"q=%00");
    assert_eq!(errors(read), json!({ "q": nul }));
}

#[test]
fn a_query_is_read_like_a_form() {
    let mut query = Fields::from_form(b"environments=28&environments=x&project=&page=1&page=2&search=");
    assert_eq!(query.optional("project", kinds::integer(0, 9)), None);
    assert_eq!(query.optional("page", kinds::integer(0, 9)), Some(2));
    assert_eq!(query.optional("search", kinds::text(9).or_blank()), Some(String::new()));
    assert_eq!(query.optional("environments", kinds::list(kinds::integer(0, 99))), None);
    assert_eq!(errors(query), json!({ "environments": { "1": ["A valid integer is required."] } }));
    let mut query = Fields::from_form(b"environments=28");
    assert_eq!(query.optional("environments", kinds::list(kinds::integer(0, 99))), Some(vec![28]));
}

#[tokio::test]
async fn an_empty_body_is_an_object_and_null_is_not() {
    let door = SmallDoor::serve().await;
    let send = async |body: &'static str| {
        let request = door.post("/api/v1/things/").header("content-type", "application/json").body(body);
        told(request.send().await.unwrap()).await
    };
    assert_eq!(send("").await, (400, json!({ "name": ["This field is required."] })));
    assert_eq!(send("null").await, (400, json!({ "non_field_errors": ["No data provided"] })));
}

#[tokio::test]
async fn a_form_may_come_in_parts() {
    let door = SmallDoor::serve().await;
    let part = |name: &str, value: &str| {
        format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let send = async |content_type: &str, body: String| {
        let request = door.post("/api/v1/things/").header("content-type", content_type).body(body);
        told(request.send().await.unwrap()).await
    };
    let form = "multipart/form-data; boundary=edge";
    let body = [part("name", "a b"), part("secret", "true"), "--edge--\r\n".to_owned()].concat();
    assert_eq!(send(form, body).await.0, 201);
    assert_eq!(door.made(), 1);
    let missing = (400, json!({ "name": ["This field is required."] }));
    assert_eq!(send(form, format!("{}--edge--\r\n", part("secret", "true"))).await, missing);
    for (content_type, body) in
        [("multipart/form-data", part("name", "a")), (form, part("name", "a")), (form, "no parts".to_owned())]
    {
        let (status, answer) = send(content_type, body).await;
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert!(status == 400 && detail.starts_with("Multipart form parse error - "), "{content_type}: {answer}");
    }
    assert_eq!(door.made(), 1);
}

#[tokio::test]
async fn pages_name_their_neighbours_with_every_parameter_in_order() {
    let door = SmallDoor::serve().await;
    let page = async |query: &str| told(door.get(&format!("/api/v1/things/{query}")).await).await;
    let url = |query: &str| door.url(&format!("/api/v1/things/{query}"));
    let all = json!({ "count": 7, "next": null, "previous": null, "results": [0, 1, 2, 3, 4, 5, 6] });
    for query in ["", "?page=1", "?page_size=0", "?page_size=-1", "?page_size=x", "?page_size=99999"] {
        assert_eq!(page(query).await, (200, all.clone()), "{query}");
    }
    let expected = json!({
        "count": 7, "previous": url("?a=1&a=0&page_size=3&z=%C3%BC+x"), "results": [3, 4, 5],
        "next": url("?a=1&a=0&page=3&page_size=3&z=%C3%BC+x"),
    });
    assert_eq!(page("?z=%C3%BC%20x&page=2&a=1&page_size=3&a=0").await, (200, expected));
    let (_, last) = page("?page=3&page_size=3").await;
    assert_eq!((&last["next"], &last["previous"]), (&Value::Null, &json!(url("?page=2&page_size=3"))));
    let too_far = ["0", "-1", "x", "", "4", "4294967295", "99999999999999999999"];
    for number in too_far {
        let expected = (404, json!({ "detail": "Invalid page." }));
        assert_eq!(page(&format!("?page_size=3&page={number}")).await, expected, "{number}");
    }
}

#[tokio::test]
async fn links_lead_to_the_host_that_was_asked() {
    let door = SmallDoor::serve().await;
    let request = door.client.get(door.url("/api/v1/things/?page_size=6")).header("authorization", "someone");
    let request = request.header("host", "flags.example.com").header("x-forwarded-proto", "https");
    let (_, page) = told(request.send().await.unwrap()).await;
    assert_eq!(page["next"], "https://flags.example.com/api/v1/things/?page=2&page_size=6");
}
