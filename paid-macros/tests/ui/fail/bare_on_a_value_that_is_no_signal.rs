struct Meeting;

#[paid::signal]
fn work() -> Result<Meeting, ()> {
    Ok(Meeting)
}

fn main() {}
