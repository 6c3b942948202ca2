//! Sends the signals of a file, once each, however often it is tried.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::AccountError;
use super::records::FileSignal;
use super::resend::Resent;
use crate::types::CreateSignalsResponse;
use crate::{Call, Client, Method};

/// How many signals a request holds.
const BATCH: usize = 500;

/// How far an import is, in a file beside what is imported.
#[derive(Debug)]
pub(super) struct Progress {
    path: PathBuf,
    state: State,
}

#[derive(Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
struct State {
    /// Of the account and the signals: another account, or a file that changed, begins anew.
    digest: String,
    /// How many Paid has acknowledged.
    acknowledged: usize,
}

impl Progress {
    fn of(account: &str, file: &Path, signals: &[FileSignal]) -> Self {
        let mut hash = Sha256::new();
        hash.update(account);
        for FileSignal { signal, .. } in signals {
            hash.update(serde_json::to_vec(signal).unwrap_or_default());
        }
        let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let path = file.with_file_name(format!(".{name}.imported"));
        let known = std::fs::read(&path).ok().and_then(|text| serde_json::from_slice::<State>(&text).ok());
        let state = known.filter(|known| known.digest == digest && known.acknowledged <= signals.len());
        Self { path, state: state.unwrap_or(State { digest, acknowledged: 0 }) }
    }

    /// A note that cannot be written costs time in the next run, and no money: the keys are the same.
    fn is_at(&mut self, acknowledged: usize) {
        self.state.acknowledged = acknowledged;
        let _ = serde_json::to_vec(&self.state).map_err(io::Error::other).and_then(|text| {
            let new = self.path.with_extension("new");
            std::fs::write(&new, text)?;
            std::fs::rename(new, &self.path)
        });
    }
}

/// What tells this account from others: its server, and Paid's ids of some products that the signals name.
async fn account_of(client: &Client, signals: &[FileSignal]) -> Result<String, AccountError> {
    const PRODUCTS: usize = 5;
    let mut paths = BTreeSet::new();
    for FileSignal { signal, .. } in signals {
        let product = |key: &str| signal.get("attribution")?.get(key)?.as_str();
        let segment =
            |id: &str| percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string();
        let external = product("externalProductId").map(|id| format!("/products/external/{}", segment(id)));
        paths.extend(external.or_else(|| product("productId").map(|id| format!("/products/{}", segment(id)))));
        if paths.len() == PRODUCTS {
            break;
        }
    }
    let mut account = client.base_url().to_owned();
    for path in paths {
        match client.request(Method::GET, &path).await {
            Ok(product) => account.push_str(&format!("\n{} {}", product["id"], product["createdAt"])),
            Err(error) if error.status().is_some_and(|status| matches!(status.as_u16(), 400 | 404)) => {
                account.push_str("\nunknown");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(account)
}

/// How far an import brought the signals of a file, in this run and in earlier ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// Signals that an earlier run had brought to an end.
    pub before: u64,
    /// What Paid answered now.
    pub sent: Resent,
}

/// Sends the signals of a file to Paid. What Paid acknowledged is noted in `.FILE.imported`, beside the file, and the next run to the
/// same account skips it. A request whose answer was lost is sent again with the same keys, so Paid bills it once. `progress` is called with the number that is done, and how many there are.
///
/// # Errors
///
/// If a request fails. Run it again: it goes on where it was.
pub async fn import(
    client: &Client,
    file: &Path,
    signals: &[FileSignal],
    mut progress: impl FnMut(u64, u64),
) -> Result<Imported, AccountError> {
    let account = account_of(client, signals).await?;
    let mut known = Progress::of(&account, file, signals);
    let mut done = known.state.acknowledged;
    let mut imported = Imported { before: done as u64, ..Imported::default() };
    progress(done as u64, signals.len() as u64);
    for batch in signals.get(done..).unwrap_or_default().chunks(BATCH) {
        let bodies: Vec<_> = batch.iter().map(|signal| &signal.signal).collect();
        let call = Call::<CreateSignalsResponse>::new(client, "create-signals", Method::POST, "/signals/bulk");
        let body = serde_json::json!({ "signals": bodies });
        let answer = call.body(&body).repeatable_if(true).await?;
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        imported.sent.ingested += count(answer.ingested);
        imported.sent.duplicates += count(answer.duplicates);
        // Signals that no count accounts for are not known to be there.
        let known_to_be_there = count(answer.ingested) + count(answer.duplicates);
        imported.sent.failed += count(answer.failed).max((batch.len() as u64).saturating_sub(known_to_be_there));
        done += batch.len();
        // What failed is sent again by the next run.
        if imported.sent.failed == 0 {
            known.is_at(done);
        }
        progress(done as u64, signals.len() as u64);
    }
    Ok(imported)
}
