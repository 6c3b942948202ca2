#![allow(dead_code)]

struct Response {
    status: u16,
}

#[paid::signal("page_read", success = |response| response.status < 400, data(status = ret.status))]
fn read() -> Response {
    Response { status: 404 }
}

fn main() {}
