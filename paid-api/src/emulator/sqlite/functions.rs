//! Functions of SQL that the engine lacks or that would not be the account's: exact sums, and the emulator's time.

use std::sync::{Arc, Mutex};

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, Result, params_from_iter};
use rust_decimal::Decimal;

/// Functions of time, each with the places of the arguments that may be `'now'`.
const TIMES: [(&str, &[usize]); 7] = [
    ("date", &[0]),
    ("time", &[0]),
    ("datetime", &[0]),
    ("julianday", &[0]),
    ("unixepoch", &[0]),
    ("strftime", &[1]),
    ("timediff", &[0, 1]),
];

/// Adds the functions to a connection.
pub(super) fn add(connection: &Connection, now: &str) -> Result<()> {
    let text = now.to_owned();
    connection.create_scalar_function("now", 0, FunctionFlags::SQLITE_UTF8, move |_| Ok(text.clone()))?;
    connection.create_aggregate_function(
        "decimal_sum",
        1,
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC,
        Sum,
    )?;
    let original = Arc::new(Mutex::new(Connection::open_in_memory()?));
    for (name, at) in TIMES {
        replace_time(connection, &original, (name, at), now)?;
    }
    for (name, length) in [("current_timestamp", 19), ("current_date", 10)] {
        let text = now.get(..length).unwrap_or(now).to_owned();
        connection.create_scalar_function(name, 0, FunctionFlags::SQLITE_UTF8, move |_| Ok(text.clone()))?;
    }
    let time = now.get(11..19).unwrap_or(now).to_owned();
    connection.create_scalar_function("current_time", 0, FunctionFlags::SQLITE_UTF8, move |_| Ok(time.clone()))
}

/// Gives a function of time the emulator's, where it would take the machine's. `original` has the function as it was.
fn replace_time(
    connection: &Connection,
    original: &Arc<Mutex<Connection>>,
    (name, at): (&'static str, &'static [usize]),
    now: &str,
) -> Result<()> {
    let (original, now) = (Arc::clone(original), now.to_owned());
    connection.create_scalar_function(name, -1, FunctionFlags::SQLITE_UTF8, move |context| {
        let mut arguments: Vec<Value> = (0..context.len()).map(|index| context.get(index)).collect::<Result<_>>()?;
        for index in at {
            // What lacks its time takes that of now.
            if arguments.len() == *index {
                arguments.push(Value::Text(now.clone()));
            }
            if let Some(Value::Text(text)) = arguments.get_mut(*index)
                && text.eq_ignore_ascii_case("now")
            {
                text.clone_from(&now);
            }
        }
        let places = vec!["?"; arguments.len()].join(", ");
        let original = original.lock().map_err(|_| Error::UserFunctionError("a function of time failed".into()))?;
        original
            .query_row(&format!("SELECT {name}({places})"), params_from_iter(arguments), |row| row.get::<_, Value>(0))
    })
}

/// Adds decimals, which are text, without losing a digit.
struct Sum;

impl Aggregate<Option<Decimal>, Option<String>> for Sum {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<Decimal>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut Option<Decimal>) -> Result<()> {
        let wrong = |text: &str| Error::UserFunctionError(format!("decimal_sum: {text:?} is no decimal").into());
        let value = match context.get_raw(0) {
            ValueRef::Null => return Ok(()),
            ValueRef::Integer(number) => Decimal::from(number),
            ValueRef::Text(text) => {
                let text = String::from_utf8_lossy(text);
                Decimal::from_str_exact(&text).map_err(|_| wrong(&text))?
            }
            other => return Err(wrong(&format!("{other:?}"))),
        };
        let total = sum.unwrap_or_default().checked_add(value);
        *sum = Some(total.ok_or_else(|| Error::UserFunctionError("decimal_sum: the sum has too many digits".into()))?);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, sum: Option<Option<Decimal>>) -> Result<Option<String>> {
        Ok(sum.flatten().map(|sum| sum.normalize().to_string()))
    }
}
