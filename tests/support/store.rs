//! The store that the tests of the whole server run on: SQLite; PostgreSQL with `OFFSHOOT_TEST_STORE=postgres`; or, with
//! `OFFSHOOT_TEST_STORE=kurrentdb`, the protocol double of KurrentDB, one for each log.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use offshoot::config::DataConfig;
use offshoot::event_log::EventLog;

use super::postgres::TestDatabase;
use crate::double::process::Double;

/// In a data directory: the URL of the database that its log is in.
const URL_FILE: &str = "test-database";

/// The doubles of this process, by their URLs. They end with it.
static DOUBLES: Mutex<Option<HashMap<String, Double>>> = Mutex::new(None);

/// Where the log of an empty directory is to be, if not in it.
fn new_url() -> Option<String> {
    match std::env::var("OFFSHOOT_TEST_STORE").as_deref() {
        Err(_) | Ok("" | "sqlite") => None,
        Ok("postgres") => Some(TestDatabase::new().keep()),
        Ok("kurrentdb") => Some(keep(Double::new())),
        Ok(other) => panic!("no such store: {other}"),
    }
}

/// Keeps a double for as long as this process lives. Its URL.
pub fn keep(mut double: Double) -> String {
    double.is_to_clean_up();
    let url = double.url();
    DOUBLES.lock().unwrap().get_or_insert_default().insert(url.clone(), double);
    url
}

/// Says that the log of the data in a directory is in this database, whatever store the tests run on.
pub fn share(directory: &Path, url: &str) {
    std::fs::write(directory.join(URL_FILE), url).unwrap();
}

/// The data in a directory. The log of an empty one is empty, too.
pub fn data_in(directory: &Path) -> DataConfig {
    let mut config = DataConfig::in_directory(directory.to_owned());
    config.store = url_of(directory).map(|url| url.parse().unwrap());
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
    let Some(url) = url_of(from) else { return };
    let copy = DOUBLES.lock().unwrap().get_or_insert_default().get(&url).map(Double::copy);
    share(to, &copy.map_or_else(|| TestDatabase::copy_of(&url).keep(), keep));
}

fn url_of(directory: &Path) -> Option<String> {
    let file = directory.join(URL_FILE);
    if !file.exists()
        && let Some(url) = new_url()
    {
        std::fs::create_dir_all(directory).unwrap();
        share(directory, &url);
    }
    std::fs::read_to_string(&file).ok()
}
