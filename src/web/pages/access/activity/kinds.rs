//! The icon of each kind of record, and its tone.

use crate::domain::access::activity::ActivityKind;
use crate::domain::nouns::Noun;

/// An icon's name, and "", "info", "success", "warning" or "danger".
pub fn icon(kind: ActivityKind) -> (&'static str, &'static str) {
    use ActivityKind as Kind;
    match kind {
        Kind::ApiRefused | Kind::ApiSwitchRefused | Kind::SignInFailed => ("circle-x", "danger"),
        Kind::TokenCreated => ("key-round", "info"),
        Kind::TokenRenamed | Kind::NameChanged | Kind::TeamRenamed | Kind::Changed(_) => ("pencil", ""),
        Kind::TokenRevoked | Kind::InvitationRevoked | Kind::SessionRevoked => ("ban", "danger"),
        Kind::TokenCapChanged | Kind::PlanChanged => ("gauge", ""),
        Kind::TeamKeyRevealed => ("eye", "warning"),
        Kind::TeamKeyRegenerated => ("rotate-cw", "warning"),
        Kind::TeamKeyEnabled | Kind::ApiEnabled => ("power", "success"),
        Kind::TeamKeyDisabled | Kind::ApiDisabled => ("power", "danger"),
        Kind::PersonInvited | Kind::PersonJoined => ("user-plus", "info"),
        Kind::PersonRemoved => ("log-out", "danger"),
        Kind::RoleChanged | Kind::OwnershipTransferred | Kind::TeamCreated => ("users-round", "info"),
        Kind::SignedIn => ("log-in", ""),
        Kind::SignedOut => ("log-out", ""),
        Kind::PasswordChanged => ("lock", "warning"),
        Kind::DomainAdded => ("globe", "info"),
        Kind::DomainVerified => ("globe", "success"),
        Kind::DomainSuspended | Kind::DomainRemoved => ("globe", "danger"),
        Kind::CatchAllChanged => ("at-sign", ""),
        Kind::Created(Noun::Alias) => ("at-sign", "info"),
        Kind::Created(Noun::Contact) => ("users", "info"),
        Kind::Deleted(_) | Kind::MessageDeleted | Kind::JobDropped | Kind::TeamDeleted => {
            ("trash-2", "danger")
        }
        Kind::TeamExported => ("download", "warning"),
        Kind::JobRetried => ("rotate-cw", ""),
        _ => ("activity", ""),
    }
}
