//! The account that a command talks to: its key and its server.

use std::io::IsTerminal;

use paid::Client;

use crate::options::Account;
use crate::out;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A client of the account. The key comes from the environment, or else from the terminal; it is never printed.
pub(crate) fn client(account: &Account) -> Result<Client> {
    let variable = variable(account);
    let key = match std::env::var(&variable) {
        Ok(key) => key,
        Err(_) => asked(&variable)?,
    };
    let builder = Client::builder().api_key(key);
    let builder = match std::env::var("PAID_BASE_URL") {
        Ok(url) if !url.is_empty() => builder.base_url(url),
        _ => builder,
    };
    Ok(builder.build()?)
}

fn variable(account: &Account) -> String {
    match &account.profile {
        Some(name) => format!("PAID_API_KEY_{}", name.to_uppercase().replace('-', "_")),
        None => "PAID_API_KEY".to_owned(),
    }
}

fn asked(variable: &str) -> Result<String> {
    if !std::io::stdin().is_terminal() {
        return Err(format!("{variable} is not set: it holds the API key of the account").into());
    }
    Ok(rpassword::prompt_password(format!("API key ({variable} is not set): "))?)
}

/// Says which account is about to be changed.
pub(crate) fn say(account: &Account, client: &Client) {
    let of = account.profile.as_ref().map_or_else(String::new, |name| format!(", profile {name}"));
    out::note(&format!("account: {}{of}", client.base_url()));
}

/// Runs a future to its end.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}
