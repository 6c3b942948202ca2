//! The test side of another document's client.

use anyhow::Result;

use crate::facts::Facts;
use crate::generate::Raw;

pub(crate) fn calls(_: &Raw, _: &Facts) -> Result<String> {
    Ok(String::new())
}
