//! Calls of models, recorded with the tokens that they used.

#[cfg(feature = "async-openai")]
mod openai;
pub mod read;
mod usage;

use std::borrow::Cow;
use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Status, Tracer};
use opentelemetry_sdk::trace::Span;
use pin_project_lite::pin_project;

use super::work::current_work;
use super::{notices, pipeline};
use crate::foreign;
use crate::report::log;
pub use usage::{ReadUsage, Reading, Usage};

/// What a model is asked to do, with the names of Paid's official clients.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Messages in, a message out.
    Chat,
    /// OpenAI's Responses API; recorded as `chat`, as in the official clients.
    Responses,
    /// Anthropic's Messages API.
    Messages,
    /// Bedrock's Converse API.
    Converse,
    /// Gemini's `generateContent`.
    GenerateContent,
    /// Text in, vectors out.
    Embeddings,
    /// Text in, pictures out.
    ImageGeneration,
    /// Speech to text.
    Transcription,
    /// Text recognition in images.
    Ocr,
    /// What is not in this list, by its name in the conventions.
    Other(Cow<'static, str>),
}

impl Operation {
    /// The recorded name, `gen_ai.operation.name`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Chat | Self::Responses => "chat",
            Self::Messages => "messages",
            Self::Converse => "converse",
            Self::GenerateContent => "generate_content",
            Self::Embeddings => "embeddings",
            Self::ImageGeneration => "image_generation",
            Self::Transcription => "transcription",
            Self::Ocr => "ocr",
            Self::Other(name) => name,
        }
    }
}

/// Prepares the record of a call of a model: the provider (`openai`, `anthropic`, `bedrock`, `gemini`, ...) and the
/// operation.
///
/// ```no_run
/// use paid::trace::{Operation, genai, read};
///
/// # async fn ask() -> Result<serde_json::Value, std::io::Error> { Ok(serde_json::json!({})) }
/// # async fn example() -> Result<(), std::io::Error> {
/// // Inside a traced scope:
/// let call = genai("anthropic", Operation::Messages).request_model("claude-sonnet-4-5").start();
/// let answer = call.observe_with(ask(), read::anthropic_messages).await?;
/// # Ok(())
/// # }
/// ```
pub fn genai(provider: impl Into<Cow<'static, str>>, operation: Operation) -> GenAi {
    GenAi { provider: provider.into(), operation, request_model: None, attributes: Vec::new() }
}

/// A call of a model that has not started; see [`genai()`].
#[derive(Clone, Debug)]
#[must_use = "a call is recorded once it is started"]
pub struct GenAi {
    provider: Cow<'static, str>,
    operation: Operation,
    request_model: Option<String>,
    attributes: Vec<KeyValue>,
}

impl GenAi {
    /// Sets which model the call asks for; the answer may name another one.
    pub fn request_model(mut self, model: impl Into<String>) -> Self {
        self.request_model = Some(model.into());
        self
    }

    /// Adds an attribute, such as `gen_ai.image.count`.
    pub fn attribute(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<opentelemetry::Value>) -> Self {
        let key = match key.into() {
            Cow::Borrowed(key) => opentelemetry::Key::from_static_str(key),
            Cow::Owned(key) => opentelemetry::Key::new(key),
        };
        self.attributes.push(KeyValue::new(key, value));
        self
    }

    /// Starts the call. Outside a traced scope its costs cannot be attributed: it is counted as unattributed and not
    /// recorded.
    pub fn start(self) -> GenAiCall {
        let Some(work) = current_work() else {
            if let Some(pipeline) = pipeline::installed() {
                pipeline.exporter.counters.unattributed.add(1);
                notices::report_call_outside();
            }
            return GenAiCall { span: None, reading: Reading::default(), stores_prompts: false, has_failed: false };
        };
        let operation = self.operation.as_str();
        let mut attributes = vec![
            KeyValue::new("gen_ai.system", self.provider.clone()),
            KeyValue::new("gen_ai.provider.name", self.provider.clone()),
            KeyValue::new("gen_ai.operation.name", operation.to_owned()),
        ];
        attributes.extend(self.request_model.map(|model| KeyValue::new("gen_ai.request.model", model)));
        attributes.extend(self.attributes);
        let tracer = work.pipeline.tracer();
        let builder = tracer.span_builder(span_name(&self.provider, &self.operation)).with_attributes(attributes);
        let span = builder.start_with_context(tracer, &work.context().with_value(work.stamp()));
        GenAiCall {
            span: Some(span),
            reading: Reading::default(),
            stores_prompts: work.stores_prompts(),
            has_failed: false,
        }
    }
}

/// The name that the official Python client gives to such a span.
fn span_name(provider: &str, operation: &Operation) -> Cow<'static, str> {
    if let ("openai", Operation::Responses) = (provider, operation) {
        return "openai.responses.create".into();
    }
    match (provider, operation.as_str()) {
        ("openai", "chat") => "openai.chat.completions.create".into(),
        ("openai", "embeddings") => "openai.embeddings.create".into(),
        ("openai", "image_generation") => "openai.images.generate".into(),
        ("openai", "transcription") => "openai.audio.transcriptions.create".into(),
        ("anthropic", "messages") => "anthropic.messages.create".into(),
        ("bedrock", "converse") => "bedrock.converse".into(),
        ("gemini", "generate_content") => "gemini.models.generate_content".into(),
        ("mistral", "ocr") => "mistral.ocr.process".into(),
        (provider, operation) => format!("{provider}.{operation}").into(),
    }
}

/// A call of a model in progress. It ends when this is dropped, with what was recorded until then.
#[derive(Debug)]
#[must_use = "the call ends when this is dropped"]
pub struct GenAiCall {
    /// `None` outside traced scopes.
    span: Option<Span>,
    reading: Reading,
    stores_prompts: bool,
    has_failed: bool,
}

impl GenAiCall {
    /// Reads the model and usage from an answer, or from one chunk of a streamed answer. Later values replace earlier
    /// ones.
    pub fn record<A: ReadUsage + ?Sized>(&mut self, answer: &A) {
        self.read(|reading| answer.read_usage(reading));
    }

    /// Like [`record`](Self::record), with a function such as those in [`read`].
    pub fn record_with<A: ?Sized>(&mut self, answer: &A, read: impl FnOnce(&A, &mut Reading)) {
        self.read(|reading| read(answer, reading));
    }

    /// Reads an answer; a reader that panics must not cost the program the answer.
    fn read(&mut self, read: impl FnOnce(&mut Reading)) {
        if let Err(panic) = foreign::call(|| read(&mut self.reading)) {
            log(&format_args!("the usage of a call of a model cannot be read: its reader {panic}"));
        }
    }

    /// Sets the usage, if it cannot be read from an answer.
    pub fn usage(&mut self, usage: Usage) {
        self.reading.usage = usage;
    }

    /// What has been read so far.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Marks the call as failed. The error's text is exported only if the scope stores prompts, because it may quote
    /// them.
    pub fn fail<E: Display + ?Sized>(&mut self, error: &E) {
        self.has_failed = true;
        let Some(span) = &mut self.span else { return };
        let kind = std::any::type_name::<E>();
        let description = if self.stores_prompts { notices::text_of(error).into() } else { Cow::Borrowed(kind) };
        span.set_attribute(KeyValue::new("error.type", kind));
        span.set_status(Status::Error { description });
    }

    /// Ends the call as successful, unless it [failed](Self::fail). If the call is dropped instead, its span has no
    /// status.
    pub fn finish(mut self) {
        self.succeed();
    }

    fn succeed(&mut self) {
        if let Some(span) = self.span.as_mut().filter(|_| !self.has_failed) {
            span.set_status(Status::Ok);
        }
    }

    /// Awaits the call and records its answer or its error.
    ///
    /// # Errors
    ///
    /// The error of the call.
    pub async fn observe<A, E>(self, call: impl Future<Output = Result<A, E>>) -> Result<A, E>
    where
        A: ReadUsage,
        E: Display,
    {
        self.observe_with(call, |answer, reading| answer.read_usage(reading)).await
    }

    /// Like [`observe`](Self::observe), with a function such as those in [`read`].
    ///
    /// # Errors
    ///
    /// The error of the call.
    pub async fn observe_with<A, E: Display>(
        mut self,
        call: impl Future<Output = Result<A, E>>,
        read: impl FnOnce(&A, &mut Reading),
    ) -> Result<A, E> {
        let outcome = call.await;
        match &outcome {
            Ok(answer) => {
                self.read(|reading| read(answer, reading));
                self.succeed();
            }
            Err(error) => self.fail(error),
        }
        outcome
    }

    /// Records a streamed answer, chunk by chunk as they pass. The call ends when the stream ends or is dropped, with
    /// what was recorded until then.
    pub fn observe_stream<S, A, E>(self, stream: S) -> Observed<S, fn(&A, &mut Reading)>
    where
        S: Stream<Item = Result<A, E>>,
        A: ReadUsage,
        E: Display,
    {
        Observed { stream, call: Some(self), read: A::read_usage }
    }

    /// Like [`observe_stream`](Self::observe_stream), with a function such as those in [`read`].
    pub fn observe_stream_with<S, A, E, R>(self, stream: S, read: R) -> Observed<S, R>
    where
        S: Stream<Item = Result<A, E>>,
        E: Display,
        R: FnMut(&A, &mut Reading),
    {
        Observed { stream, call: Some(self), read }
    }
}

impl Drop for GenAiCall {
    fn drop(&mut self) {
        let Some(mut span) = self.span.take() else { return };
        for attribute in self.reading.attributes() {
            span.set_attribute(attribute);
        }
        if std::thread::panicking() {
            span.set_status(Status::error("panicked"));
        }
        span.end();
    }
}

pin_project! {
    /// A streamed answer that is recorded; see [`GenAiCall::observe_stream`].
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Observed<S, R> {
        #[pin]
        stream: S,
        call: Option<GenAiCall>,
        read: R,
    }
}

impl<S, A, E, R> Stream for Observed<S, R>
where
    S: Stream<Item = Result<A, E>>,
    E: Display,
    R: FnMut(&A, &mut Reading),
{
    type Item = Result<A, E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let item = std::task::ready!(this.stream.poll_next(context));
        match (&item, this.call.as_mut()) {
            (Some(Ok(chunk)), Some(call)) => call.read(|reading| (this.read)(chunk, reading)),
            (Some(Err(error)), Some(call)) => call.fail(error),
            (None, _) => {
                if let Some(call) = this.call.take() {
                    call.finish();
                }
            }
            (Some(_), None) => {}
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}
