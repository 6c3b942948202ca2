#![allow(dead_code)]

struct Lead {
    id: String,
    account: String,
}

fn deliver(lead: &Lead) -> Result<u32, std::io::Error> {
    Ok(lead.id.len() as u32)
}

fn work(leads: &[Lead]) -> Result<u32, std::io::Error> {
    let mut bytes = 0;
    for lead in leads {
        bytes += paid::signal_block!("email_sent", customer = lead.account, data(lead_id = lead.id, bytes = *ret), {
            deliver(lead)
        })?;
    }
    paid::signal_block!("batch_sent", customer = "acme", {});
    let first = paid::signal_block!("first_sent", customer = "acme", -> Result<u32, std::io::Error> {
        let Some(first) = leads.first() else { return Ok(0) };
        let bytes = deliver(first)?;
        Ok(bytes)
    });
    Ok(bytes + first?)
}

fn generic<T: Clone + Unpin>(value: &T, all: &[T]) -> Vec<T> {
    paid::signal_block!("cloned", customer = "acme", on = "always", { value.clone() });
    paid::signal_block!("cloned", customer = "acme", success = |all| all.len() > 1, -> Vec<T> { all.to_vec() })
}

fn main() {}
