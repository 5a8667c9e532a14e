//! Nothing: stands in for the SQLite driver of sqlx, which is not used, so that only one SQLite is linked.
