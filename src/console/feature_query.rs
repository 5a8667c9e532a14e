//! Which features a page shows, as its address says.

use offshoot_aggregates::limits::{NAME_CHARACTERS_MAX, STRING_VALUE_CHARACTERS_MAX};
use offshoot_aggregates::project::FeatureType;
use offshoot_projections::features::{FeatureFilter, FeatureSort, SortDirection};
use serde::Deserialize;

use crate::http::fields::Fields;
use crate::http::kinds::{choice, integer, text};

/// Features on a page.
pub const PAGE_SIZE: u64 = 50;

/// Which features are shown.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Those with this in their names.
    pub search: Option<String>,
    /// Those with this in their values.
    pub value: Option<String>,
    /// Those that are, or are not, on.
    pub is_on: Option<bool>,
    /// Those of this kind.
    pub kind: Option<FeatureType>,
    /// Their order.
    pub sort: Sort,
    /// 1 is the first.
    pub page: u64,
}

/// An order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// By name.
    #[default]
    Name,
    /// By name, from the end.
    NameReversed,
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Switched {
    On,
    Off,
}

impl Sort {
    /// Its name in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NameReversed => "name_reversed",
            Self::Newest => "newest",
            Self::Oldest => "oldest",
        }
    }

    /// What the read model sorts by.
    #[must_use]
    pub const fn order(self) -> (FeatureSort, SortDirection) {
        match self {
            Self::Name => (FeatureSort::Name, SortDirection::Ascending),
            Self::NameReversed => (FeatureSort::Name, SortDirection::Descending),
            Self::Newest => (FeatureSort::CreatedDate, SortDirection::Descending),
            Self::Oldest => (FeatureSort::CreatedDate, SortDirection::Ascending),
        }
    }
}

impl Asked {
    /// Reads an address. What is wrong with it, the fields say.
    pub fn read(fields: &mut Fields) -> Self {
        let mut searched = |name, max| fields.optional(name, text(max).or_blank()).filter(|text| !text.is_empty());
        let (search, value) = (searched("search", NAME_CHARACTERS_MAX), searched("value", STRING_VALUE_CHARACTERS_MAX));
        let page = fields.optional("page", integer(1, i64::from(u32::MAX))).unwrap_or(1);
        Self {
            search,
            value,
            is_on: fields.optional("state", choice()).map(|switched| matches!(switched, Switched::On)),
            kind: fields.optional("kind", choice()),
            sort: fields.optional("sort", choice()).unwrap_or_default(),
            page: u64::try_from(page).unwrap_or(1),
        }
    }

    /// What is asked of the features themselves.
    #[must_use]
    pub fn filter(&self) -> FeatureFilter {
        FeatureFilter { search: self.search.clone(), feature_type: self.kind, ..FeatureFilter::default() }
    }

    /// Whether not all features are asked for.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.search.is_some() || self.value.is_some() || self.is_on.is_some() || self.kind.is_some()
    }

    /// The query of this page, without a question mark.
    #[must_use]
    pub fn query(&self) -> String {
        self.query_of_page(self.page)
    }

    /// The query of another page.
    #[must_use]
    pub fn query_of_page(&self, page: u64) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let state = self.is_on.map(|is_on| if is_on { "on" } else { "off" });
        let kind = self.kind.map(|kind| match kind {
            FeatureType::Standard => "STANDARD",
            FeatureType::Multivariate => "MULTIVARIATE",
        });
        let sort = (self.sort != Sort::default()).then(|| self.sort.name());
        let page = (page > 1).then(|| page.to_string());
        let pairs = [
            ("search", self.search.as_deref()),
            ("value", self.value.as_deref()),
            ("state", state),
            ("kind", kind),
            ("sort", sort),
            ("page", page.as_deref()),
        ];
        query.extend_pairs(pairs.into_iter().filter_map(|(name, value)| Some((name, value?))));
        query.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_it_was_read() {
        for query in ["", "search=a+b&state=off&kind=MULTIVARIATE&sort=newest&page=3", "value=%26&state=on"] {
            let mut fields = Fields::from_form(query.as_bytes());
            assert_eq!(Asked::read(&mut fields).query(), query);
            assert!(fields.finish().is_ok());
        }
        // What a form sends that is left as it was.
        let mut fields = Fields::from_form(b"search=&value=&state=&kind=&sort=name");
        assert_eq!(Asked::read(&mut fields).query(), "");
        assert!(fields.finish().is_ok());
    }
}
