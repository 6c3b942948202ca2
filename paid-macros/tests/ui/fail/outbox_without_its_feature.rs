fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emitter = paid::Emitter::builder(paid::Client::from_env()?).outbox("/var/lib/agent").build()?;
    paid::install(emitter);
    Ok(())
}
