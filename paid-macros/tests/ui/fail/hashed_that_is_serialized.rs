use paid::Hashed;

#[derive(serde::Serialize)]
struct Lead {
    email: Hashed<String>,
}

fn main() {
    println!("{}", Hashed::new("jane@globex.example"));
}
