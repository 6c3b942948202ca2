#[automatically_derived]
impl ::paid::PaidSignal for MeetingBooked {
    const NAMES: &'static [&'static str] = &["meeting_booked"];
    fn customer(&self) -> ::core::option::Option<::paid::types::CustomerAttribution> {
        match self {
            Self { account: value, .. } => {
                ::paid::__private::customer({
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
    }
    fn idempotency_key(&self) -> ::core::option::Option<::std::string::String> {
        match self {
            Self { meeting: value, .. } => {
                {
                    #[allow(unused_imports)]
                    use ::paid::__private::kind::ways::*;
                    (&&&&&::paid::__private::As::<::paid::__private::Key, _>::new(value))
                        .kind()
                        .text(value)
                }
                    .map(::std::borrow::Cow::into_owned)
            }
        }
    }
    fn timestamp(&self) -> ::core::option::Option<::paid::Timestamp> {
        match self {
            Self { at: value, .. } => {
                ::paid::signal::value::AsTimestamp::as_timestamp(value)
            }
        }
    }
    fn write_data(&self, data: &mut ::paid::signal::Data) {
        match self {
            Self { lead_id: field3, duration_minutes: field4, .. } => {
                ::paid::__private::write_field(data, "lead_id", field3);
                ::paid::__private::write_field(data, "duration_minutes", field4);
            }
        }
    }
}
