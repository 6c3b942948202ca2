use paid::SignalValue;

#[derive(SignalValue)]
struct Channel;

#[derive(serde::Serialize, SignalValue)]
#[serde(tag = "kind")]
enum Tagged {
    Email,
}

#[derive(SignalValue)]
enum Contact {
    Email(String),
}

fn main() {}
