#![allow(dead_code)]

async fn fetch(id: u32) -> Result<String, std::io::Error> {
    Ok(id.to_string())
}

fn spawned<F: Future + Send + 'static>(_: F) {}

async fn work(id: u32, name: String) -> Result<(), std::io::Error> {
    let page = paid::signal_block!("page_read", customer = name, data(length = ret.len()), async { fetch(id).await }).await?;
    let longer = paid::signal_block!("page_read", customer = name, async -> Result<String, std::io::Error> {
        let other = fetch(id + 1).await?;
        if other.is_empty() {
            return Ok(page);
        }
        Ok(other + &page)
    });
    println!("{}", longer.await?);
    spawned(paid::signal_block!("page_read", customer = name, async move { fetch(name.len() as u32).await }));
    Ok(())
}

fn main() {}
