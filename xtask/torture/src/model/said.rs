//! What an emitter says about a signal, in its receipt and to the hook.

use paid::{Delivery, DeliveryError, RecordKind, Verdict};

use crate::server::Paid;

/// What became of a signal, as its emitter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Delivered,
    InOutbox,
    Rejected,
    /// Paid failed on it again and again: it is a dead letter.
    Buried,
    /// Not delivered when the emitter ended.
    Lost,
    /// Not accepted.
    Refused,
    Dropped,
    /// The outbox lost it.
    Unreadable,
}

pub(super) fn said(outcome: &Result<Delivery, DeliveryError>) -> Said {
    match outcome {
        Ok(_) => Said::Delivered,
        Err(DeliveryError::InOutbox { .. }) => Said::InOutbox,
        Err(DeliveryError::Failed { .. }) => Said::Rejected,
        Err(DeliveryError::NotDelivered { error: Some(error), .. }) if error.verdict() == Verdict::BadContent => {
            Said::Rejected
        }
        Err(DeliveryError::NotDelivered { .. }) => Said::Lost,
        Err(DeliveryError::Dropped { .. }) => Said::Dropped,
        Err(DeliveryError::Outbox { .. }) => Said::Unreadable,
        Err(_) => Said::Refused,
    }
}

/// Whether records were not accepted or lost; not, if the server refused them.
pub(super) fn is_lost(failure: &DeliveryError) -> bool {
    match failure {
        DeliveryError::NotDelivered { error, .. } => {
            error.as_ref().is_none_or(|error| error.verdict() != Verdict::BadContent)
        }
        DeliveryError::QueueFull { .. } | DeliveryError::ShutDown { .. } | DeliveryError::Dropped { .. } => true,
        _ => false,
    }
}

/// How many signals a failure is about.
pub(super) fn weight(failure: &DeliveryError, paid: &Paid) -> u64 {
    match failure {
        // It is told once for each kind in a batch.
        DeliveryError::PartlyRefused { kind, .. } if *kind == RecordKind::Span && paid.had_signals() => 0,
        DeliveryError::PartlyRefused { failed, .. } => *failed,
        DeliveryError::Untold { records, .. } => *records,
        DeliveryError::NotDelivered { records, .. } => *records as u64,
        DeliveryError::Outbox { problem, .. } if problem.ends_with("on disk can no longer be read") => {
            problem.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
        }
        DeliveryError::Outbox { .. } | DeliveryError::InOutbox { .. } | DeliveryError::SetAside { .. } => 0,
        _ => 1,
    }
}

/// The signal that a failure names.
pub(super) fn named(failure: &DeliveryError) -> Option<u32> {
    let name = match failure {
        DeliveryError::QueueFull { name, .. }
        | DeliveryError::ShutDown { name, .. }
        | DeliveryError::Dropped { name, .. }
        | DeliveryError::Failed { name, .. }
        | DeliveryError::NotDelivered { name: Some(name), .. } => name,
        _ => return None,
    };
    name.strip_prefix('e')?.parse().ok()
}
