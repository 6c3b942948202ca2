//! A `signals.toml` of any shape: reading it does not panic, nor does asking it.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(catalogue) = paid_catalog::Catalog::parse(text) else { return };
    let _ = catalogue.nearest("meeting_booked");
    if let Some(signal) = catalogue.signal("meeting_booked") {
        let _ = (signal.required().count(), signal.nearest_field("lead_id"));
    }
});
