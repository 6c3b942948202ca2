#![allow(dead_code)]

struct Sdr;

impl Sdr {
    #[paid::signal("email_sent", customer = account, data(words = *ret))]
    async fn send(&mut self, account: String) -> Result<usize, ()> {
        std::future::ready(()).await;
        Ok(account.len())
    }
}

fn main() {}
