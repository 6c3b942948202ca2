//! A row of a benchmark's table: a measurement and its bar.

/// One row: a measurement and its bar.
#[derive(Debug)]
pub(crate) struct Row {
    pub(super) name: String,
    pub(super) measured: Option<f64>,
    pub(super) bar: Bar,
    pub(super) note: String,
}

/// The bar that a measurement must reach.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    AtMost(f64),
    AtLeast(f64),
    Below(f64),
    Exactly(f64),
    /// Shown for reference.
    None,
}

impl Bar {
    pub(super) fn holds(self, measured: f64) -> bool {
        match self {
            Self::AtMost(limit) => measured <= limit,
            Self::AtLeast(limit) => measured >= limit,
            Self::Below(limit) => measured < limit,
            Self::Exactly(value) => (measured - value).abs() < f64::EPSILON,
            Self::None => true,
        }
    }

    pub(super) fn shown(self) -> String {
        match self {
            Self::AtMost(limit) => format!("at most {limit}"),
            Self::AtLeast(limit) => format!("at least {limit}"),
            Self::Below(limit) => format!("under {limit}"),
            Self::Exactly(value) => format!("{value}"),
            Self::None => String::new(),
        }
    }
}

impl Row {
    pub(crate) fn new(name: impl Into<String>, measured: f64, bar: Bar, note: impl Into<String>) -> Self {
        Self { name: name.into(), measured: Some(measured), bar, note: note.into() }
    }

    /// A row that could not be measured here, and why.
    pub(crate) fn not_run(name: impl Into<String>, bar: Bar, why: impl Into<String>) -> Self {
        Self { name: name.into(), measured: None, bar, note: why.into() }
    }

    pub(super) fn verdict(&self) -> &'static str {
        match (self.measured, self.bar) {
            (None, _) => "not run",
            (_, Bar::None) => "",
            (Some(measured), bar) if bar.holds(measured) => "pass",
            _ => "FAIL",
        }
    }
}
