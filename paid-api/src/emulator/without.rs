//! What stands in for the modules of features that are off. A module of the same name takes its place.

pub(super) mod collector {
    //! No collector: spans exist with feature `trace` only.

    use std::sync::Arc;

    use axum::Router;

    use super::super::fault::Faults;
    use super::super::http::Take;

    #[derive(Debug, Clone, Default)]
    pub(in crate::emulator) struct Collector {}

    impl Collector {
        pub(in crate::emulator) fn routes(&self, _: Arc<Faults>, _: Take) -> Router {
            Router::new()
        }

        pub(in crate::emulator) fn reset(&self) {}
    }
}

pub(super) mod sqlite {
    //! No engine for SQL: it comes with feature `emulator-sql`.

    use super::super::analytics::{Answer, Fill, Question};
    use super::super::refusal::Refusal;

    pub(in crate::emulator) fn query(question: &Question<'_>, _: Fill<'_>) -> Result<Answer, Refusal> {
        Err(missing(question))
    }

    pub(in crate::emulator) fn check(question: &Question<'_>) -> Result<(), Refusal> {
        Err(missing(question))
    }

    fn missing(question: &Question<'_>) -> Refusal {
        let what = format!("SQL without the cargo feature emulator-sql ({})", question.place);
        Refusal::not_implemented(&what)
    }
}
