//! The pool: what to copy. Each worker takes a job, works, and goes on; the annotation bills what succeeded.

use std::sync::Arc;

use anyhow::Result;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, channel};

const WORKERS: usize = 3;

/// What a queue hands out. The id is the same for each try of a job.
pub(crate) struct Job {
    id: &'static str,
    account: &'static str,
    pages: u32,
}

/// In place of your own queue: one job that fails, and one that comes twice.
pub(crate) fn jobs() -> Vec<Job> {
    let job = |id, account, pages| Job { id, account, pages };
    vec![job("r-1", "acme", 3), job("r-2", "acme", 0), job("r-3", "globex", 8), job("r-1", "acme", 3)]
}

/// Does all jobs.
pub(crate) async fn run(jobs: Vec<Job>) -> Result<()> {
    let (sender, receiver) = channel(100);
    let receiver = Arc::new(Mutex::new(receiver));
    let workers: Vec<_> = (0..WORKERS).map(|_| paid::spawn(worker(Arc::clone(&receiver)))).collect();
    for job in jobs {
        sender.send(job).await?;
    }
    drop(sender);
    for worker in workers {
        worker.await?;
    }
    Ok(())
}

async fn worker(jobs: Arc<Mutex<Receiver<Job>>>) {
    loop {
        let next = jobs.lock().await.recv().await;
        let Some(job) = next else { return };
        match write_report(&job).await {
            Ok(report) => println!("{}: {} pages for {}", job.id, report.pages, job.account),
            Err(problem) => println!("{}: {problem}, which bills nothing", job.id),
        }
    }
}

struct Report {
    pages: u32,
}

/// The work. The job's id is the key, so that a second try bills nothing again.
#[paid::signal("report_written", customer = job.account, idempotency_key = job.id, data(pages = ret.pages))]
async fn write_report(job: &Job) -> Result<Report, String> {
    match job.pages {
        0 => Err("there is nothing to report".to_owned()),
        pages => Ok(Report { pages }),
    }
}
