//! When a call's answer can leave.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityMode {
    /// Once its record is on disk.
    Strict,
    /// At once; its record is on disk within 50 ms. A crash can lose that much.
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
