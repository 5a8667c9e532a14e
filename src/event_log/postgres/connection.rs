//! How the server is reached: address, password, and what every session is told.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection, Executor};

use super::schema::SCHEMA;
use crate::event_log::OpenError;
use crate::event_log::password::{PASSWORD_FILE_VARIABLE, read_password};
use crate::limits::{STORE_CONNECT_WAIT, STORE_CONNECTIONS_MAX, STORE_SESSION_CHECK, STORE_STATEMENT_TIMEOUT};

/// Where a PostgreSQL database is, as a `postgres://` URL without a password.
///
/// Whatever it holds, a password put into it against all advice included, is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    /// A URL whose scheme is `postgres` or `postgresql`; what else is wrong with it shows when it is used.
    #[must_use]
    pub fn new(url: &str) -> Option<Self> {
        ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)).then(|| Self(url.to_owned()))
    }

    /// Connections past the log: to measure what the server does without it.
    ///
    /// # Errors
    /// What is wrong with the URL or the file with the password.
    pub fn pool(&self, connections: u32) -> Result<PgPool, String> {
        Ok(PgPoolOptions::new().max_connections(connections).connect_lazy_with(self.options()?))
    }

    /// What a connection needs. The password comes from the file that `OFFSHOOT_STORE_PASSWORD_FILE` names, or, as everywhere
    /// with PostgreSQL, from `PGPASSWORD` or the file that `PGPASSFILE` names.
    pub(super) fn options(&self) -> Result<PgConnectOptions, String> {
        if self.has_password() {
            return Err(format!(
                "its URL holds a password, which everyone sees who sees the process; take it out, and set PGPASSWORD or \
                 {PASSWORD_FILE_VARIABLE}"
            ));
        }
        let options = PgConnectOptions::from_str(&self.0).map_err(|error| format!("its URL is not one: {error}"))?;
        // sqlx looks at the server's name for `verify-ca` as well, and gets there by a way on which rustls panics as long as the
        // process has two implementations of cryptography and has chosen none.
        let options = match options.get_ssl_mode() {
            PgSslMode::VerifyCa => options.ssl_mode(PgSslMode::VerifyFull),
            _ => options,
        };
        let options = match std::env::var_os(PASSWORD_FILE_VARIABLE).filter(|path| !path.is_empty()) {
            Some(path) => options.password(&read_password(Path::new(&path))?),
            None => options,
        };
        let timeout = format!("{}ms", STORE_STATEMENT_TIMEOUT.as_millis());
        Ok(options
            .application_name("offshoot")
            .options([("search_path", SCHEMA), ("statement_timeout", &timeout), ("lock_timeout", &timeout)])
            // No statement here depends on its values for a good plan. Without this, those that take arrays are planned anew each
            // time, which costs three times as much as running them.
            .options([("plan_cache_mode", "force_generic_plan")])
            // What is slow shows in the metrics, without anyone's data.
            .disable_statement_logging())
    }

    fn has_password(&self) -> bool {
        let (_, rest) = self.0.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        user.is_some_and(|user| user.contains(':')) || rest.contains("?password=") || rest.contains("&password=")
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Host, port and database: enough to know which one it is.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let place = rest.split('?').next().unwrap_or_default();
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        write!(f, "{scheme}://{place}")
    }
}

/// Connections for reading, opened as they are needed.
pub(super) fn pool(options: &PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(STORE_CONNECTIONS_MAX)
        .acquire_timeout(STORE_CONNECT_WAIT)
        // One that was used a moment ago is there, as a rule; the question whether it is would cost as much as the one it is for.
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for > STORE_SESSION_CHECK {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(|connection, _| Box::pin(check_session(connection)))
        .connect_lazy_with(options.clone())
}

/// A connection of one's own.
pub(super) async fn connect(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    let connect = async {
        let mut connection = PgConnection::connect_with(options).await?;
        check_session(&mut connection).await?;
        Ok(connection)
    };
    tokio::time::timeout(STORE_CONNECT_WAIT, connect).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// After a fail-over the old address may lead to a server that only follows, where the log would stand still. And a commit is
/// to be on disk when it is answered, whatever the database's default is.
async fn check_session(connection: &mut PgConnection) -> sqlx::Result<()> {
    let (follows, commits): (bool, String) =
        sqlx::query_as("SELECT pg_is_in_recovery(), current_setting('synchronous_commit')")
            .fetch_one(&mut *connection)
            .await?;
    if follows {
        return Err(sqlx::Error::Protocol("the server is a standby, which takes no changes".to_owned()));
    }
    if commits == "off" {
        connection.execute("SET synchronous_commit = on").await?;
    }
    Ok(())
}

/// What went wrong, for operators: PostgreSQL's code tells more than its text, which may be in any language.
pub(super) fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => match error.code() {
            Some(code) => format!("{} (PostgreSQL code {code})", error.message()),
            None => error.message().to_owned(),
        },
        sqlx::Error::PoolTimedOut => "no connection to PostgreSQL within the time allowed".to_owned(),
        error => error.to_string(),
    }
}

/// Why the log in a database cannot be opened.
pub(super) fn open_error(url: &PostgresUrl, options: &PgConnectOptions, error: &sqlx::Error) -> OpenError {
    let (url, detail) = (url.to_string(), describe(error));
    if is_away(options, error) { OpenError::Away { url, detail } } else { OpenError::Server { url, detail } }
}

/// Whether the server may be there later, as it is: it does not answer, or says that it takes nobody just now.
fn is_away(options: &PgConnectOptions, error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Io(error) => match error.kind() {
            // A certificate that is not to be trusted, or a file of ours.
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::PermissionDenied => false,
            // The same, unless it is the server's own socket.
            ErrorKind::NotFound => options.get_socket().is_some() || options.get_host().starts_with('/'),
            _ => true,
        },
        // Connections that broke (08), rivals (40), nothing left of something (53), locks (55P), starting and stopping (57P).
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| ["08", "40", "53", "55P", "57P"].iter().any(|class| code.starts_with(class))),
        _ => false,
    }
}

/// Whether the server refused the statement itself, and the connection is as good as before.
pub(super) fn is_refused(error: &sqlx::Error) -> bool {
    // Class 57 is the server that shuts down, or an operator who ends the session; 08 is a connection that broke.
    matches!(error, sqlx::Error::Database(error)
        if error.code().is_some_and(|code| !code.starts_with("08") && !code.starts_with("57P")))
}

#[cfg(test)]
mod tests {
    use super::PostgresUrl;

    #[test]
    fn a_url_is_shown_without_its_user_and_never_with_a_password() {
        let url =
            PostgresUrl::new("postgres://flags:secret@db.example:5433/flags?sslmode=require&password=secret").unwrap();
        assert_eq!(format!("{url} {url:?}"), ["postgres://db.example:5433/flags"; 2].join(" "));
        let refusal = url.options().unwrap_err();
        assert!(refusal.contains("PGPASSWORD") && !refusal.contains("secret"), "{refusal}");
    }

    #[test]
    fn a_password_is_found_wherever_it_stands() {
        for url in ["postgres://u:p@h/d", "postgres://h/d?password=p", "postgresql://u@h/d?sslmode=prefer&password=p"] {
            assert!(PostgresUrl::new(url).unwrap().has_password(), "{url}");
        }
        for url in ["postgres://u@h:5432/d", "postgres://h/d?user=a:b", "postgres:///d?host=/run/postgresql"] {
            assert!(!PostgresUrl::new(url).unwrap().has_password(), "{url}");
        }
        assert!(PostgresUrl::new("mysql://h/d").is_none());
    }
}
