//! Dead letters are sent again: for a limited time, and cost records only where that is wanted.

use std::time::Instant;

use super::*;

fn resubmit(folder: &Path, url: &str, more: &[&str]) -> Said {
    Said::of(program(folder, "resubmit", more).env("PAID_BASE_URL", url).output().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resubmission_that_gets_nowhere_ends_and_says_why() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (status, why) in [(401, "401 Unauthorized"), (403, "403 Forbidden"), (404, "404 Not Found"), (302, "302 Found")]
    {
        let folder = outbox_of(&["a", "b"]);
        emulator.fault(Fault::status(status).operation("create-signals").times(3));
        let begun = Instant::now();
        resubmit(folder.path(), &emulator.url(), &[])
            .ends(1, &["given up", why, "2 signals without an answer stay dead letters"]);
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert_eq!(keys(folder.path()), ["a", "b"]);
    }
    let folder = outbox_of(&["a"]);
    resubmit(folder.path(), &format!("http://{nobody}"), &[])
        .ends(1, &["cannot connect", "1 signal without an answer stays a dead letter"]);
    emulator.fault(Fault::status(503).operation("create-signals").times(1_000));
    resubmit(folder.path(), &emulator.url(), &["--timeout", "1"]).ends(1, &["not answered within 1s", "503"]);
    assert_eq!(keys(folder.path()), ["a"]);
    resubmit(folder.path(), &emulator.url(), &["--timeout", "soon"]).ends(2, &["a number of seconds"]);
    Said::of(program(folder.path(), "resubmit", &[]).env("PAID_API_KEY", "").output().unwrap())
        .ends(1, &["PAID_API_KEY is not set"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_letters_are_sent() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let mut incomplete = record("d");
    incomplete.as_object_mut().unwrap().remove("idempotencyKey");
    let folder =
        outbox(["a", "b", "c"].map(|key| letter(key, &record(key))).into_iter().chain([letter("d", &incomplete)]));
    resubmit(folder.path(), &emulator.url(), &["b", "missing"]).ends(1, &["no dead letter with the key missing"]);
    resubmit(folder.path(), &emulator.url(), &["b"]).ends(0, &["1 signal accepted by Paid"]);
    assert_eq!(keys(folder.path()), ["a", "c", "d"]);
    resubmit(folder.path(), &emulator.url(), &[])
        .ends(1, &["2 signals accepted by Paid", "it is not a complete signal", "1 signal refused again"]);
    assert_eq!(keys(folder.path()), ["d"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cost_records_are_sent_again_only_where_that_is_wanted() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let cost =
        json!({ "type": "cost", "amount": 0.1, "currency": "USD", "customer": { "externalCustomerId": "acme" } });
    let folder = outbox(["k-1", "k-2"].map(|key| letter(key, &cost)));
    run(folder.path(), "list", &[]).ends(0, &["cost record", "k-1", "2 dead letters", "resubmit --costs"]);
    resubmit(folder.path(), &emulator.url(), &[])
        .ends(1, &["2 cost records would be sent again", "counted twice", "--costs"]);
    assert_eq!(keys(folder.path()).len(), 2);
    resubmit(folder.path(), &emulator.url(), &["--costs", "k-2"]).ends(0, &["1 cost record accepted by Paid"]);
    assert_eq!(keys(folder.path()), ["k-1"]);
}
