//! Lists whose servers do not tell the truth: a stream ends, and loses nothing in silence.

use futures_util::StreamExt;
use paid::{Client, Error};
use serde_json::{Value, json};

use super::client;
use super::server::{Request, Server, json};

fn offset(request: &Request) -> usize {
    request.target().split(['?', '&']).find_map(|part| part.strip_prefix("offset=")?.parse().ok()).unwrap_or(0)
}

fn alias(number: usize) -> Value {
    json!({"id": format!("a{number}"), "name": format!("n{number}"), "alias": format!("n{number}"),
           "customerId": "c", "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"})
}

/// A page of raw items under any list that counts them.
fn page(numbers: impl Iterator<Item = usize>, offset: usize, more: bool) -> Value {
    let items: Vec<_> = numbers.map(group).collect();
    json!({"data": items, "pagination": {"limit": 2, "offset": offset, "total": 100, "hasMore": more}})
}

fn group(number: usize) -> Value {
    json!({"id": format!("p{number}"), "name": "P", "description": null, "externalId": null, "type": "agent",
           "active": true, "archivedAt": null, "productCode": null, "metadata": {}, "productAttributes": [],
           "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"})
}

fn total(numbers: impl Iterator<Item = usize>, total: i64) -> Value {
    let items: Vec<_> = numbers.map(alias).collect();
    json!({"data": items, "total": total})
}

/// The number of items, and the errors, until the stream ends; at most 50 steps.
async fn drained<T>(stream: impl futures_util::Stream<Item = Result<T, Error>>) -> (usize, Vec<String>) {
    let mut stream = std::pin::pin!(stream);
    let (mut items, mut errors) = (0, Vec::new());
    for _ in 0..50 {
        match stream.next().await {
            Some(Ok(_)) => items += 1,
            Some(Err(error)) => errors.push(error.to_string()),
            None => return (items, errors),
        }
    }
    panic!("the stream does not end: {items} items, {errors:?}");
}

async fn products(client: &Client) -> (usize, Vec<String>) {
    drained(client.products().list().stream()).await
}

#[tokio::test]
async fn a_list_is_read_to_its_end() {
    let server = Server::start(|request| match offset(request) {
        at @ 0..4 => json(200, &page(at..at + 2, at, true)),
        at => json(200, &page(at..=at, at, false)),
    });
    assert_eq!(products(&client(&server.url)).await, (5, Vec::new()));
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_page_that_repeats_is_an_error_that_ends_the_stream() {
    // The server ignores the offset, and may even repeat it.
    for echoes in [false, true] {
        let server =
            Server::start(move |request| json(200, &page(0..2, if echoes { offset(request) } else { 0 }, true)));
        let (items, errors) = products(&client(&server.url)).await;
        assert_eq!(items, 2);
        assert!(errors.len() == 1 && errors[0].contains("offset 2 has the same items"), "{errors:?}");
    }
    // Two pages in turn.
    let server = Server::start(|request| {
        let first = offset(request) % 4;
        json(200, &page(first..first + 2, 0, true))
    });
    let (items, errors) = products(&client(&server.url)).await;
    assert_eq!((items, errors.len()), (4, 1), "{errors:?}");
}

#[tokio::test]
async fn an_empty_page_that_promises_more_is_an_error_that_ends_the_stream() {
    let server = Server::start(|request| json(200, &page(0..0, offset(request), true)));
    let (items, errors) = products(&client(&server.url)).await;
    assert_eq!(items, 0);
    assert!(errors.len() == 1 && errors[0].contains("no items, although"), "{errors:?}");
}

#[tokio::test]
async fn an_error_that_lasts_ends_the_stream_and_one_that_passes_does_not() {
    let server = Server::start(|_| json(400, &json!({"error": "no"})));
    assert_eq!(products(&client(&server.url)).await.1.len(), 1);
    let server = Server::start(|_| json(200, &json!({"data": "nothing"})));
    assert_eq!(products(&client(&server.url)).await.1.len(), 1);
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |request| match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => json(200, &page(0..2, 0, true)),
        1 => json(503, &json!({})),
        _ => json(200, &page(2..3, offset(request), false)),
    });
    let (items, errors) = products(&client(&server.url)).await;
    assert_eq!((items, errors.len()), (3, 1), "{errors:?}");
}

#[tokio::test]
async fn limits_and_offsets_that_make_no_sense_are_refused() {
    let server = Server::start(|_| json(200, &page(0..0, 0, false)));
    let client = client(&server.url);
    for limit in [0, -1, i64::MIN] {
        let error = client.products().list().limit(limit).await.unwrap_err();
        assert!(matches!(error, Error::Request(_)) && error.to_string().contains("set 1 or more"), "{error}");
        let (items, errors) = drained(client.products().list().limit(limit).stream()).await;
        assert_eq!((items, errors.len()), (0, 1));
    }
    assert!(client.products().list().offset(-1).await.is_err());
    assert_eq!(drained(client.products().list().offset(-1).stream()).await.1.len(), 1);
    let raw = client.request(paid::Method::GET, "/products/").query("limit", "many");
    assert!(raw.await.is_err());
    assert!(server.seen().is_empty());
    client.products().list().limit(0).limit(1).offset(0).await.unwrap();
    client.products().list().limit(i64::MAX).offset(i64::MAX).await.unwrap();
    assert_eq!(drained(client.products().list().offset(i64::MAX).stream()).await, (0, Vec::new()));
}

mod totals {
    //! Lists that tell the total instead of whether more follow.

    use paid::{Call, List, Page, PageEnd};
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Aliases {
        data: Vec<Value>,
        total: i64,
    }

    impl Page for Aliases {
        type Item = Value;

        fn into_items(self) -> (List<Value>, PageEnd) {
            (self.data.into(), PageEnd::Total(self.total))
        }
    }

    async fn aliases(server: &Server) -> (usize, Vec<String>) {
        let call: Call<Aliases> = client(&server.url).request(paid::Method::GET, "/aliases/").answer_as();
        drained(paid::Items::new(call)).await
    }

    #[tokio::test]
    async fn a_total_is_the_end() {
        let server = Server::start(|request| json(200, &total(offset(request)..offset(request) + 2, 4)));
        assert_eq!(aliases(&server).await, (4, Vec::new()));
        assert_eq!(server.seen().len(), 2);
    }

    #[tokio::test]
    async fn a_total_that_is_too_large_is_an_error() {
        for large in [5, i64::MAX] {
            let server = Server::start(move |request| match offset(request) {
                0 => json(200, &total(0..2, large)),
                _ => json(200, &total(0..0, large)),
            });
            let (items, errors) = aliases(&server).await;
            assert_eq!((items, errors.len()), (2, 1), "{errors:?}");
        }
    }

    #[tokio::test]
    async fn a_total_that_is_too_small_loses_no_items() {
        for small in [0, 1, -7, i64::MIN] {
            let server = Server::start(move |request| match offset(request) {
                at @ 0..4 => json(200, &total(at..at + 2, small)),
                _ => json(200, &total(0..0, small)),
            });
            assert_eq!(aliases(&server).await, (4, Vec::new()), "{small}");
        }
    }
}

mod pages {
    //! Lists that are asked for by the number of a page, or by where the page before ended: of other documents.

    use paid::{Call, Items, List};
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Meta {
        next_page: Option<i64>,
    }

    #[derive(Deserialize)]
    struct Numbered {
        fees: List<Value>,
        meta: Meta,
    }
    paid::__page!(Numbered, Value, fees, next_page meta.next_page);

    #[derive(Deserialize)]
    struct Item {
        id: Option<String>,
        #[serde(default)]
        #[allow(dead_code)]
        size: u64,
    }

    #[derive(Deserialize)]
    struct Stripes {
        data: Option<List<Item>>,
        has_more: Option<bool>,
    }
    paid::__page!(Stripes, Item, data, has_more has_more or id);

    #[derive(Deserialize)]
    struct Tokens {
        items: List<Value>,
        next_cursor: Option<String>,
    }
    paid::__page!(Tokens, Value, items, next next_cursor);

    fn value(request: &Request, name: &str) -> Option<String> {
        request
            .target()
            .split_once('?')?
            .1
            .split('&')
            .find_map(|pair| Some(pair.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
    }

    async fn all<P: paid::Page>(server: &Server, parameter: &'static str) -> (usize, Vec<String>) {
        let call: Call<P> = client(&server.url).request(paid::Method::GET, "/fees/").answer_as();
        drained(Items::by(call, parameter)).await
    }

    #[tokio::test]
    async fn the_next_page_is_the_one_that_the_page_names() {
        let server = Server::start(|request| {
            // The pages of this server begin at 0: it says so itself, and nothing is guessed.
            let (fees, next) = match value(request, "page").as_deref() {
                None => (json!([1, 2]), json!(1)),
                Some("1") => (json!([3]), Value::Null),
                _ => panic!("{request:?}"),
            };
            json(200, &json!({"fees": fees, "meta": {"next_page": next}}))
        });
        assert_eq!(all::<Numbered>(&server, "page").await, (3, Vec::new()));
        assert_eq!(server.seen().len(), 2);
    }

    #[tokio::test]
    async fn the_next_page_begins_after_the_last_item() {
        let server = Server::start(|request| match value(request, "after").as_deref() {
            None => json(200, &json!({"data": [{"id": "a"}, {"id": "b"}], "has_more": true})),
            Some("b") => json(200, &json!({"data": [{"id": "c"}], "has_more": false})),
            _ => panic!("{request:?}"),
        });
        assert_eq!(all::<Stripes>(&server, "after").await, (3, Vec::new()));
    }

    #[tokio::test]
    async fn a_page_that_does_not_say_whether_more_follow_is_not_the_last_until_one_is_empty() {
        let server = Server::start(|request| match value(request, "starting_after").as_deref() {
            None => json(200, &json!({"data": [{"id": "a"}]})),
            Some("a") => json(200, &json!({})),
            _ => panic!("{request:?}"),
        });
        assert_eq!(all::<Stripes>(&server, "starting_after").await, (1, Vec::new()));
        let server = Server::start(|_| json(200, &json!({"data": [{"id": "a"}, {"id": 7}], "has_more": true})));
        let (items, errors) = all::<Stripes>(&server, "after").await;
        assert_eq!((items, errors.len()), (1, 2), "{errors:?}");
        assert!(errors[1].contains("the first page does not say where the next page begins"), "{errors:?}");
    }

    #[tokio::test]
    async fn an_item_that_cannot_be_read_has_an_id_to_go_on_after() {
        let server = Server::start(|request| match value(request, "after").as_deref() {
            None => json(200, &json!({"data": [{"id": "a", "size": "large"}], "has_more": true})),
            Some("a") => json(200, &json!({"data": [{"id": "b"}], "has_more": false})),
            _ => panic!("{request:?}"),
        });
        let (items, errors) = all::<Stripes>(&server, "after").await;
        assert_eq!((items, errors.len()), (1, 1), "{errors:?}");
    }

    #[tokio::test]
    async fn a_cursor_that_leads_back_is_an_error_whatever_else_the_answers_say() {
        let number = std::sync::atomic::AtomicU32::new(0);
        let server = Server::start(move |_| {
            let id = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            json(200, &json!({"items": [1], "next_cursor": "x", "request_id": id}))
        });
        let (items, errors) = all::<Tokens>(&server, "cursor").await;
        assert_eq!((items, errors.len()), (2, 1), "{errors:?}");
        assert!(errors[0].contains("the page of `cursor=x` leads back to an earlier page"), "{errors:?}");
    }

    #[tokio::test]
    async fn the_next_page_begins_at_the_cursor_of_this_one() {
        let server = Server::start(|request| match value(request, "cursor").as_deref() {
            None => json(200, &json!({"items": [1], "next_cursor": "x%2F"})),
            Some("x%252F") => json(200, &json!({"items": [2], "next_cursor": ""})),
            _ => panic!("{request:?}"),
        });
        assert_eq!(all::<Tokens>(&server, "cursor").await, (2, Vec::new()));
    }

    #[tokio::test]
    async fn a_server_that_does_not_go_on_is_an_error_and_no_endless_list() {
        let server = Server::start(|_| json(200, &json!({"items": [1], "next_cursor": "x"})));
        let (items, errors) = all::<Tokens>(&server, "cursor").await;
        assert_eq!((items, errors.len()), (1, 1));
        assert!(errors[0].contains("the page of `cursor=x` has the same items"), "{errors:?}");
        let server = Server::start(|_| json(200, &json!({"data": [], "has_more": true})));
        let (items, errors) = all::<Stripes>(&server, "after").await;
        assert_eq!(items, 0);
        assert!(errors[0].contains("the first page does not say where the next page begins"), "{errors:?}");
    }
}
