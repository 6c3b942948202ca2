async fn costs(client: paid::Client) -> Result<(), paid::Error> {
    let costs = client.costs().list().await?;
    println!("{costs:?}");
    Ok(())
}

fn main() {}
