//! The tables of both engines, except those that a single file declares and uses.
//! `migrations/` describes the columns.

diesel::table! { instance (id) { id -> Integer, set_up_at -> Nullable<BigInt>, key_check -> Nullable<Binary>, access_epoch -> BigInt, name_keys -> Integer, word_rule -> Integer, words_done -> BigInt, contact_rule -> Integer, contacts_done -> Nullable<Binary>, } }

diesel::table! {
    users (id) {
        id -> Binary,
        email -> Text,
        email_key -> Text,
        name -> Text,
        password_hash -> Text,
        password_changed_at -> BigInt,
        created_at -> BigInt,
        vouched_by -> Nullable<Text>,
        last_seen_at -> Nullable<BigInt>,
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
        deleted_at -> Nullable<BigInt>,
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
        inviter_id -> Nullable<Binary>,
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
    call_counts (team_id, token_id, began) {
        team_id -> Binary,
        token_id -> Binary,
        began -> BigInt,
        succeeded -> BigInt,
        refused -> BigInt,
        limited -> BigInt,
        failed -> BigInt,
        cut_off -> Bool,
    }
}

diesel::table! {
    call_batches (id) {
        id -> BigInt,
        writer -> Binary,
        calls -> Binary,
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

diesel::table! {
    conversations (id) {
        id -> Binary,
        team_id -> Binary,
        subject -> Text,
        subject_key -> Text,
        contact_id -> Nullable<Binary>,
        state -> Text,
        messages -> Integer,
        created_at -> BigInt,
        last_message_at -> BigInt,
    }
}

diesel::table! {
    messages (seq) {
        seq -> BigInt,
        id -> Binary,
        team_id -> Binary,
        direction -> Text,
        state -> Text,
        reason -> Text,
        alias_id -> Binary,
        contact_id -> Nullable<Binary>,
        conversation_id -> Nullable<Binary>,
        header_id -> Nullable<Text>,
        dedupe -> Binary,
        received_at -> BigInt,
        envelope_from -> Nullable<Text>,
        from_address -> Nullable<Text>,
        from_name -> Nullable<Text>,
        rcpt -> Text,
        subject -> Text,
        preview -> Text,
        size -> BigInt,
        attachments -> Integer,
        read_at -> Nullable<BigInt>,
        spf -> Text,
        dkim -> Text,
        dmarc -> Text,
        kept -> Nullable<BigInt>,
        folder -> Text,
    }
}

diesel::table! {
    message_contents (seq) {
        seq -> BigInt,
        team_id -> Binary,
        raw -> Binary,
        text -> Text,
        html -> Nullable<Text>,
        headers -> Text,
        authentication -> Text,
        recipients -> Nullable<Text>,
    }
}

diesel::table! {
    attachments (id) {
        id -> Binary,
        team_id -> Binary,
        seq -> BigInt,
        part -> Integer,
        name -> Nullable<Text>,
        content_type -> Text,
        size -> BigInt,
        inline -> Bool,
        content_id -> Nullable<Text>,
    }
}

diesel::table! {
    idempotent_responses (id) {
        id -> Binary,
        team_id -> Binary,
        content -> Binary,
        at -> BigInt,
        location -> Text,
        body -> Text,
    }
}

diesel::table! {
    jobs (id) {
        id -> Binary,
        kind -> Text,
        queue -> Text,
        team_id -> Nullable<Binary>,
        dedupe_key -> Nullable<Text>,
        payload -> Text,
        created_at -> BigInt,
        due_at -> BigInt,
        attempts -> Integer,
        rerun -> Bool,
        worker -> Nullable<Binary>,
        leased_until -> Nullable<BigInt>,
        error -> Nullable<Text>,
        failed_at -> Nullable<BigInt>,
        died_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    mail_days (team_id, alias_id, day) {
        team_id -> Binary,
        alias_id -> Binary,
        day -> BigInt,
        delivered -> BigInt,
        blocked -> BigInt,
    }
}

diesel::table! {
    mail_stores (team_id) {
        team_id -> Binary,
        bytes -> BigInt,
        messages -> BigInt,
        refused_bytes -> BigInt,
        refused_messages -> BigInt,
    }
}

diesel::joinable!(memberships -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(memberships -> teams (team_id));
diesel::joinable!(tokens -> teams (team_id));
diesel::joinable!(mail_stores -> teams (team_id));
diesel::allow_tables_to_appear_in_same_query!(users, teams, memberships, invitations, sessions, tokens);
diesel::allow_tables_to_appear_in_same_query!(mail_stores, teams);
