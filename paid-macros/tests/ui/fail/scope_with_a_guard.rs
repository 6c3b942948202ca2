fn main() {
    let _guard = paid::scope().customer("acme").enter();
}
