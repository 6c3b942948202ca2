//! A headless Chromium, driven over its debugging pipe: messages in JSON, each ended by a zero byte.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// One page of a browser.
pub(super) struct Browser {
    process: Child,
    commands: File,
    answers: BufReader<File>,
    /// The id of the session with the page.
    session: String,
    last: u64,
    _folder: TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Browser {
    /// `None` if there is no Chromium here.
    pub(super) fn start() -> Result<Option<Self>> {
        let is_there = |name: &&str| {
            let version = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            version.is_ok_and(|status| status.success())
        };
        let Some(name) = NAMES.into_iter().find(is_there) else { return Ok(None) };
        let folder = tempfile::tempdir()?;
        let (commands, answers) = (folder.path().join("commands"), folder.path().join("answers"));
        if !Command::new("mkfifo").args([&commands, &answers]).status()?.success() {
            bail!("mkfifo failed");
        }
        // The pipe is at the descriptors 3 and 4.
        let script = format!(
            "exec {name} --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --enable-precise-memory-info \
             --remote-debugging-pipe --user-data-dir={profile} about:blank 3<{commands} 4>{answers}",
            profile = folder.path().join("profile").display(),
            commands = commands.display(),
            answers = answers.display(),
        );
        let process = Command::new("sh").args(["-c", &script]).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let commands = OpenOptions::new().write(true).open(&commands)?;
        let answers = BufReader::new(File::open(&answers)?);
        let mut browser = Self { process, commands, answers, session: String::new(), last: 0, _folder: folder };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }))?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", &attach)?;
        browser.session = session["sessionId"].as_str().context("no session")?.to_owned();
        browser.call("Page.enable", &json!({}))?;
        Ok(Some(browser))
    }

    pub(super) fn open(&mut self, url: &str) -> Result<()> {
        self.call("Page.navigate", &json!({ "url": url })).map(drop)
    }

    /// The value of an expression in the page. A promise is waited for.
    pub(super) fn value(&mut self, expression: &str) -> Result<Value> {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call("Runtime.evaluate", &asked)?;
        if !answer["exceptionDetails"].is_null() {
            bail!("the page threw: {}", answer["exceptionDetails"]);
        }
        Ok(answer["result"]["value"].take())
    }

    /// The number that an expression has as soon as it has one.
    pub(super) fn number(&mut self, expression: &str) -> Result<f64> {
        let begun = Instant::now();
        loop {
            match self.value(expression)?.as_f64() {
                Some(number) => return Ok(number),
                None if begun.elapsed() > Duration::from_secs(10) => bail!("{expression} never became a number"),
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// The memory that the page's script holds, in MiB, after what it no longer holds is freed.
    pub(super) fn heap_mib(&mut self) -> Result<f64> {
        self.call("HeapProfiler.collectGarbage", &json!({}))?;
        let usage = self.call("Runtime.getHeapUsage", &json!({}))?;
        Ok(usage["usedSize"].as_f64().context("no usedSize")? / (1024.0 * 1024.0))
    }

    fn call(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.last += 1;
        let mut command = json!({ "id": self.last, "method": method, "params": params });
        if !self.session.is_empty() {
            command["sessionId"] = self.session.clone().into();
        }
        let mut message = command.to_string().into_bytes();
        message.push(0);
        self.commands.write_all(&message)?;
        loop {
            let mut answer = Vec::new();
            if self.answers.read_until(0, &mut answer)? == 0 {
                bail!("the browser ended");
            }
            answer.pop();
            let mut answer: Value = serde_json::from_slice(&answer)?;
            if answer["id"] == self.last {
                if !answer["error"].is_null() {
                    bail!("{method}: {}", answer["error"]);
                }
                return Ok(answer["result"].take());
            }
        }
    }
}
