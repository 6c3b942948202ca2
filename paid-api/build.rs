//! Does nothing: cargo wants a build script beside `links`, which keeps two versions of this package out of one program.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
