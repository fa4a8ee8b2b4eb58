//! The tables as both engines see them; `migrations/` says what each column means.

diesel::table! { instance (id) { id -> Integer, set_up_at -> Nullable<BigInt>, key_check -> Nullable<Binary>, access_epoch -> BigInt, } }

diesel::table! {
    users (id) {
        id -> Binary,
        email -> Text,
        email_key -> Text,
        name -> Text,
        password_hash -> Text,
        password_changed_at -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    teams (id) {
        id -> Binary,
        name -> Text,
        name_key -> Text,
        plan -> Text,
        owner_id -> Binary,
        api_enabled -> Bool,
        created_at -> BigInt,
    }
}

diesel::table! {
    memberships (team_id, user_id) {
        team_id -> Binary,
        user_id -> Binary,
        role -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    invitations (id) {
        id -> Binary,
        team_id -> Binary,
        email -> Text,
        email_key -> Text,
        role -> Text,
        secret_hash -> Binary,
        invited_by -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        accepted_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sessions (id) {
        id -> Binary,
        key_hash -> Binary,
        user_id -> Binary,
        team_id -> Nullable<Binary>,
        created_at -> BigInt,
        last_seen_at -> BigInt,
        expires_at -> BigInt,
        password_at -> BigInt,
        ip -> Nullable<Text>,
        agent -> Nullable<Text>,
    }
}

diesel::table! {
    attempts (key) {
        key -> Binary,
        window_start -> BigInt,
        count -> Integer,
    }
}

diesel::table! {
    tokens (id) {
        id -> Binary,
        team_id -> Binary,
        kind -> Text,
        public_id -> Text,
        hash -> Binary,
        start -> Text,
        sealed -> Nullable<Binary>,
        name -> Text,
        name_key -> Text,
        created_by -> Nullable<Binary>,
        created_by_label -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        scopes -> Nullable<Text>,
        hourly_cap -> Nullable<Integer>,
        allow_list -> Nullable<Text>,
        last_used_at -> Nullable<BigInt>,
        last_used_ip -> Nullable<Text>,
        last_used_agent -> Nullable<Text>,
        revoked_at -> Nullable<BigInt>,
        revoked_by_label -> Nullable<Text>,
        revoke_reason -> Nullable<Text>,
    }
}

diesel::table! {
    activity (team_id, id) {
        team_id -> Binary,
        id -> Binary,
        at -> BigInt,
        kind -> Text,
        actor_kind -> Text,
        person_id -> Nullable<Binary>,
        token_id -> Nullable<Binary>,
        actor_label -> Nullable<Text>,
        subject -> Nullable<Text>,
        method -> Nullable<Text>,
        route -> Nullable<Text>,
        status -> Nullable<SmallInt>,
        duration_us -> Nullable<Integer>,
        ip -> Nullable<Text>,
        agent -> Nullable<Text>,
        request_id -> Nullable<Binary>,
        detail -> Nullable<Text>,
        count -> Integer,
    }
}

diesel::table! {
    leases (id) {
        id -> Binary,
        seen_epoch -> BigInt,
        until -> BigInt,
    }
}

diesel::table! {
    retention (id) {
        id -> Integer,
        before -> Nullable<BigInt>,
    }
}

diesel::joinable!(memberships -> users (user_id));
diesel::joinable!(memberships -> teams (team_id));
diesel::joinable!(tokens -> teams (team_id));
diesel::allow_tables_to_appear_in_same_query!(users, teams, memberships, invitations, sessions, tokens);
