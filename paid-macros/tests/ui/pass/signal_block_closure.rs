#![allow(dead_code)]

fn parsed(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

fn returned(base: u32) -> impl Fn(u32) -> Option<u32> {
    paid::signal_block!("added", customer = "acme", data(number, sum = *ret), move |number| base.checked_add(number))
}

fn work(texts: &[&str]) -> usize {
    let parsed_all = texts.iter().map(paid::signal_block!("counted", customer = "acme", |text| parsed(text)));
    let typed = paid::signal_block!("counted", customer = "acme", |text: &str, more: &mut u32| -> Result<(), std::num::ParseIntError> {
        *more += parsed(text)?;
        Ok(())
    });
    let mut sum = 0;
    typed("7", &mut sum).ok();
    let _future = paid::signal_block!("counted", customer = "acme", |text: &'static str| async move { parsed(text) })("7");
    let _async = paid::signal_block!("counted", customer = "acme", async |text: &str| -> Result<u32, std::num::ParseIntError> {
        let number = parsed(text)?;
        Ok(number)
    });
    let nothing = paid::signal_block!("counted", customer = "acme", || ());
    nothing();
    parsed_all.filter(Result::is_ok).count()
}

fn main() {}
