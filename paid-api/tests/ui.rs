//! What does not compile, and with which words. `TRYBUILD=overwrite` writes the words anew; read them.

#[test]
fn an_amendment_without_the_hash_of_a_plan_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/amendment_*.rs");
}
