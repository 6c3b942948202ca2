pub fn send_email(lead: &Lead) -> Result<(), SdrError> {
    #[allow(unexpected_cfgs)]
    const _: () = {
        #[cfg(rust_analyzer)]
        use ::paid::__private::keys::data as _;
    };
    let mut __paid = ::paid::__private::Pending::start("email_sent");
    if let ::core::option::Option::Some(__paid) = &mut __paid {
        __paid.field("lead_id", &(lead.id));
    }
    let __paid_out = ::paid::__private::call(|| -> Result<(), SdrError> {
        smtp::send(lead)
    });
    if let ::core::result::Result::Ok(_) = {
        #[allow(unused_imports)]
        use ::paid::__private::{OfAnything as _, OfResult as _};
        (&::paid::__private::Probe(&__paid_out)).outcome()
    } {
        match __paid {
            ::core::option::Option::Some(__paid) => {
                __paid.emit();
            }
            ::core::option::Option::None => ::paid::__private::lost("email_sent"),
        }
    }
    __paid_out
}
