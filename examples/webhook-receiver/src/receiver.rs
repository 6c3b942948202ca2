//! The receiver. The extractor verifies each message before the handler is called.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::post;
use paid::webhook::{Event, Message, Verifier};

/// The events that were processed, because Paid may send a message twice. In a real service this is a table with a
/// unique key.
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

async fn receive(State(done): State<Done>, message: Message) {
    if message.is_test {
        println!("a test of {}: the receiver works", message.event.name());
        return;
    }
    match &message.event {
        Event::InvoiceCreated(invoice) => println!("invoice {} was created", invoice.id().unwrap_or("?")),
        Event::InvoicePaid(invoice) => {
            let id = invoice.id().unwrap_or("?");
            if done.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("paid {id}")) {
                println!("invoice {id} is paid: unlocking the account");
            } else {
                println!("invoice {id} is paid: already processed");
            }
        }
        Event::CreditsDepleted(credits) => println!("the credits are used up: {:?}", credits.as_object()),
        other => println!("ignored {}", other.name()),
    }
}
