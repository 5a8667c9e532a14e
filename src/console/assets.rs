//! Styles, modules and the icon, embedded. Their address holds a hash of them all, so that browsers keep them for ever.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value};

use super::texts;
use crate::http::AppState;
use crate::secrets::{digest_key, hex_digits};

/// Served as one file, in this order.
const STYLES: &[&str] = &[
    include_str!("styles/tokens.css"),
    include_str!("styles/base.css"),
    include_str!("styles/layout.css"),
    include_str!("styles/buttons.css"),
    include_str!("styles/fields.css"),
    include_str!("styles/cards.css"),
    include_str!("styles/environments.css"),
    include_str!("styles/features.css"),
    include_str!("styles/audit.css"),
    include_str!("styles/system.css"),
    include_str!("styles/tables.css"),
    include_str!("styles/badges.css"),
    include_str!("styles/progress.css"),
    include_str!("styles/dialogs.css"),
    include_str!("styles/toasts.css"),
    include_str!("styles/states.css"),
    include_str!("styles/sign_in.css"),
];

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("modules/", $name)))),*]
    };
}

/// ES modules, by their names; `main.js` is the one that pages begin with. `texts.js` is written from [`texts::MODULES`].
const MODULES: &[(&str, &str)] = embedded![
    "announce.js",
    "api.js",
    "audit.js",
    "conflicts.js",
    "copy.js",
    "dialogs.js",
    "features.js",
    "filters.js",
    "flags.js",
    "forms.js",
    "live.js",
    "main.js",
    "morph.js",
    "overrides.js",
    "state_forms.js",
    "states.js",
    "theme.js",
    "times.js",
    "toasts.js",
];

const ICON: &str = include_str!("icon.svg");

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// All assets: name, media type, content.
static ASSETS: LazyLock<Vec<(&str, &str, String)>> = LazyLock::new(|| {
    let mut assets = vec![
        ("console.css", "text/css; charset=utf-8", STYLES.concat()),
        ("icon.svg", "image/svg+xml", ICON.to_owned()),
        ("texts.js", JAVASCRIPT, texts_module()),
    ];
    assets.extend(MODULES.iter().map(|(name, source)| (*name, JAVASCRIPT, (*source).to_owned())));
    assets
});

static ADDRESS: LazyLock<String> = LazyLock::new(|| {
    let all: String = ASSETS.iter().flat_map(|(name, _, content)| [*name, "\0", content.as_str(), "\0"]).collect();
    let hash = hex_digits(&digest_key(&all));
    format!("/assets/{}", hash.get(..16).unwrap_or(&hash))
});

/// Where the assets of this build are: a path without a slash at its end.
#[must_use]
pub fn address() -> &'static str {
    &ADDRESS
}

/// The names of the modules that every page needs, so that they are all fetched at once.
pub fn modules() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|(name, _)| *name).chain(["texts.js"])
}

/// The texts that modules show.
fn texts_module() -> String {
    let texts: Map<String, Value> =
        texts::MODULES.iter().map(|(name, text)| ((*name).to_owned(), Value::from(*text))).collect();
    format!("// The texts that modules show.\nexport const texts = {};\n", Value::Object(texts))
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/assets/{hash}/{name}", get(asset))
}

async fn asset(Path((hash, name)): Path<(String, String)>) -> Response {
    let is_of_this_build = address().strip_prefix("/assets/") == Some(&hash);
    let found = ASSETS.iter().find(|(known, ..)| is_of_this_build && *known == name);
    let Some((_, media_type, content)) = found else { return StatusCode::NOT_FOUND.into_response() };
    let for_ever = "public, max-age=31536000, immutable";
    ([(header::CONTENT_TYPE, *media_type), (header::CACHE_CONTROL, for_ever)], content.as_str()).into_response()
}
