#![allow(dead_code)]

pub enum Result {
    Won,
    Lost,
}

#[paid::signal("game_played")]
fn play(won: bool) -> Result {
    if won { Result::Won } else { Result::Lost }
}

fn main() {}
