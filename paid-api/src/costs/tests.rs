//! What the tests of cost records share.

pub(super) mod one_file;
