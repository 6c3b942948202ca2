/// Books a meeting.
async fn book_meeting(&self, lead: &Lead) -> Result<Meeting, SdrError> {
    #[allow(unused_imports)]
    use ::paid::__private::all::*;
    const _: ::core::option::Option<&str> = ::core::option_env!("PAID_SIGNALS");
    let mut __paid = ::paid::__private::start("meeting_booked");
    if __paid.listens {
        (&::paid::__private::Way(&(lead.account)))
            .__paid_way()
            .set_customer(&mut __paid);
        ::paid::__private::field(&mut __paid, "lead_id", &(lead.id));
    }
    let __paid_out = async {
        #[allow(clippy::all)]
        if false {
            return ::paid::__private::never::<Result<Meeting, SdrError>>();
        }
        self.calendar.book(lead).await
    }
        .await;
    if let ::core::option::Option::Some(ret) = (&&::paid::__private::Probe(&__paid_out))
        .__paid_known_success()
    {
        if __paid.listens {
            ::paid::__private::field(&mut __paid, "duration_minutes", &(ret.minutes));
        }
        ::paid::__private::send(__paid);
    }
    __paid_out
}
