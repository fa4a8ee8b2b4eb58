//! When a call's response can be sent.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityMode {
    /// When its record is on disk.
    Strict,
    /// At once. Its record is on disk within 50 ms; a crash can lose that much.
    Buffered,
}

impl ActivityMode {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "strict" => Some(Self::Strict),
            "buffered" => Some(Self::Buffered),
            _ => None,
        }
    }
}
