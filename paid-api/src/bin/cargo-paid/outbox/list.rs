//! `list`: what is pending, what was refused, what is set aside.

use std::collections::{BTreeMap, VecDeque};

use paid::RecordKind;
use paid::outbox::{DeadLetter, SetAside, Waiting};
use serde_json::{Value, json};

use super::arguments::List;
use super::letters::{self, customer, passes, what};
use crate::out;
use crate::outcome::Outcome;

/// A longer reason is cut in the table; `show` has it whole.
const REASON: usize = 160;

pub(crate) fn list(list: &List) -> Outcome {
    let folder = list.place.folder.as_path();
    let found = letters::read(folder)?;
    let waiting = paid::outbox::waiting(folder).map_err(|error| format!("cannot read the outbox: {error}"))?;
    let set_aside = paid::outbox::set_aside(folder)?;
    let is_nothing = found.letters.is_empty() && found.unreadable.is_empty() && set_aside.is_empty();
    if waiting == Waiting::None && is_nothing && !folder.join("contents").exists() {
        return Err(format!(
            "{} is not an outbox: give the folder that is given to `Emitter::builder(..).outbox(..)`",
            folder.display()
        )
        .into());
    }
    let unreadable = found.unreadable.len();
    let mut chosen: VecDeque<_> = found.letters.into_iter().filter(|letter| passes(letter, &list.filter)).collect();
    let totals = totals(&chosen);
    let earlier = if list.limit == 0 { 0 } else { chosen.len().saturating_sub(list.limit) };
    chosen.drain(..earlier);
    let chosen = Vec::from(chosen);
    if list.json {
        let report = json!({
            "pending": pending(&waiting),
            "dead_letters": chosen.iter().map(in_json).collect::<Vec<_>>(),
            "totals": totals.iter().map(|((name, customer), records)| {
                json!({ "name": name, "customer": customer, "records": records })
            }).collect::<Vec<_>>(),
            "set_aside": set_aside.iter().map(aside_in_json).collect::<Vec<_>>(),
            "unreadable": unreadable,
        });
        out::line(out::safe_json(&serde_json::to_string_pretty(&report)?))?;
        return Ok(());
    }
    out::line(in_words(&waiting))?;
    if !set_aside.is_empty() {
        let of = letters::counted(set_aside.iter().map(|aside| &aside.letter));
        out::line(format_args!("{of} set aside: tried again at growing intervals"))?;
        out::line(out::table(set_aside.iter().map(aside_in_row), ["next try", "tries", "what", "key", "why"]))?;
    }
    if chosen.is_empty() {
        out::line(if list.filter.is_any() { "no such dead letters" } else { "no dead letters" })?;
        return Ok(());
    }
    if list.totals {
        let rows = totals
            .iter()
            .map(|((name, customer), records)| [out::visible(name), out::visible(customer), records.to_string()]);
        out::line(out::table(rows, ["what", "customer", "dead letters"]))?;
        return Ok(());
    }
    out::line(out::table(chosen.iter().map(in_row), ["refused at", "what", "key", "why"]))?;
    if earlier > 0 {
        out::line(format_args!("{earlier} earlier ones are not shown; `--limit 0` shows all"))?;
    }
    // A cost record that is sent again may count twice.
    let of_costs = chosen.iter().any(|letter| letter.kind == RecordKind::Cost);
    let again = if of_costs { "cargo paid outbox resubmit --costs` or `CostEmitter::resubmit" } else { AGAIN };
    let (number, them) = match chosen.len() {
        1 => ("1 dead letter".to_owned(), "it"),
        more => (format!("{more} dead letters"), "them"),
    };
    let sends = if of_costs { "send" } else { "sends" };
    out::line(format_args!("{number}; `{again}` {sends} {them} again"))?;
    Ok(())
}

const AGAIN: &str = "cargo paid outbox resubmit";

/// How many dead letters there are of each name and customer.
fn totals(letters: &VecDeque<DeadLetter>) -> BTreeMap<(String, String), usize> {
    let mut totals = BTreeMap::new();
    for letter in letters {
        let name = if letter.kind == RecordKind::Cost { "cost".to_owned() } else { letter.name.clone() };
        *totals.entry((name, customer(letter).unwrap_or_default())).or_default() += 1;
    }
    totals
}

fn in_row(letter: &DeadLetter) -> [String; 4] {
    let DeadLetter { at, key, reason, .. } = letter;
    [at.to_string(), what(letter), out::visible(key), out::cut(&out::visible(reason), REASON)]
}

fn aside_in_row(aside: &SetAside) -> [String; 5] {
    let [_, what, key, why] = in_row(&aside.letter);
    [aside.next.to_string(), aside.tries.to_string(), what, key, why]
}

fn in_json(letter: &DeadLetter) -> Value {
    json!({
        "at": letter.at,
        "kind": if letter.kind == RecordKind::Cost { "cost" } else { "signal" },
        "name": letter.name,
        "customer": customer(letter),
        "key": letter.key,
        "reason": letter.reason,
    })
}

fn aside_in_json(aside: &SetAside) -> Value {
    let mut value = in_json(&aside.letter);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("tries".into(), aside.tries.into());
        fields.insert("next".into(), json!(aside.next));
    }
    value
}

fn pending(waiting: &Waiting) -> Value {
    let (state, kind, records, held_by) = match waiting {
        Waiting::Signals(records) => ("idle", Some("signal"), Some(*records), None),
        Waiting::Costs(records) => ("idle", Some("cost"), Some(*records), None),
        Waiting::HeldBy(holder) => ("held", None, None, Some(holder.as_str())),
        _ => ("none", None, None, None),
    };
    json!({ "state": state, "kind": kind, "records": records, "held_by": held_by })
}

fn in_words(waiting: &Waiting) -> String {
    let idle = |records: u64, what: &str| match records {
        0 => format!("no pending {what}s"),
        1 => format!("1 pending {what}; it is sent when the program that uses this outbox starts"),
        more => format!("{more} pending {what}s; they are sent when the program that uses this outbox starts"),
    };
    match waiting {
        Waiting::Signals(records) => idle(*records, "signal"),
        Waiting::Costs(records) => idle(*records, "cost record"),
        Waiting::HeldBy(holder) => format!(
            "{} has this outbox open and sends the pending records; its stats say how many",
            out::visible(holder)
        ),
        _ => "there are no pending records in this folder".to_owned(),
    }
}
