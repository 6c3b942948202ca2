#![allow(dead_code)]

struct Sdr {
    emitter: std::sync::Arc<dyn paid::Emit>,
}

impl Sdr {
    #[paid::signal("email_sent", via = self.emitter.clone())]
    fn send(&self) {}
}

fn main() {}
