//! The guides by name.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guide {
    FirstRequest,
    Authentication,
    Scopes,
    Limits,
    Pagination,
    Idempotency,
    Errors,
    Rotation,
    Versions,
}

impl Guide {
    pub const ALL: [Self; 9] = [
        Self::FirstRequest,
        Self::Authentication,
        Self::Scopes,
        Self::Limits,
        Self::Pagination,
        Self::Idempotency,
        Self::Errors,
        Self::Rotation,
        Self::Versions,
    ];

    pub fn id(self) -> &'static str {
        match self {
            Self::FirstRequest => "first-call",
            Self::Authentication => "authentication",
            Self::Scopes => "scopes",
            Self::Limits => "limits",
            Self::Pagination => "pages",
            Self::Idempotency => "repeats",
            Self::Errors => "errors",
            Self::Rotation => "rotate",
            Self::Versions => "versions",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::FirstRequest => "First request",
            Self::Authentication => "Authentication",
            Self::Scopes => "Scopes",
            Self::Limits => "Limits",
            Self::Pagination => "Pagination",
            Self::Idempotency => "Idempotency and ETags",
            Self::Errors => "Errors",
            Self::Rotation => "Rotate a token",
            Self::Versions => "Versions",
        }
    }

    pub fn summary(self) -> &'static str {
        match self {
            Self::FirstRequest => "From a new token to a response in a minute.",
            Self::Authentication => "Send a token with each request, in one of two headers.",
            Self::Scopes => "A token can do only what its scopes allow.",
            Self::Limits => "Hourly limits, and what happens when you reach them.",
            Self::Pagination => "Lists come in pages: follow the cursor to the next one.",
            Self::Idempotency => "Retry safely, fetch only changes, and avoid overwriting.",
            Self::Errors => "All errors have one shape, and each code says what to do next.",
            Self::Rotation => "Replace a token without a failed request.",
            Self::Versions => "What can change, and what you can rely on.",
        }
    }

    /// Whether it has no code beside its text.
    pub fn is_wide(self) -> bool {
        matches!(self, Self::Scopes | Self::Errors | Self::Rotation | Self::Versions)
    }
}
