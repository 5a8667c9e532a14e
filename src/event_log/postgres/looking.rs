//! Answers whether streams have gone on: one question for all that ask at the same time, on a connection kept for it.
//!
//! Commands ask before they are decided on what others may have changed, most often in vain.

use offshoot_aggregates::{StreamId, Version};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::connection::{connect, describe};
use super::reader::integer;
use crate::event_log::ReadError;
use crate::limits::{GROUP_COMMIT_APPENDS_MAX, STORE_READ_WAIT};

/// A question, and who waits for the answer.
struct Question {
    stream: StreamId,
    after: Version,
    answer: oneshot::Sender<Result<bool, ReadError>>,
}

/// Asks whether streams have gone on.
pub(super) struct Looking {
    questions: mpsc::Sender<Question>,
}

impl Looking {
    /// Without a connection until there is something to ask.
    pub(super) fn new(options: PgConnectOptions) -> Self {
        let (questions, queue) = mpsc::channel(GROUP_COMMIT_APPENDS_MAX);
        tokio::spawn(answer(options, queue));
        Self { questions }
    }

    /// Whether a stream has events above a version, at a moment after the call.
    pub(super) async fn has_gone_on(&self, stream: &StreamId, after: Version) -> Result<bool, ReadError> {
        let closed = || ReadError::Unavailable("it is closed".to_owned());
        let (answer, answered) = oneshot::channel();
        let question = Question { stream: stream.clone(), after, answer };
        self.questions.send(question).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

/// Works until nobody is left who could ask.
async fn answer(options: PgConnectOptions, mut queue: mpsc::Receiver<Question>) {
    let mut connection = None;
    let mut waiting = Vec::new();
    while queue.recv_many(&mut waiting, GROUP_COMMIT_APPENDS_MAX).await > 0 {
        let was_open = connection.is_some();
        let mut asked = ask(&options, &mut connection, &waiting).await;
        if asked.is_err() && was_open {
            // It broke while nobody used it, or just now: asking again does no harm.
            asked = ask(&options, &mut connection, &waiting).await;
        }
        match asked {
            Ok(answers) => {
                for (question, has_gone_on) in waiting.drain(..).zip(answers) {
                    // Whoever asked may have gone.
                    let _ = question.answer.send(Ok(has_gone_on));
                }
            }
            Err(error) => {
                for question in waiting.drain(..) {
                    let _ = question.answer.send(Err(ReadError::Unavailable(error.clone())));
                }
            }
        }
    }
}

/// The answers in the order of the questions. After an error there is no connection.
async fn ask(
    options: &PgConnectOptions,
    connection: &mut Option<PgConnection>,
    questions: &[Question],
) -> Result<Vec<bool>, String> {
    let mut open = match connection.take() {
        Some(open) => open,
        None => connect(options).await.map_err(|error| describe(&error))?,
    };
    let answers = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM event e WHERE e.category = q.category AND e.key = q.key AND e.version > q.version)
        FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS q (category, key, version, number)
        ORDER BY q.number",
    )
    .bind(questions.iter().map(|question| question.stream.category.as_str()).collect::<Vec<_>>())
    .bind(questions.iter().map(|question| question.stream.key.as_str()).collect::<Vec<_>>())
    .bind(questions.iter().map(|question| integer(question.after.0)).collect::<Vec<_>>())
    .fetch_all(&mut open);
    let answers: Vec<bool> = match timeout(STORE_READ_WAIT, answers).await {
        Ok(answers) => answers.map_err(|error| describe(&error))?,
        Err(_) => return Err("PostgreSQL does not answer".to_owned()),
    };
    if answers.len() != questions.len() {
        return Err(format!("{} answers to {} questions", answers.len(), questions.len()));
    }
    *connection = Some(open);
    Ok(answers)
}
