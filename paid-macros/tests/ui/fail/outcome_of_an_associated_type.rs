trait Job {
    type Out<T>;
    fn run(&self) -> Self::Out<u8>;
}

struct Runner<J>(J);

impl<J: Job> Runner<J> {
    #[paid::signal("job_done")]
    fn run(&self) -> J::Out<u8> {
        self.0.run()
    }
}

fn main() {}
