/// Books a meeting.
async fn book_meeting(&self, lead: &Lead) -> Result<Meeting, SdrError> {
    #[allow(unexpected_cfgs)]
    const _: () = {
        #[cfg(rust_analyzer)]
        use ::paid::__private::keys::customer as _;
        #[cfg(rust_analyzer)]
        use ::paid::__private::keys::data as _;
    };
    let mut __paid = ::paid::__private::Pending::start("meeting_booked");
    if let ::core::option::Option::Some(__paid) = &mut __paid {
        match &(lead.account) {
            value => {
                __paid
                    .customer({
                        #[allow(unused_imports)]
                        use ::paid::__private::kind::ways::*;
                        (&&&&&::paid::__private::As::<
                            ::paid::__private::Customer,
                            _,
                        >::new(value))
                            .kind()
                            .text(value)
                    })
            }
        }
        __paid.field("lead_id", &(lead.id));
    }
    let __paid_out = async move {
        #[allow(
            unreachable_code,
            unused_variables,
            clippy::all,
            clippy::pedantic,
            clippy::nursery
        )]
        if false {
            let __paid_returned: Result<Meeting, SdrError> = loop {};
            return __paid_returned;
        }
        self.calendar.book(lead).await
    }
        .await;
    if let ::core::result::Result::Ok(ret) = {
        #[allow(unused_imports)]
        use ::paid::__private::{OfAnything as _, OfResult as _};
        (&::paid::__private::Probe(&__paid_out)).outcome()
    } {
        match __paid {
            ::core::option::Option::Some(mut __paid) => {
                __paid.field("duration_minutes", &(ret.minutes));
                __paid.emit();
            }
            ::core::option::Option::None => ::paid::__private::lost("meeting_booked"),
        }
    }
    __paid_out
}
