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
    /// The number of signals that had arrived. A later one is billed with the next period.
    pub(super) signals: usize,
    pub(super) payment: Payment,
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
