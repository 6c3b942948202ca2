#![allow(dead_code)]

struct Lead {
    id: u64,
}

#[paid::signal("email_sent", data(lead_id = lead.id, words, subject = format!("{words} words")))]
fn send(lead: &Lead, words: u32) {
    let _ = (lead, words);
}

fn main() {}
