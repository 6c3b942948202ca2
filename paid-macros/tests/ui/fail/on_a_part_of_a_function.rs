fn main() {
    let number = 7;
    #[paid::signal("email_sent")]
    {
        println!("{number}");
    }
    #[paid::signal("email_sent")]
    if number > 1 {
        println!("{number}");
    }
    #[paid::trace]
    let _later = async { number };
}
