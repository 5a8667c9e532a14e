//! Inserts many rows with few statements: most of the time that an insert takes goes to the statement, not to the row.

use rusqlite::{CachedStatement, Result, Statement, ToSql, Transaction};

/// Rows that one statement inserts. It divides the batches of clones and imports; more rows a statement gain nothing.
const ROWS_PER_STATEMENT: usize = 25;

/// A row that can be inserted with others.
pub(super) trait BulkRow {
    /// The table.
    const TABLE: &'static str;
    /// The columns that are written.
    const COLUMNS: &'static [&'static str];

    /// Writes the columns, in order.
    fn bind(&self, values: &mut Values<'_, '_>) -> Result<()>;
}

/// Takes the values of a row.
pub(super) struct Values<'s, 'c> {
    statement: &'s mut Statement<'c>,
    next: usize,
}

impl Values<'_, '_> {
    /// The value of the next column.
    pub(super) fn put(&mut self, value: impl ToSql) -> Result<()> {
        self.next += 1;
        self.statement.raw_bind_parameter(self.next, value)
    }
}

/// Inserts rows in the order in which they come; a row that is there already is replaced.
pub(super) struct BulkInsert<'t, R> {
    tx: &'t Transaction<'t>,
    statement: Option<CachedStatement<'t>>,
    pending: Vec<R>,
    has_replaced: bool,
}

impl<'t, R: BulkRow> BulkInsert<'t, R> {
    pub(super) fn new(tx: &'t Transaction<'t>) -> Self {
        Self { tx, statement: None, pending: Vec::new(), has_replaced: false }
    }

    /// Inserts a row, now or with later ones.
    pub(super) fn push(&mut self, row: R) -> Result<()> {
        self.pending.push(row);
        if self.pending.len() < ROWS_PER_STATEMENT {
            return Ok(());
        }
        if self.statement.is_none() {
            self.statement = Some(self.tx.prepare_cached(&insert_sql::<R>("IGNORE", ROWS_PER_STATEMENT))?);
        }
        let Some(statement) = &mut self.statement else { return Ok(()) };
        let inserted = execute(statement, &self.pending)?;
        if inserted < self.pending.len() {
            self.replace_pending()?;
        }
        self.pending.clear();
        Ok(())
    }

    /// Inserts what is left. Whether any row was there before.
    pub(super) fn finish(mut self) -> Result<bool> {
        if self.pending.is_empty() {
            return Ok(self.has_replaced);
        }
        let mut statement = self.tx.prepare_cached(&insert_sql::<R>("IGNORE", 1))?;
        let mut inserted = 0;
        for row in &self.pending {
            inserted += execute(&mut statement, std::slice::from_ref(row))?;
        }
        if inserted < self.pending.len() {
            self.replace_pending()?;
        }
        Ok(self.has_replaced)
    }

    fn replace_pending(&mut self) -> Result<()> {
        self.has_replaced = true;
        let mut statement = self.tx.prepare_cached(&insert_sql::<R>("REPLACE", 1))?;
        self.pending.iter().try_for_each(|row| execute(&mut statement, std::slice::from_ref(row)).map(drop))
    }
}

/// Writes one row; `on_conflict` says what becomes of one that is there already.
pub(super) fn put_row<R: BulkRow>(tx: &Transaction<'_>, row: &R, on_conflict: &str) -> Result<()> {
    let sql = format!("{} {on_conflict}", insert_sql::<R>("ABORT", 1));
    execute(&mut *tx.prepare_cached(&sql)?, std::slice::from_ref(row)).map(drop)
}

fn execute<R: BulkRow>(statement: &mut Statement<'_>, rows: &[R]) -> Result<usize> {
    let mut values = Values { statement, next: 0 };
    rows.iter().try_for_each(|row| row.bind(&mut values))?;
    statement.raw_execute()
}

fn insert_sql<R: BulkRow>(or: &str, rows: usize) -> String {
    let row = format!("({})", vec!["?"; R::COLUMNS.len()].join(","));
    let (columns, rows) = (R::COLUMNS.join(","), vec![row; rows].join(","));
    format!("INSERT OR {or} INTO {} ({columns}) VALUES {rows}", R::TABLE)
}
