use paid::types::{AmendmentIntent, ExecuteAmendmentRequest, UpdateQuantityAmendmentIntent};

fn main() {
    let intent: AmendmentIntent = UpdateQuantityAmendmentIntent::new(5, "ola_1").into();
    let _ = ExecuteAmendmentRequest::new("some hash", 3, [intent]);
}
