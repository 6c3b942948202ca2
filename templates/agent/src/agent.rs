//! The work. It names no customer: its scope does.

/// What there is to do.
pub struct Task {
    pub id: String,
}

/// What came of it.
pub struct Done {
    pub seconds: u32,
}

/// A task that is done is billed once, however often it is tried: its id is the key.
#[paid::signal("task_completed", idempotency_key = task.id, data(task_id = task.id, seconds = ret.seconds))]
pub async fn work_on(task: &Task) -> Result<Done, String> {
    if task.id.is_empty() {
        return Err("a task without an id".into());
    }
    Ok(Done { seconds: 12 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_is_done_is_billed_and_one_that_failed_is_not() {
        let recorder = paid::testing::Recorder::new();
        let work = async {
            work_on(&Task { id: "task-1".into() }).await.unwrap();
            assert!(work_on(&Task { id: String::new() }).await.is_err());
            paid::assert_emitted!("task_completed", data.task_id == "task-1", customer == "acme");
        };
        recorder.run(paid::scope().customer("acme").run(work)).await;
        assert_eq!(recorder.signals().len(), 1);
    }
}
