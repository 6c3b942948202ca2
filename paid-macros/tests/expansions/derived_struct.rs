#[automatically_derived]
impl ::paid::PaidSignal for MeetingBooked {
    const NAMES: &'static [&'static str] = &["meeting_booked"];
    fn customer(&self) -> ::core::option::Option<::paid::types::CustomerAttribution> {
        let value = &self.account;
        ::paid::__private::role::customer({
            #[allow(unused_imports)]
            use ::paid::__private::ways::all::*;
            (&&&::paid::__private::Way(value)).__paid_way().customer(value)
        })
    }
    fn idempotency_key(&self) -> ::core::option::Option<::std::string::String> {
        let value = &self.meeting;
        ::paid::__private::role::idempotency_key({
            #[allow(unused_imports)]
            use ::paid::__private::ways::all::*;
            (&&&::paid::__private::Way(value)).__paid_way().idempotency_key(value)
        })
    }
    fn timestamp(&self) -> ::core::option::Option<::paid::Timestamp> {
        let value = &self.at;
        ::paid::__private::timestamp(value)
    }
    fn write_data(&self, data: &mut ::paid::signal::Data) {
        data.field("lead_id", &self.lead_id);
        data.field("duration_minutes", &self.duration_minutes);
    }
}
