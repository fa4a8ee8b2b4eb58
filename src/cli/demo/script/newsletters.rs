//! Newsletters that the sample team subscribed to.

use crate::cli::demo::letters::{Letter, PLAIN, Sender};

const WEEKLY: Sender = Sender { name: "Smith & Anvil", address: "weekly@smithandanvil.example" };

pub const LETTERS: &[Letter] = &[
    Letter {
        when: (17, 5, 0),
        from: WEEKLY,
        to: "newsletters",
        subject: "No. 311: Why old anvils ring",
        text: "A new anvil thuds, an old one sings. We asked four smiths and a physicist, and got five \
               answers.\n\nhttps://smithandanvil.example/weekly/311\n",
        html: Some(include_str!("weekly-1.html")),
        ..PLAIN
    },
    Letter {
        when: (10, 5, 0),
        from: WEEKLY,
        to: "newsletters",
        subject: "No. 312: The colour of the right moment",
        text: "Cherry red is not a temperature. This chart tells you what your steel means by \
               it.\n\nhttps://smithandanvil.example/weekly/312\n",
        html: Some(include_str!("weekly-2.html")),
        ..PLAIN
    },
    Letter {
        when: (3, 5, 0),
        from: WEEKLY,
        to: "newsletters",
        subject: "No. 313: A guild of twelve",
        text: "Twelve workshops share one delivery van, one web shop and one very large pot of soup. It \
               works.\n\nhttps://smithandanvil.example/weekly/313\n",
        html: Some(include_str!("weekly-3.html")),
        read: false,
        ..PLAIN
    },
];
