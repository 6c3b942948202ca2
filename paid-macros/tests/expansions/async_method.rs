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
    let __paid_out = async {
        #[allow(clippy::all)]
        if false {
            return ::paid::__private::never::<Result<Meeting, SdrError>>();
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
