//! What is kept of a posted invoice.

use rust_decimal::Decimal;

use crate::Timestamp;

#[derive(Debug, Clone)]
pub(super) struct InvoiceLine {
    pub(super) order_line: String,
    pub(super) attribute: String,
    pub(super) name: String,
    pub(super) quantity: Decimal,
    pub(super) amount: Decimal,
}

/// A posted invoice. It never changes again, but for its payment.
#[derive(Debug, Clone)]
pub(in crate::emulator) struct Settled {
    pub(super) lines: Vec<InvoiceLine>,
    pub(super) posted: Timestamp,
    /// What had arrived. What comes later is billed with the next period.
    pub(super) arrived: Arrived,
    pub(super) payment: Payment,
    /// When nothing was left to pay.
    pub(super) paid: Option<Timestamp>,
}

/// How much had arrived of what is counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrived {
    pub(super) signals: usize,
    pub(super) costs: usize,
    pub(super) overages: usize,
    pub(super) adjustments: usize,
}

/// How far an invoice is paid. The amounts are in [`Payments`](super::super::payments::Payments).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payment {
    /// Nothing is paid, or a part.
    Open,
    /// The last attempt failed.
    Failed,
    Paid,
}
