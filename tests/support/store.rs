//! The store that the tests of the whole server run on: SQLite, or PostgreSQL with `OFFSHOOT_TEST_STORE=postgres`.

use std::path::Path;
use std::sync::Arc;

use offshoot::config::{DataConfig, Store};
use offshoot::event_log::{EventLog, PostgresUrl};

use super::postgres::TestDatabase;

/// In a data directory: the URL of the database that its log is in.
const URL_FILE: &str = "test-database";

/// Whether the tests run on PostgreSQL.
pub fn is_postgres() -> bool {
    match std::env::var("OFFSHOOT_TEST_STORE").as_deref() {
        Err(_) | Ok("" | "sqlite") => false,
        Ok("postgres") => true,
        Ok(other) => panic!("no such store: {other}"),
    }
}

/// Says that the log of the data in a directory is in this database, whatever store the tests run on.
pub fn share(directory: &Path, url: &str) {
    std::fs::write(directory.join(URL_FILE), url).unwrap();
}

/// The data in a directory. The log of an empty one is empty, too.
pub fn data_in(directory: &Path) -> DataConfig {
    let mut config = DataConfig::in_directory(directory.to_owned());
    config.store = url_of(directory).map(|url| Store::Postgres(PostgresUrl::new(&url).unwrap()));
    config
}

/// What `--store` is for the data in a directory.
pub fn store_option(directory: &Path) -> Vec<String> {
    url_of(directory).into_iter().flat_map(|url| ["--store".to_owned(), url]).collect()
}

/// The log of the data in a directory.
pub async fn open_log(directory: &Path) -> Arc<dyn EventLog> {
    data_in(directory).store().open().await.unwrap()
}

/// Gives data whose directory was copied a log of its own.
pub fn copy_log(from: &Path, to: &Path) {
    if let Some(url) = url_of(from) {
        share(to, &TestDatabase::copy_of(&url).keep());
    }
}

fn url_of(directory: &Path) -> Option<String> {
    let file = directory.join(URL_FILE);
    if !file.exists() && is_postgres() {
        std::fs::create_dir_all(directory).unwrap();
        share(directory, &TestDatabase::new().keep());
    }
    std::fs::read_to_string(&file).ok()
}
