//! Pages of lists: `page` and `page_size` of the query, and `count`, `next`, `previous`, `results` of the answer.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Serialize;

use super::problem::Problem;
use super::request_context::RequestContext;
use crate::limits::PAGE_SIZE_MAX;

/// The page that a request asks for. Handlers of lists take it as an argument; a `page` that is no number above 0 is 404.
#[derive(Clone, Debug)]
pub struct Pagination {
    /// 1 is the first.
    page: u32,
    /// Items on a page.
    size: u64,
    /// Scheme, host and path.
    url: String,
    /// The query's pairs, sorted by name.
    query: Vec<(String, String)>,
}

/// A page of a list, as Flagsmith shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// How many items there are on all pages.
    pub count: u64,
    /// The URL of the next page.
    pub next: Option<String>,
    /// The URL of the page before.
    pub previous: Option<String>,
    /// The items on this page.
    pub results: Vec<T>,
}

impl Pagination {
    /// Reads the page from the query.
    ///
    /// # Errors
    /// 404: `page` is no number above 0. A `page_size` that is none is as if it were not there.
    pub fn read(context: &RequestContext) -> Result<Self, Problem> {
        let query = context.uri.query().unwrap_or_default();
        let mut query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        // Stable: a repeated parameter keeps the order of its values.
        query.sort_by(|(one, _), (other, _)| one.cmp(other));
        let last = |name: &str| query.iter().rfind(|(key, _)| key == name).map(|(_, value)| value.trim());
        let page = last("page").map_or(Some(1), |page| page.parse().ok().filter(|page| *page > 0));
        let size = last("page_size").and_then(|size| size.parse().ok()).filter(|size| *size > 0);
        Ok(Self {
            page: page.ok_or_else(Problem::invalid_page)?,
            size: size.unwrap_or(PAGE_SIZE_MAX).min(PAGE_SIZE_MAX),
            url: format!("{}{}", context.base_url, context.uri.path()),
            query,
        })
    }

    /// How many items come before the page; fits an `i64`.
    #[must_use]
    pub fn offset(&self) -> u64 {
        u64::from(self.page - 1) * self.size
    }

    /// How many items the page has at most, 1 to [`PAGE_SIZE_MAX`].
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.size
    }

    /// The page, of `count` items in all.
    ///
    /// # Errors
    /// 404: there is no such page. The first one is always there.
    pub fn page<T>(&self, count: u64, results: Vec<T>) -> Result<Page<T>, Problem> {
        if self.page > 1 && self.offset() >= count {
            return Err(Problem::invalid_page());
        }
        let next = (self.offset() + self.size < count).then(|| self.link(Some(u64::from(self.page) + 1)));
        let previous = match self.page {
            1 => None,
            2 => Some(self.link(None)),
            page => Some(self.link(Some(u64::from(page) - 1))),
        };
        Ok(Page { count, next, previous, results })
    }

    /// The items on the page, of a list that is there as a whole.
    pub fn part_of<T>(&self, all: Vec<T>) -> impl Iterator<Item = T> + use<T> {
        let [offset, limit] = [self.offset(), self.limit()].map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        all.into_iter().skip(offset).take(limit)
    }

    /// The URL of another page; the first is named by leaving `page` out.
    fn link(&self, page: Option<u64>) -> String {
        let mut pairs: Vec<(&str, &str)> =
            self.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        pairs.retain(|(name, _)| *name != "page");
        let number = page.map(|page| page.to_string());
        if let Some(number) = &number {
            let place = pairs.partition_point(|(name, _)| *name < "page");
            pairs.insert(place, ("page", number));
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        if query.is_empty() { self.url.clone() } else { format!("{}?{query}", self.url) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Pagination {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Self::read(&RequestContext::from_request_parts(parts, state).await?)
    }
}
