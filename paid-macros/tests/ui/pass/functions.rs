use std::future::Future;
use std::pin::Pin;

use paid::PaidSignal;

struct Failed;
type Fallible<T> = Result<T, Failed>;

struct Lead {
    id: String,
    account: String,
}

struct Meeting {
    minutes: u32,
}

#[derive(PaidSignal)]
#[paid(signal = "meeting_held")]
struct MeetingHeld {
    minutes: u32,
}

impl From<&Meeting> for MeetingHeld {
    fn from(meeting: &Meeting) -> Self {
        Self { minutes: meeting.minutes }
    }
}

struct Sdr;

impl Sdr {
    /// Documented.
    #[must_use]
    #[paid::signal("meeting_booked", customer = lead.account, data(lead_id = lead.id, duration_minutes = ret.minutes))]
    pub async fn book(&self, lead: &Lead) -> Fallible<Meeting> {
        Err(Failed)?;
        Ok(Meeting { minutes: lead.id.len() as u32 })
    }

    #[paid::signal(MeetingHeld, customer = "acme")]
    fn hold(&mut self) -> Fallible<Meeting> {
        Ok(Meeting { minutes: 3 })
    }

    #[paid::signal]
    fn held(self) -> MeetingHeld {
        MeetingHeld { minutes: 3 }
    }
}

trait Work {
    type Out;

    fn work(&self) -> Self::Out;

    #[paid::signal("defaulted")]
    fn by_default(&self) -> u32 {
        7
    }
}

impl Work for Sdr {
    type Out = Fallible<u32>;

    #[paid::signal("worked", on = "error", data(failed = true), when = matches!(err, Failed))]
    fn work(&self) -> Self::Out {
        Ok(7)
    }
}

#[paid::signal("generic", quantity = values.len(), ret = back, data(back = back.len(), words, note = format!("{words}")))]
fn generic<T: Clone, const N: usize>(values: [T; N], words: u32) -> Vec<T>
where
    T: Send,
{
    values.to_vec()
}

#[paid::signal("opaque")]
fn opaque<'a>(items: &'a [u32], by: impl Fn(u32) -> u32 + 'a) -> impl Iterator<Item = u32> + 'a {
    items.iter().map(move |item| by(*item))
}

#[paid::signal("future")]
fn future(input: u32) -> impl Future<Output = Fallible<u32>> + Send {
    async move { Ok(input) }
}

#[paid::signal("boxed", data(ok = result.is_ok()), on = "always")]
fn boxed<'a>(input: &'a str) -> Pin<Box<dyn Future<Output = Fallible<usize>> + Send + 'a>> {
    Box::pin(async move { Ok(input.len()) })
}

#[paid::signal("nothing_at_all",)]
unsafe extern "C" fn nothing() {}

#[paid::signal("reference", customer = text)]
fn reference<'a>(text: &'a mut String) -> &'a mut String {
    text.push('!');
    text
}

fn main() {}
