pub fn send_email(lead: &Lead) -> Result<(), SdrError> {
    let mut __paid = ::paid::__private::Pending::start("email_sent");
    if __paid.listens() {
        __paid.field("lead_id", &(lead.id));
    }
    let __paid_out = ::paid::__private::call(|| -> Result<(), SdrError> {
        smtp::send(lead)
    });
    if let ::core::result::Result::Ok(_) = &__paid_out {
        __paid.emit();
    }
    __paid_out
}
