//! A story: everything that happens in one simulation, as plain data that is made from a seed, shown, and shrunk.

use std::fmt;

/// One simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// Seeds the scheduler, the delays of the server, and the backoff.
    pub seed: u64,
    /// How the emitter is set up, and how busy the machine is.
    pub setup: Setup,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One step, and how long it lets pass before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Milliseconds since the step before.
    pub after: u32,
    /// What is done.
    pub action: Action,
}

/// How the emitter is set up, and how busy the machine is.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// What is delivered.
    pub kind: Kind,
    /// Whether cost records are sent again that Paid may have.
    pub resends: bool,
    /// When the outbox is synced; `None` if there is no outbox.
    pub outbox: Option<Sync>,
    /// What a full queue does.
    pub overflow: Overflow,
    /// The limit of the queue in signals.
    pub queue: usize,
    /// The limit of the queue in bytes.
    pub queue_bytes: usize,
    /// The limit of a request in signals.
    pub batch: usize,
    /// The limit of a request in bytes.
    pub batch_bytes: usize,
    /// Milliseconds.
    pub linger: u32,
    /// The bounds of the first and of every wait before a retry, in milliseconds.
    pub retry: (u32, u32),
    /// Milliseconds.
    pub patience: u32,
    /// Requests at once.
    pub in_flight: usize,
    /// Whether the later signals of a customer wait for one that is set aside.
    pub keeps_order: bool,
    /// What the user's error hook does.
    pub hook: Hook,
    /// How often background work is interrupted, in percent.
    pub interrupted: u32,
    /// How long an interruption lasts at most, in microseconds.
    pub pause: u32,
    /// Milliseconds since 1970 when the story begins.
    pub begins: i64,
}

/// What is delivered in a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Signals, emitted by the program.
    Signals,
    /// Cost records.
    Costs,
    /// Spans.
    Spans,
    /// Signals in the messages of a stream, which are forwarded.
    Messages,
}

/// When an outbox is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// As soon as there is a record.
    EveryCommit,
    /// After so many milliseconds.
    Every(u32),
    /// When the operating system likes.
    Never,
}

/// What a full queue does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Refuses the signal.
    Reject,
    /// Lets callers wait.
    Wait,
    /// Drops the oldest.
    DropOldest,
}

/// What the user's error hook does besides counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Nothing.
    Quiet,
    /// Panics.
    Panics,
    /// Emits a signal about the failure.
    Emits,
}

/// One or more signals that are emitted together.
#[derive(Clone, Debug, PartialEq)]
pub struct Burst {
    /// The number of the first; the next ones follow.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// Whose.
    pub customer: u8,
    /// What Paid thinks of them.
    pub nature: Nature,
    /// Bytes of data in each.
    pub size: usize,
    /// How they are emitted.
    pub how: How,
}

/// What Paid thinks of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// It is fine.
    Good,
    /// 400 for every batch that holds it.
    Refused,
    /// 200, but counted as failed.
    Failed,
    /// 500 for every batch that holds it, until the end of the story.
    Poison,
    /// It is fine, and a span that is a signal.
    Signal,
    /// It is a message that is not a signal.
    Junk,
}

/// How a signal is emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// `emit`, and the receipt is awaited.
    Emit,
    /// `emit`, and the receipt is dropped.
    Forget,
    /// `send`.
    Send,
    /// `send`, given up after some milliseconds.
    SendFor(u32),
    /// `store`.
    Store,
    /// `store`, given up after some milliseconds.
    StoreFor(u32),
}

/// What is done in a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Signals are emitted.
    Emit(Burst),
    /// `flush` with this timeout in milliseconds, and given up earlier if the second is less.
    Flush(u32, u32),
    /// `shutdown` with this timeout in milliseconds, and given up earlier if the second is less.
    Shutdown(u32, u32),
    /// The handle is dropped.
    Drop,
    /// The process will be killed.
    Arm(Kill),
    /// The process starts anew, and is killed first if it still runs.
    Start,
    /// The wall clock jumps by so many milliseconds.
    Clock(i64),
    /// Paid begins to behave like this.
    Server(Mode),
    /// Something happens to the disk.
    Disk(DiskFault),
    /// The dead letters are sent again, for this many milliseconds.
    Resubmit(u32),
    /// The dead letters of the signals whose number leaves this rest when it is divided by three are discarded.
    Discard(u32),
    /// The forwarder is told to stop.
    Stop,
    /// A forwarder starts, unless one runs.
    Forward,
    /// Something happens to the stream.
    Stream(StreamFault),
    /// The program itself emits signals, beside the forwarder.
    Beside(Burst),
    /// The thread that delivers panics when it next takes records from the queue.
    Break,
    /// Nothing.
    Wait,
}

/// What happens to the stream of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamFault {
    /// Everything works again.
    Heals,
    /// So many acknowledgements fail.
    AcksFail(u32),
    /// So many acknowledgements get lost, and nobody hears of it.
    AcksLost(u32),
    /// No acknowledgement arrives, nor fails.
    AcksHang,
    /// So many in a hundred messages are delivered twice.
    Doubles(u32),
    /// Every message takes so many milliseconds.
    Slow(u32),
    /// It cannot be read.
    Breaks,
    /// It ends.
    Ends,
}

/// How and when a process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// Whether the machine loses its power: then what was not synced may be lost.
    pub power: bool,
    /// When.
    pub when: When,
}

/// The moment of a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// After so many steps of the background.
    Steps(u32),
    /// Within the n-th access to the disk.
    Disk(u32),
    /// When a `store` is next answered.
    Stored,
    /// When a receipt is next answered.
    Receipt,
    /// When a flush is next answered.
    Flushed,
    /// When Paid next has taken a batch in, before it answers.
    TakenIn,
}

/// How Paid behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Answers within some milliseconds.
    Healthy,
    /// Answers after so many milliseconds.
    Slow(u32),
    /// Cannot be reached.
    Unreachable,
    /// Answers every request with this status.
    Status(u16),
    /// Answers 429 and asks to wait so many seconds.
    Asks(u32),
    /// Takes the batch in or not, and the answer is lost.
    Silent(bool),
    /// Does not answer for half a minute; then the client gives up.
    Hangs,
    /// Never answers, and the client never gives up.
    Stuck,
    /// Answers 413 to more than so many signals at once.
    TooLarge(u32),
    /// Says what is not true.
    Lies(Lie),
    /// The sink panics.
    Panics(bool),
    /// Another of these for every request.
    Moody,
}

/// What is not true in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// It took all in, but counts one less.
    OneLess,
    /// It took all in, but counts none.
    None,
    /// It took all in, but counts all as failed.
    AllFailed,
    /// It took nothing in, but counts all.
    NotTaken,
    /// The counts are larger than a batch can be.
    Huge,
}

/// What happens to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// Everything works again.
    Heals,
    /// It is full after so many more bytes.
    Full(u32),
    /// So many accesses work, and then so many fail.
    Fails(u32, u32),
    /// Nothing can be written.
    ReadOnly,
    /// The dead letters cannot be written.
    LettersFail,
    /// Someone deletes every file.
    Deleted,
    /// A bit of a file flips: which file, and where in 1/65536 of it.
    Flip(u8, u16),
    /// A file is cut: which file, and where in 1/65536 of it.
    Cut(u8, u16),
    /// A bit flips in the heads of a frame and of its first record: which frame, and where.
    FlipHead(u8, u16),
}

impl DiskFault {
    /// Whether it voids what was promised about the files.
    pub(crate) fn is_damage(self) -> bool {
        matches!(self, Self::Deleted | Self::Flip(..) | Self::Cut(..) | Self::FlipHead(..))
    }

    /// Whether only the dead letters are concerned. When they cannot be written, that holds up nothing else.
    pub(crate) fn is_of_letters(self) -> bool {
        matches!(self, Self::Heals | Self::LettersFail)
    }
}

impl Story {
    /// Whether something happens to the files that voids what was promised about them.
    pub fn is_damaged(&self) -> bool {
        self.has(|action| matches!(action, Action::Disk(fault) if fault.is_damage()))
    }

    /// Whether an action of this kind is in it.
    pub fn has(&self, is: impl Fn(&Action) -> bool) -> bool {
        self.steps.iter().any(|step| is(&step.action))
    }
}

impl fmt::Display for Story {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let setup = &self.setup;
        writeln!(formatter, "Setup: {}", setup.in_words())?;
        let mut at = 0_u64;
        for (number, step) in self.steps.iter().enumerate() {
            at += u64::from(step.after);
            let (seconds, ms) = (at / 1000, at % 1000);
            writeln!(formatter, "{:>3}. {seconds:>5}.{ms:03} s  {}", number + 1, step.action)?;
        }
        Ok(())
    }
}

impl Setup {
    /// Whether cost records are sent, not signals.
    pub fn is_of_costs(&self) -> bool {
        self.kind == Kind::Costs
    }

    /// Whether spans are exported.
    pub fn is_of_spans(&self) -> bool {
        self.kind == Kind::Spans
    }

    /// Whether messages are forwarded.
    pub fn is_of_messages(&self) -> bool {
        self.kind == Kind::Messages
    }

    fn in_words(&self) -> String {
        let outbox = self.outbox.map_or_else(|| "no outbox".to_owned(), |sync| format!("an outbox ({sync:?})"));
        let what = match (self.kind, self.resends) {
            (Kind::Signals, _) => "",
            (Kind::Costs, false) => "cost records; ",
            (Kind::Costs, true) => "cost records, sent again when in doubt; ",
            (Kind::Spans, _) => "spans; ",
            (Kind::Messages, _) => "messages that are forwarded; ",
        };
        format!(
            "{what}{outbox}; a queue of {} signals and {} bytes, {:?}; requests of {} signals and {} bytes, {} at once; \
             linger {} ms, retries after {} to {} ms, patience {} ms; {} order; a hook that is {:?}; work is interrupted {} times in \
             100 for up to {} us; the clock begins at {} ms",
            self.queue,
            self.queue_bytes,
            self.overflow,
            self.batch,
            self.batch_bytes,
            self.in_flight,
            self.linger,
            self.retry.0,
            self.retry.1,
            self.patience,
            if self.keeps_order { "strict" } else { "loose" },
            self.hook,
            self.interrupted,
            self.pause,
            self.begins,
        )
    }
}

impl fmt::Display for Burst {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.how {
            How::Emit => "emit".to_owned(),
            How::Forget => "emit and forget".to_owned(),
            How::Send => "send".to_owned(),
            How::SendFor(ms) => format!("send, given up after {ms} ms,"),
            How::Store => "store".to_owned(),
            How::StoreFor(ms) => format!("store, given up after {ms} ms,"),
        };
        let nature = match self.nature {
            Nature::Good => "",
            Nature::Refused => " that Paid refuses",
            Nature::Failed => " that Paid counts as failed",
            Nature::Poison => " that makes Paid answer 500",
            Nature::Signal => " as a span",
            Nature::Junk => " that is no signal",
        };
        write!(formatter, "{how} signal {}", self.first)?;
        if self.count > 1 {
            write!(formatter, " to {}", self.first + self.count - 1)?;
        }
        write!(formatter, " of customer {}, {} bytes,{nature}", self.customer, self.size)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = |within: u32, given_up: u32| {
            if given_up < within {
                format!(" of {within} ms, given up after {given_up} ms")
            } else {
                format!(" of {within} ms")
            }
        };
        match self {
            Self::Emit(burst) => write!(formatter, "{burst}"),
            Self::Flush(within, given_up) => write!(formatter, "flush{}", until(*within, *given_up)),
            Self::Shutdown(within, given_up) => write!(formatter, "shutdown{}", until(*within, *given_up)),
            Self::Drop => formatter.write_str("drop the handle"),
            Self::Arm(kill) => {
                let what = if kill.power { "loses its power" } else { "is killed" };
                let when = match kill.when {
                    When::Steps(steps) => format!("after {steps} more steps of the background"),
                    When::Disk(accesses) => format!("within access {accesses} to the disk"),
                    When::Stored => "when a `store` is answered".to_owned(),
                    When::Receipt => "when a receipt is answered".to_owned(),
                    When::Flushed => "when a flush is answered".to_owned(),
                    When::TakenIn => "when Paid has taken a batch in".to_owned(),
                };
                write!(formatter, "from here on: the process {what} {when}")
            }
            Self::Start => formatter.write_str("the process ends, if it has not, and starts anew"),
            Self::Clock(ms) => write!(formatter, "the wall clock jumps by {ms} ms"),
            Self::Server(mode) => write!(formatter, "from here on, Paid is {mode:?}"),
            Self::Disk(fault) => write!(formatter, "the disk: {fault:?}"),
            Self::Resubmit(within) => write!(formatter, "send the dead letters again, for {within} ms"),
            Self::Discard(rest) => write!(formatter, "discard the dead letters with the rest {rest} by three"),
            Self::Stop => formatter.write_str("the forwarder is told to stop"),
            Self::Forward => formatter.write_str("a forwarder starts, unless one runs"),
            Self::Stream(fault) => write!(formatter, "the stream: {fault:?}"),
            Self::Beside(burst) => write!(formatter, "beside the forwarder: {burst}"),
            Self::Break => formatter.write_str("from here on: the thread panics when it next takes records"),
            Self::Wait => formatter.write_str("wait"),
        }
    }
}
