//! Headers and bodies from anywhere: verifying them does not panic; and with a right signature, neither does reading.
#![no_main]

libfuzzer_sys::fuzz_target!(|parts: (&[u8], &[u8])| {
    let (header, body) = parts;
    let verifier = paid::webhook::Verifier::new("whsec_fuzz");
    assert!(verifier.verify(header, body).is_err());
    if let Ok(message) = verifier.verify(verifier.sign(body), body) {
        let _ = message.event.name().len();
    }
});
