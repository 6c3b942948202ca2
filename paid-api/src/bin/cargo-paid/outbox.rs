//! `cargo paid outbox`: shows, corrects, discards and resubmits undelivered records.

pub(crate) mod arguments;
mod discard;
mod edit;
mod json;
mod letters;
mod list;
mod resubmit;
mod show;

use crate::outcome::Outcome;
use arguments::Outbox;

pub(crate) fn run(command: &Outbox) -> Outcome {
    match command {
        Outbox::List(list) => list::list(list),
        Outbox::Show(show) => show::show(show),
        Outbox::Export(export) => show::export(export),
        Outbox::Edit(edit) => edit::edit(edit),
        Outbox::Discard(discard) => discard::discard(discard),
        Outbox::Resubmit(resubmit) => resubmit::resubmit(resubmit),
    }
}
