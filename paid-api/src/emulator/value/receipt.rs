//! One value receipt and its states: a draft or sealed, published or not, archived or not.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::pricing::number;
use super::super::refusal::Refusal;
use super::conflict;
use super::period::{Period, shown};
use crate::Timestamp;

/// What a receipt is about: the customer, and a product or an order if it is about no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::emulator) struct Scope {
    pub(in crate::emulator) customer: String,
    pub(in crate::emulator) product: Option<String>,
    pub(in crate::emulator) order: Option<String>,
}

/// What was delivered, when a receipt was filled.
#[derive(Debug, Clone)]
pub(in crate::emulator) struct Figures {
    pub(in crate::emulator) currency: String,
    /// `None` without a value model.
    pub(in crate::emulator) total: Option<Decimal>,
}

#[derive(Debug)]
pub(super) struct Receipt {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) scope: Scope,
    pub(super) period: Period,
    figures: Figures,
    generated: Timestamp,
    created: Timestamp,
    is_sealed: bool,
    archived: Option<Timestamp>,
    published: Option<Timestamp>,
    expires: Option<Timestamp>,
}

impl Receipt {
    pub(super) fn new(
        (id, token): (String, String),
        scope: Scope,
        period: Period,
        figures: Figures,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            token,
            scope,
            period,
            figures,
            generated: now,
            created: now,
            is_sealed: false,
            archived: None,
            published: None,
            expires: None,
        }
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.is_sealed
    }

    pub(super) fn is_archived(&self) -> bool {
        self.archived.is_some()
    }

    /// Fills a draft again.
    pub(super) fn refill(&mut self, figures: Figures, now: Timestamp) {
        self.figures = figures;
        self.generated = now;
    }

    pub(super) fn check_draft(&self) -> Result<(), Refusal> {
        if self.is_sealed {
            return Err(conflict("path.id", "the receipt is sealed; it no longer changes"));
        }
        Ok(())
    }

    pub(super) fn seal(&mut self) -> Result<(), Refusal> {
        self.check_draft()?;
        self.is_sealed = true;
        Ok(())
    }

    /// An archived receipt stays archived since it was.
    pub(super) fn archive(&mut self, now: Timestamp) {
        self.archived.get_or_insert(now);
    }

    pub(super) fn unarchive(&mut self) -> Result<(), Refusal> {
        match self.archived.take() {
            Some(_) => Ok(()),
            None => Err(conflict("path.id", "the receipt is not archived")),
        }
    }

    pub(super) fn publish(&mut self, expires: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
        if self.is_archived() {
            return Err(conflict("path.id", "the receipt is archived; unarchive it first"));
        }
        if expires.is_some_and(|expires| expires <= now) {
            return Err(Refusal::invalid("body.publishExpiresAt", "is past"));
        }
        self.published = Some(now);
        self.expires = expires;
        Ok(())
    }

    pub(super) fn unpublish(&mut self) {
        self.published = None;
        self.expires = None;
    }

    fn status(&self) -> &'static str {
        if self.is_sealed { "posted" } else { "draft" }
    }

    /// The answer to what fills it.
    pub(super) fn filled(&self) -> Value {
        json!({
            "id": self.id,
            "status": self.status(),
            "publicUrl": self.url(),
            "publicUrlToken": self.token,
            "generatedAt": self.generated.to_string(),
        })
    }

    /// As lists show it, with the customer's names.
    pub(super) fn summary(&self, named: &dyn Fn(&str, &str) -> Value, now: Timestamp) -> Value {
        let customer = self.scope.customer.as_str();
        json!({
            "id": self.id,
            "status": self.status(),
            "currency": self.figures.currency,
            "totalDeliveredValue": self.figures.total.map(number),
            "customerId": customer,
            "customerExternalId": named(customer, "externalId"),
            "customerName": named(customer, "name"),
            "productId": self.scope.product,
            "orderId": self.scope.order,
            "startDate": shown(self.period.start),
            "endDate": shown(self.period.end),
            "isPublished": self.published.is_some() && self.expires.is_none_or(|expires| now < expires),
            "publicUrl": self.url(),
            "publicUrlToken": self.token,
            "archivedAt": self.archived.map(|time| time.to_string()),
            "createdAt": self.created.to_string(),
        })
    }

    /// All of it.
    pub(super) fn detail(&self, named: &dyn Fn(&str, &str) -> Value, now: Timestamp) -> Value {
        let mut shown = self.summary(named, now);
        shown["allowEmbed"] = false.into();
        shown["publishedAt"] = self.published.map(|time| time.to_string()).into();
        shown["publishExpiresAt"] = self.expires.map(|time| time.to_string()).into();
        shown
    }

    /// The emulator has no page for it.
    fn url(&self) -> String {
        format!("https://receipts.invalid/public/value-receipts/{}", self.token)
    }
}
