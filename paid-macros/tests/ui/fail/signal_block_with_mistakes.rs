fn main() {
    let sent: u32 = paid::signal_block!("Email Sent", custommer = "acme", data(1), { 7 });
    let add = paid::signal_block!("email_sent", customer = "", |number: u32| number + sent);
    println!("{}", add(1));
}
