//! What may be traced: functions and methods, sync and async, generic, with references in and out, and with signals on them.
#![deny(warnings)]

use std::pin::Pin;

struct Lead {
    account: String,
    campaign: Option<String>,
}

#[derive(Debug)]
struct Silent;

struct Agent {
    name: String,
}

#[paid::trace(customer = lead.account, product = "ai-sdr", store_prompts = false, metadata(campaign = lead.campaign, n = 3))]
async fn write_email(lead: &Lead, tone: String) -> Result<String, std::io::Error> {
    if tone.is_empty() {
        return Err(std::io::Error::other("no tone"));
    }
    Ok(lead.account.clone() + &tone)
}

#[paid::trace(customer = lead.account)]
fn first_letter(lead: &Lead) -> Option<&str> {
    lead.account.get(0..1)
}

// An error without a text.
#[paid::trace]
fn silent() -> Result<u32, Silent> {
    Err(Silent)
}

impl Agent {
    #[paid::trace(customer = self.name, token = token)]
    async fn think<T: Clone + Send>(&mut self, what: T, token: paid::trace::TracingToken) -> T {
        self.name.push('!');
        what.clone()
    }

    #[paid::trace(customer = "acme")]
    fn think_later<'a>(&'a self) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
        Box::pin(async move { self.name.len() })
    }

    #[paid::trace(customer = "acme")]
    fn think_soon(&self) -> impl Future<Output = usize> + Send + use<> {
        let length = self.name.len();
        async move { length }
    }
}

#[async_trait::async_trait]
trait Work {
    async fn work(&self) -> Result<u8, Silent>;
}

#[async_trait::async_trait]
impl Work for Agent {
    #[paid::trace(customer = self.name)]
    async fn work(&self) -> Result<u8, Silent> {
        Ok(1)
    }
}

// Signals belong to the scope whichever annotation comes first.
#[paid::trace(customer = "acme")]
#[paid::signal("email_sent", cost_attributed)]
async fn traced_first() -> u8 {
    1
}

#[paid::signal("email_sent", cost_attributed)]
#[paid::trace(customer = "acme")]
fn signal_first() {}

#[paid::signal("email_sent", over = "trace", customer = "acme")]
fn over_the_collector() {}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

fn main() {
    let lead = Lead { account: "acme".into(), campaign: None };
    assert_eq!(block_on(write_email(&lead, "!".into())).unwrap(), "acme!");
    assert!(block_on(write_email(&lead, String::new())).is_err());
    assert_eq!(first_letter(&lead), Some("a"));
    assert!(silent().is_err());
    let mut agent = Agent { name: "a".into() };
    assert_eq!(block_on(agent.think(7, paid::trace::TracingToken::new())), 7);
    assert_eq!(block_on(agent.think_later()), 2);
    assert_eq!(block_on(agent.think_soon()), 2);
    assert_eq!(block_on(agent.work()).unwrap(), 1);
    let recorder = paid::testing::Recorder::new();
    recorder.run_sync(|| {
        block_on(traced_first());
        signal_first();
        over_the_collector();
    });
    assert_eq!(recorder.signals().len(), 3);
    for signal in recorder.signals() {
        assert_eq!(signal.to_json()["customer"]["externalCustomerId"], "acme");
    }
}
