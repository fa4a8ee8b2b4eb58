//! Unwanted mail. The first message of each sender got through; after that, the team blocked the sender.

use crate::cli::demo::letters::{Letter, PLAIN, Proof, Sender};

const SEO: Sender = Sender { name: "Kevin from Rank Rocket", address: "kevin@rankrocket.example" };
const PRIZE: Sender = Sender { name: "International Prize Office", address: "winner@bigprize.example" };
const FORGER: Sender = Sender { name: "Ledgerly", address: "security@ledgerly.example" };

pub const BLOCKED: [&str; 2] = [SEO.address, PRIZE.address];

pub const LETTERS: &[Letter] = &[
    Letter {
        when: (16, 3, 12),
        from: SEO,
        to: "tradefair",
        subject: "Your website is losing 4,000 visitors a day",
        text: "Hi there,\n\nI looked at your website and found 37 problems that cost you visitors. Can I \
               show you how to fix them? It takes only 15 minutes.\n\nKevin\n",
        ..PLAIN
    },
    Letter {
        when: (13, 3, 40),
        from: SEO,
        to: "tradefair",
        subject: "Just following up",
        text: "Hi there,\n\ndid you see my last email? Our offer ends on Friday.\n\nKevin\n",
        ..PLAIN
    },
    Letter {
        when: (12, 23, 51),
        from: PRIZE,
        to: "tradefair",
        subject: "CONGRATULATIONS: your address has won",
        text: "Dear winner,\n\nyour email address was drawn in category A. Send us your bank details to \
               receive $850,000.\n",
        proof: Proof::Unsure,
        ..PLAIN
    },
    Letter {
        when: (10, 2, 18),
        from: SEO,
        subject: "One last try",
        text: "Hi there,\n\nI don't give up easily! Shall we say Tuesday at 11?\n\nKevin\n",
        ..PLAIN
    },
    Letter {
        when: (6, 1, 33),
        from: PRIZE,
        subject: "FINAL NOTICE: unclaimed prize",
        text: "Dear winner,\n\nyour prize expires in 24 hours. Reply with your bank details.\n",
        proof: Proof::Unsure,
        ..PLAIN
    },
    Letter {
        when: (4, 3, 5),
        from: FORGER,
        to: "billing",
        subject: "Your account will be closed",
        text: "Dear customer,\n\nconfirm your password within 24 hours, or your account will be \
               closed.\n\nhttp://ledgerly.account-check.example/login\n",
        proof: Proof::Forged,
        ..PLAIN
    },
    Letter {
        when: (2, 2, 44),
        from: SEO,
        subject: "Kevin here again",
        text: "Hi there,\n\nhappy Monday! I made a free report about your website.\n\nKevin\n",
        ..PLAIN
    },
    Letter {
        when: (1, 3, 27),
        from: FORGER,
        to: "billing",
        subject: "Payment on hold: action required",
        text: "Dear customer,\n\na payout is on hold. Sign in with this link to release \
               it.\n\nhttp://ledgerly.account-check.example/release\n",
        proof: Proof::Forged,
        ..PLAIN
    },
];
