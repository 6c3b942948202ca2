/// Books a meeting.
async fn book_meeting(&self, lead: &Lead) -> Result<Meeting, SdrError> {
    const _: ::core::option::Option<&str> = ::core::option_env!("PAID_SIGNALS");
    let mut __paid = ::paid::__private::Pending::start("meeting_booked");
    if ::paid::__private::Pending::listens(&__paid) {
        ::paid::__private::Pending::customer(
            &mut __paid,
            match &(lead.account) {
                __paid_value => {
                    #[allow(unused_imports)]
                    use ::paid::__private::ways::all::*;
                    (&&&::paid::__private::Way(__paid_value))
                        .__paid_way()
                        .customer(__paid_value)
                }
            },
        );
        ::paid::__private::Pending::field(&mut __paid, "lead_id", &(lead.id));
    }
    let __paid_out = async {
        #[allow(clippy::all)]
        if false {
            return ::paid::__private::never::<Result<Meeting, SdrError>>();
        }
        self.calendar.book(lead).await
    }
        .await;
    if let ::core::option::Option::Some(ret) = {
        #[allow(unused_imports)]
        use ::paid::__private::outcomes::*;
        (&&&&&&::paid::__private::Probe(&__paid_out)).__paid_known_success()
    } {
        if ::paid::__private::Pending::listens(&__paid) {
            ::paid::__private::Pending::field(
                &mut __paid,
                "duration_minutes",
                &(ret.minutes),
            );
        }
        ::paid::__private::Pending::emit(__paid);
    }
    __paid_out
}
