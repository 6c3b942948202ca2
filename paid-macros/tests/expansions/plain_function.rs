pub fn send_email(lead: &Lead) -> Result<(), SdrError> {
    #[allow(unused_imports)]
    use ::paid::__private::all::*;
    const _: ::core::option::Option<&str> = ::core::option_env!("PAID_SIGNALS");
    let mut __paid = ::paid::__private::start("email_sent");
    if __paid.listens {
        ::paid::__private::field(&mut __paid, "lead_id", &(lead.id));
    }
    let __paid_out = ::paid::__private::call(|| -> Result<(), SdrError> {
        smtp::send(lead)
    });
    if let ::core::option::Option::Some(_) = (&&::paid::__private::Probe(&__paid_out))
        .__paid_known_success()
    {
        ::paid::__private::send(__paid);
    }
    __paid_out
}
