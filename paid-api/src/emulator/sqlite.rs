//! Runs a `SELECT` over the tables, in SQLite in memory: feature `emulator-sql`. It reads, and reaches nothing else.

mod functions;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, Statement, params_from_iter};
use serde_json::Value;

use super::analytics::{Answer, Cell, Definition, Fill, Question, TABLES};
use super::refusal::Refusal;

/// The most rows of an answer.
const ROWS: usize = 10_000;
/// The most steps of SQLite's machine that a statement may take.
const STEPS: u64 = 20_000_000;
/// After so many steps, they are counted.
const STRIDE: u64 = 1_000;
/// The most bytes of an answer's texts.
const BYTES: usize = 64 << 20;
/// The longest text that SQLite makes, in bytes.
const LENGTH: i32 = 16 << 20;

/// How the names of SQLite's own tables begin. A statement may name others, after `WITH`.
const INTERNAL: [&str; 3] = ["sqlite_", "pragma_", "dbstat"];

/// The tables that a statement reads.
type Read = Arc<Mutex<BTreeSet<String>>>;

/// Refuses what is no single `SELECT` over the tables.
pub(super) fn check(question: &Question<'_>) -> Result<(), Refusal> {
    let mut connection = open(question).map_err(|error| internal(&error))?;
    tables_read(&mut connection, question).map(drop)
}

/// Runs a statement. Only the tables that it reads are filled.
pub(super) fn query(question: &Question<'_>, fill: Fill<'_>) -> Result<Answer, Refusal> {
    let mut connection = open(question).map_err(|error| internal(&error))?;
    let read = tables_read(&mut connection, question)?;
    unguarded(&mut connection, |connection| {
        for table in TABLES.iter().filter(|table| read.contains(table.name)) {
            insert(connection, table, &fill(table))?;
        }
        Ok(())
    })
    .map_err(|error| internal(&error))?;
    guard(&mut connection, &Read::default()).map_err(|error| internal(&error))?;
    let mut statement = prepared(&connection, question)?;
    answer(&mut statement, question)
}

fn open(question: &Question<'_>) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LENGTH)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    for table in &TABLES {
        connection.execute_batch(&creation(table))?;
    }
    functions::add(&connection, &question.now)?;
    let steps = AtomicU64::new(0);
    let stops = move || steps.fetch_add(STRIDE, Ordering::Relaxed) > STEPS;
    connection.progress_handler(i32::try_from(STRIDE).unwrap_or(i32::MAX), Some(stops))?;
    Ok(connection)
}

fn creation(table: &Definition) -> String {
    let columns = table.columns.iter().map(|(name, kind, _)| {
        let kind = if *kind == "Int64" { "INTEGER" } else { "TEXT" };
        format!("{name} {kind}")
    });
    format!("CREATE TABLE {} ({}) STRICT", table.name, columns.collect::<Vec<_>>().join(", "))
}

/// From now on, statements only read, and what they read is noted.
fn guard(connection: &mut Connection, read: &Read) -> rusqlite::Result<()> {
    let read = Arc::clone(read);
    connection.authorizer(Some(move |context: AuthContext<'_>| match context.action {
        AuthAction::Read { table_name, .. } => {
            read.lock().unwrap_or_else(PoisonError::into_inner).insert(table_name.to_owned());
            Authorization::Allow
        }
        AuthAction::Select | AuthAction::Function { .. } | AuthAction::Recursive => Authorization::Allow,
        _ => Authorization::Deny,
    }))
}

fn unguarded(
    connection: &mut Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
    work(connection)
}

fn tables_read(connection: &mut Connection, question: &Question<'_>) -> Result<BTreeSet<String>, Refusal> {
    let read = Read::default();
    guard(connection, &read).map_err(|error| internal(&error))?;
    prepared(connection, question)?;
    let read = read.lock().unwrap_or_else(PoisonError::into_inner);
    match read.iter().find(|name| INTERNAL.iter().any(|start| name.starts_with(start))) {
        Some(other) => Err(Refusal::invalid(question.place, format!("{other:?} is none of the tables"))),
        None => Ok(read.clone()),
    }
}

fn prepared<'a>(connection: &'a Connection, question: &Question<'_>) -> Result<Statement<'a>, Refusal> {
    let sql = question.sql.replace("{period_start:DateTime}", ":period_start");
    let sql = sql.replace("{period_end:DateTime}", ":period_end");
    let statement =
        connection.prepare(sql.trim_end().trim_end_matches(';')).map_err(|error| refused(&error, question))?;
    if !statement.readonly() || statement.column_count() == 0 {
        return Err(only_select(question));
    }
    Ok(statement)
}

fn insert(connection: &Connection, table: &Definition, rows: &[Vec<Cell>]) -> rusqlite::Result<()> {
    let places = vec!["?"; table.columns.len()].join(", ");
    let mut statement = connection.prepare(&format!("INSERT INTO {} VALUES ({places})", table.name))?;
    for row in rows {
        statement.execute(params_from_iter(row.iter().map(|cell| match cell {
            Cell::Null => rusqlite::types::Value::Null,
            Cell::Integer(number) => (*number).into(),
            Cell::Text(text) => text.clone().into(),
        })))?;
    }
    Ok(())
}

fn answer(statement: &mut Statement<'_>, question: &Question<'_>) -> Result<Answer, Refusal> {
    let refused = |error: rusqlite::Error| refused(&error, question);
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    bind(statement, question)?;
    let mut types = vec!["Nullable(Nothing)"; names.len()];
    let (mut shown, mut bytes, mut truncated) = (Vec::new(), 0, false);
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(refused)? {
        if shown.len() == ROWS {
            truncated = true;
            break;
        }
        let mut cells = Vec::with_capacity(names.len());
        for (index, kind) in types.iter_mut().enumerate() {
            let (of_value, value) = match row.get_ref(index).map_err(refused)? {
                ValueRef::Null => (*kind, Value::Null),
                ValueRef::Integer(number) => ("Int64", number.to_string().into()),
                ValueRef::Real(number) => ("Float64", number.into()),
                ValueRef::Text(text) => ("String", String::from_utf8_lossy(text).into()),
                ValueRef::Blob(_) => {
                    let error = format!("the column {:?} has bytes; show them with hex()", names.get(index));
                    return Err(Refusal::invalid(question.place, error));
                }
            };
            *kind = of_value;
            bytes += value.as_str().map_or(8, str::len);
            cells.push(value);
        }
        if bytes > BYTES {
            let error = format!("the answer has more than {BYTES} bytes; ask for fewer rows or columns");
            let place = Some(question.place.to_owned());
            return Err(Refusal {
                status: 422,
                error,
                code: "QUERY_MEMORY_LIMIT_EXCEEDED",
                details: place,
                intent: None,
            });
        }
        shown.push(cells);
    }
    Ok(Answer { columns: names.into_iter().zip(types).collect(), rows: shown, truncated })
}

/// Gives the placeholders of the period their values, and refuses any other.
fn bind(statement: &mut Statement<'_>, question: &Question<'_>) -> Result<(), Refusal> {
    for index in 1..=statement.parameter_count() {
        let name = statement.parameter_name(index).unwrap_or("?").to_owned();
        let value = match (name.as_str(), &question.period) {
            (":period_start", Some((start, _))) => start,
            (":period_end", Some((_, end))) => end,
            _ => return Err(Refusal::invalid(question.place, format!("has the placeholder {name} without a value"))),
        };
        statement.raw_bind_parameter(index, value).map_err(|error| internal(&error))?;
    }
    Ok(())
}

fn only_select(question: &Question<'_>) -> Refusal {
    Refusal::invalid(question.place, "is not a SELECT over the tables of GET /analytics/schema, which alone is allowed")
}

/// Why a statement of the user's fails.
fn refused(error: &rusqlite::Error, question: &Question<'_>) -> Refusal {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => {
            let error = format!("the query takes more than {STEPS} steps; ask for less");
            Refusal {
                status: 408,
                error,
                code: "QUERY_TIMEOUT",
                details: Some(question.place.to_owned()),
                intent: None,
            }
        }
        Some(ErrorCode::AuthorizationForStatementDenied) => only_select(question),
        _ if matches!(error, rusqlite::Error::MultipleStatement) => {
            Refusal::invalid(question.place, "has more than one statement")
        }
        _ => {
            Refusal::invalid(question.place, format!("SQLite, which the emulator asks instead of ClickHouse: {error}"))
        }
    }
}

fn internal(error: &rusqlite::Error) -> Refusal {
    Refusal {
        status: 500,
        error: format!("the tables cannot be filled: {error}"),
        code: "emulator_bug",
        details: None,
        intent: None,
    }
}
