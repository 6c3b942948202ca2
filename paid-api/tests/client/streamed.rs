//! Answers that are read as they arrive.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use futures_util::StreamExt;
use paid::{Error, Method, RetryPolicy};

use super::{KEY, builder, client};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/csv; charset=utf-8\r\nx-request-id: r1\r\n";

/// A server that does something else on each connection.
fn server(act: impl Fn(usize, &mut TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
                head.push(byte[0]);
            }
            act(number, &mut stream);
        }
    });
    url
}

fn say(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).unwrap();
    stream.flush().unwrap();
}

/// Says the first half, waits until it is told to go on, then says the second.
fn in_halves(go_on: Receiver<()>) -> String {
    server(move |_, stream| {
        say(stream, &format!("{HEAD}content-length: 8\r\n\r\n1,2\n"));
        go_on.recv().unwrap();
        say(stream, "3,4\n");
    })
}

#[tokio::test]
async fn pieces_arrive_before_the_end() {
    let (tell, go_on) = channel();
    let url = in_halves(go_on);
    let mut body = client(&url).request(Method::GET, "/export").send_streaming().await.unwrap();
    assert_eq!(body.status(), 200);
    assert_eq!(body.content_type(), Some("text/csv; charset=utf-8"));
    assert_eq!(body.content_length(), Some(8));
    assert_eq!((body.request_id(), body.attempts()), (Some("r1"), 1));
    assert_eq!(body.next_piece().await.unwrap().unwrap(), "1,2\n", "the second half is not sent yet");
    tell.send(()).unwrap();
    assert_eq!(body.next_piece().await.unwrap().unwrap(), "3,4\n");
    assert!(body.next_piece().await.is_none());
    assert!(body.next_piece().await.is_none(), "nothing follows the end");
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_an_error_and_no_short_success() {
    for (framing, sent) in
        [("content-length: 8\r\n\r\n", "1,2\n"), ("transfer-encoding: chunked\r\n\r\n", "4\r\n1,2\n\r\n")]
    {
        let url = server(move |_, stream| say(stream, &format!("{HEAD}{framing}{sent}")));
        // A request that may be repeated is not repeated once a piece is given out.
        let call = client(&url).request(Method::GET, "/export").retry(RetryPolicy::default());
        let mut items: Vec<_> = call.send_streaming().await.unwrap().collect().await;
        let error = items.pop().unwrap().unwrap_err();
        assert!(matches!(error, Error::Decode(_)) && error.to_string().contains("cut off"), "{framing:?}: {error}");
        let whole: Vec<_> = items.into_iter().map(Result::unwrap).collect();
        assert_eq!(whole.concat(), b"1,2\n", "{framing:?}");
    }
}

#[tokio::test]
async fn before_the_first_piece_a_request_is_repeated_if_it_may_be() {
    let url = server(|number, stream| match number {
        0 => say(stream, "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        1 => say(stream, &format!("{HEAD}content-length: 4\r\n\r\n")),
        _ => say(stream, &format!("{HEAD}content-length: 4\r\nconnection: close\r\n\r\n1,2\n")),
    });
    let quick = RetryPolicy::default().delays(Duration::from_millis(1), Duration::from_millis(2));
    let body = client(&url).request(Method::GET, "/export").retry(quick.clone()).send_streaming().await.unwrap();
    assert_eq!(body.attempts(), 3);
    assert_eq!(body.map(Result::unwrap).collect::<Vec<_>>().await.concat(), b"1,2\n");

    let url = server(|_, stream| say(stream, &format!("{HEAD}content-length: 4\r\n\r\n")));
    let error = client(&url).request(Method::POST, "/export").retry(quick).send_streaming().await.unwrap_err();
    assert!(matches!(error, Error::Decode(_)), "a POST may be done: {error}");
}

#[tokio::test]
async fn the_timeout_limits_each_wait_and_not_the_whole() {
    let url = server(|_, stream| {
        say(stream, &format!("{HEAD}content-length: 6\r\n\r\n"));
        for _ in 0..6 {
            say(stream, "x");
            std::thread::sleep(Duration::from_millis(150));
        }
    });
    let slow = builder(&url).timeout(Duration::from_millis(600)).build().unwrap();
    let body = slow.request(Method::GET, "/slow").send_streaming().await.unwrap();
    assert_eq!(body.map(Result::unwrap).collect::<Vec<_>>().await.concat(), b"xxxxxx");

    let (tell, go_on) = channel();
    let url = in_halves(go_on);
    let quick = builder(&url).timeout(Duration::from_millis(200)).build().unwrap();
    let mut body = quick.request(Method::GET, "/stalls").send_streaming().await.unwrap();
    assert!(body.next_piece().await.unwrap().is_ok());
    let error = body.next_piece().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("within 200ms"), "{error}");
    assert!(body.next_piece().await.is_none(), "an error is the last item");
    tell.send(()).unwrap();

    let silent = server(|_, _| std::thread::sleep(Duration::from_secs(2)));
    let quick = builder(&silent).timeout(Duration::from_millis(100)).build().unwrap();
    let error = quick.request(Method::GET, "/silent").send_streaming().await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn a_status_is_the_usual_error_and_an_empty_body_the_end() {
    let url = server(|number, stream| match number {
        0 => say(
            stream,
            "HTTP/1.1 404 Gone\r\nx-request-id: r2\r\ncontent-length: 16\r\nconnection: close\r\n\r\n{\"error\":\"gone\"}",
        ),
        1 => say(stream, "HTTP/1.1 204 Nothing\r\nconnection: close\r\n\r\n"),
        _ => say(stream, &format!("{HEAD}echo: {KEY}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")),
    });
    let call = || client(&url).request(Method::GET, "/export");
    match call().send_streaming().await.unwrap_err() {
        Error::Api(error) => {
            assert_eq!((error.status.as_u16(), error.message.as_deref()), (404, Some("gone")));
            assert_eq!(error.request_id.as_deref(), Some("r2"));
        }
        other => panic!("{other:?}"),
    }
    assert!(call().send_streaming().await.unwrap().next_piece().await.is_none());
    let mut body = call().send_streaming().await.unwrap();
    assert!(!format!("{:?} {body:?}", body.headers()).contains(KEY));
    assert!(body.next_piece().await.is_none());
}

#[tokio::test]
async fn what_is_larger_than_the_limit_of_answers_is_streamed_all_the_same() {
    let large = "x".repeat(300_000);
    let url = server(move |_, stream| say(stream, &format!("{HEAD}content-length: 300000\r\n\r\n{large}")));
    let small = builder(&url).max_response_bytes(1000).build().unwrap();
    let body = small.request(Method::GET, "/export").send_streaming().await.unwrap();
    assert_eq!(body.map(|piece| piece.unwrap().len()).collect::<Vec<_>>().await.iter().sum::<usize>(), 300_000);
}
