#[automatically_derived]
#[allow(deprecated)]
impl ::paid::PaidSignal for MeetingBooked {
    const NAMES: &'static [&'static ::core::primitive::str] = &["meeting_booked"];
    fn customer(&self) -> ::core::option::Option<::paid::types::CustomerAttribution> {
        let Self { account: __paid_value, .. } = self;
        ::paid::__private::role::customer({
            #[allow(unused_imports)]
            use ::paid::__private::ways::all::*;
            (&::paid::__private::Way(__paid_value)).__paid_way().customer()
        })
    }
    fn idempotency_key(&self) -> ::core::option::Option<::std::string::String> {
        let Self { meeting: __paid_value, .. } = self;
        ::paid::__private::role::idempotency_key({
            #[allow(unused_imports)]
            use ::paid::__private::ways::all::*;
            (&::paid::__private::Way(__paid_value)).__paid_way().idempotency_key()
        })
    }
    fn timestamp(&self) -> ::core::option::Option<::paid::Timestamp> {
        let Self { at: __paid_value, .. } = self;
        ::paid::__private::timestamp(__paid_value)
    }
    fn __paid_names_customer(&self) -> ::core::primitive::bool {
        ::core::matches!(self, Self { .. })
    }
    fn write_data(&self, __paid_data: &mut ::paid::signal::Data) {
        let Self { lead_id: __paid_field3, duration_minutes: __paid_field4, .. } = self;
        ::paid::signal::Data::field(__paid_data, "lead_id", __paid_field3);
        ::paid::signal::Data::field(__paid_data, "duration_minutes", __paid_field4);
    }
}
const _: () = {
    const _: ::core::option::Option<&str> = ::core::option_env!("PAID_SIGNALS");
};
