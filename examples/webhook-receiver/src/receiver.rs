//! The receiver: the extractor has verified what comes here.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::post;
use paid::webhook::{Delivery, Event, Verifier};

/// What was done already: a delivery may come again. In a real service this is a table with a unique key.
type Done = Arc<Mutex<BTreeSet<String>>>;

#[derive(Clone)]
struct Service {
    verifier: Verifier,
    done: Done,
}

impl FromRef<Service> for Verifier {
    fn from_ref(service: &Service) -> Self {
        service.verifier.clone()
    }
}

impl FromRef<Service> for Done {
    fn from_ref(service: &Service) -> Self {
        Self::clone(&service.done)
    }
}

pub(crate) fn router(verifier: Verifier) -> Router {
    Router::new().route("/webhooks/paid", post(receive)).with_state(Service { verifier, done: Done::default() })
}

async fn receive(State(done): State<Done>, delivery: Delivery) {
    if delivery.is_test {
        println!("a test of {}: the receiver works", delivery.event.name());
        return;
    }
    match &delivery.event {
        Event::InvoiceCreated(invoice) => println!("invoice {} was created", invoice.id().unwrap_or("?")),
        Event::InvoicePaid(invoice) => {
            let id = invoice.id().unwrap_or("?");
            if done.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("paid {id}")) {
                println!("invoice {id} is paid: the account is unlocked");
            } else {
                println!("invoice {id} is paid, as we know");
            }
        }
        Event::CreditsDepleted(credits) => println!("credits used up: {:?}", credits.as_object()),
        other => println!("{}: not of interest here", other.name()),
    }
}
