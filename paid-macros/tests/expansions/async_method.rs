/// Books a meeting.
async fn book_meeting(&self, lead: &Lead) -> Result<Meeting, SdrError> {
    let mut __paid = ::paid::__private::Pending::start("meeting_booked");
    if __paid.listens() {
        match &(lead.account) {
            value => {
                __paid
                    .customer({
                        #[allow(unused_imports)]
                        use ::paid::__private::ways::all::*;
                        (&&&::paid::__private::Way(value)).__paid_way().customer(value)
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
    if let ::core::result::Result::Ok(ret) = &__paid_out {
        if __paid.listens() {
            __paid.field("duration_minutes", &(ret.minutes));
        }
        __paid.emit();
    }
    __paid_out
}
