pub fn send_email(lead: &Lead) -> Result<(), SdrError> {
    const _: ::core::option::Option<&str> = ::core::option_env!("PAID_SIGNALS");
    let mut __paid = ::paid::__private::Pending::start("email_sent");
    ::paid::__private::Pending::field(&mut __paid, "lead_id", &(lead.id));
    let __paid_out = ::paid::__private::call(|| -> Result<(), SdrError> {
        smtp::send(lead)
    });
    if let ::core::option::Option::Some(_) = {
        #[allow(unused_imports)]
        use ::paid::__private::outcomes::*;
        (&&::paid::__private::Probe(&__paid_out)).__paid_known_success()
    } {
        ::paid::__private::Pending::emit(__paid);
    }
    __paid_out
}
