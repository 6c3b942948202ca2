fn main() {
    let number = paid::signal_block!("counted", customer = "acme", {
        let number: u32 = "7".parse()?;
        Ok(number)
    });
    println!("{}", number.is_ok());
}
