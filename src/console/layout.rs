//! What surrounds every page: navigation, colours, and the addresses of the assets.

use askama::Template;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::texts;
use crate::http::cookie_session::cookie_named;
use crate::http::problem::Problem;

/// What surrounds a page of someone who is signed in; templates know it as `shell`.
#[derive(Clone, Debug)]
pub struct Shell {
    /// What the page is called, in the window's title too.
    pub title: String,
    /// The part of the console that it belongs to.
    pub section: Section,
    /// The name of the API key that its user signed in with.
    pub key_name: String,
    /// What requests that change something have to send.
    pub csrf_token: String,
    /// The colours that were chosen.
    pub theme: Theme,
    /// Whether its user administers an organisation.
    pub is_admin: bool,
}

/// The parts of the console, as the navigation shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Projects, their environments, and what is in those.
    Projects,
    /// What happened.
    Audit,
    /// The server itself.
    System,
    /// No part: pages that say what went wrong.
    None,
}

/// A line of the navigation.
#[derive(Clone, Copy, Debug)]
pub struct NavigationItem {
    /// The part that it leads to.
    pub section: Section,
    /// Its first page.
    pub path: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// The name of its icon in `icons.html`.
    pub icon: &'static str,
    /// Whether it is for those alone who administer an organisation.
    pub is_for_admins: bool,
}

/// The navigation, in its order.
const NAVIGATION: &[NavigationItem] = &[
    NavigationItem {
        section: Section::Projects,
        path: "/",
        label: texts::layout::PROJECTS,
        icon: "projects",
        is_for_admins: false,
    },
    NavigationItem {
        section: Section::Audit,
        path: "/audit",
        label: texts::layout::AUDIT,
        icon: "audit",
        is_for_admins: false,
    },
    NavigationItem {
        section: Section::System,
        path: "/system",
        label: texts::layout::SYSTEM,
        icon: "system",
        is_for_admins: true,
    },
];

impl Shell {
    /// The navigation, without what is not for this viewer.
    pub fn navigation(&self) -> impl Iterator<Item = &'static NavigationItem> {
        let is_admin = self.is_admin;
        NAVIGATION.iter().filter(move |item| is_admin || !item.is_for_admins)
    }
}

/// The colours of the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the browser prefers.
    #[default]
    Preferred,
    /// Light ones.
    Light,
    /// Dark ones.
    Dark,
}

impl Theme {
    /// The theme that the cookie `offshoot_theme` names; `modules/theme.js` writes it.
    #[must_use]
    pub fn chosen(headers: &HeaderMap) -> Self {
        match cookie_named(headers, "offshoot_theme") {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::Preferred,
        }
    }

    /// What the page's `data-theme` says.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Preferred => "preferred",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// A page, rendered.
///
/// # Errors
/// 500 if it cannot be rendered.
pub fn page(template: &impl Template) -> Result<Response, Problem> {
    page_with(StatusCode::OK, template)
}

/// The same with another status.
///
/// # Errors
/// 500 if it cannot be rendered.
pub fn page_with(status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
    let html = template.render().map_err(Problem::internal)?;
    Ok((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
}
