//! People and companies that buy from the sample team.

use crate::cli::demo::letters::{File, Letter, PLAIN, Proof, Sender};

const GRACE: Sender = Sender { name: "Grace Murray", address: "grace@navy.example" };
const LINUS: Sender = Sender { name: "Linus Berg", address: "linus@berg.example" };
const HARUKA: Sender = Sender { name: "Ōno Haruka", address: "haruka@ono.example" };
const OKAFOR: Sender = Sender { name: "Okafor & Sons", address: "workshop@okafor.example" };
const TOMAS: Sender = Sender { name: "Tomás Ferreira", address: "tomas@ferreira.example" };
const MAE: Sender = Sender { name: "Mae Whitfield", address: "mae@ridingschool.example" };
const BAKER: Sender = Sender { name: "Baker Street Hardware", address: "orders@bakerstreet.example" };
const STARGAZER: Sender = Sender { name: "Vera Lindqvist", address: "vera@observatory.example" };

const ANVIL: &str = "Order 4711: one anvil is missing";
const VISIT: &str = "Visiting next week?";
const SIZE: &str = "Wrong size on order 4687";
const HINGE: &str = "Broken hinge in delivery 4698";
const HORSESHOES: &str = "Could you quote for 40 horseshoes?";

pub const LETTERS: &[Letter] = &[
    Letter {
        when: (20, 9, 14),
        from: BAKER,
        to: "orders",
        subject: "Reorder: 24 brass hinges",
        text: "Good morning,\n\n24 of the brass hinges again, please, 80 mm, to the same address as last \
               time.\n\nThe last ones sold in nine days, so we may be back soon.\n\nRuth\nBaker Street \
               Hardware\n",
        ..PLAIN
    },
    Letter {
        when: (18, 13, 20),
        from: OKAFOR,
        to: "orders",
        subject: SIZE,
        text: "Hello,\n\nwe ordered bolts of 12 mm and received bolts of 10 mm. The delivery note says 12, \
               so somebody on your side counted right and packed wrong.\n\nCan you send the right ones \
               before the end of the week? We'll keep the others if the price is right.\n\nChidi \
               Okafor\n",
        ..PLAIN
    },
    Letter {
        when: (17, 8, 5),
        from: OKAFOR,
        to: "orders",
        subject: SIZE,
        text: "Half price for the 10 mm bolts is fine with us. Please put it on the same \
               invoice.\n\nChidi\n",
        ..PLAIN
    },
    Letter {
        when: (15, 15, 48),
        from: OKAFOR,
        to: "orders",
        subject: SIZE,
        text: "They're here, and they fit. Thanks for the quick help.\n\nChidi\n",
        ..PLAIN
    },
    Letter {
        when: (13, 10, 31),
        from: STARGAZER,
        to: "orders",
        subject: "Telescope mount, three pieces",
        text: "Dear Acme,\n\nwe need three mounts for our 20 cm refractors. Steel, matt black, tolerance \
               0.05 mm at the bearing. Your colleague Bea said you had made one like it for the \
               university.\n\nWhat would three cost, and when could we have them?\n\nVera Lindqvist\nNorth \
               Observatory\n",
        ..PLAIN
    },
    Letter {
        when: (11, 7, 55),
        from: HARUKA,
        subject: "新茶のご案内 — the new harvest",
        text: "Acme の皆様\n\n今年の新茶が届きました。\n\nThe new harvest is in, and it is a good one: less \
               bitter than last year, with a little more of the sea.\n\nHaruka\n",
        ..PLAIN
    },
    Letter {
        when: (8, 16, 2),
        from: TOMAS,
        to: "support",
        subject: HINGE,
        text: "Hello,\n\none of the hinges arrived bent, as you can see in the picture. The box was not \
               damaged, so it must have happened before it was packed.\n\nThe other eleven are \
               perfect.\n\nTomás Ferreira\n",
        file: Some(File::Png("hinge.png", include_bytes!("hinge.png"))),
        ..PLAIN
    },
    Letter {
        when: (6, 9, 37),
        from: TOMAS,
        to: "support",
        subject: HINGE,
        text: "The new one came this morning. No need to send the old one back?\n\nTomás\n",
        ..PLAIN
    },
    Letter {
        when: (5, 11, 12),
        from: MAE,
        to: "orders",
        subject: HORSESHOES,
        text: "Hello Acme,\n\nwe open a riding school in March and need 40 horseshoes in four sizes. The \
               list is attached.\n\nOur farrier would like to come by and look at the steel first. Is that \
               possible?\n\nMae Whitfield\n",
        file: Some(File::Csv("horseshoes.csv", "size,pieces\r\n0,8\r\n1,16\r\n2,12\r\n3,4\r\n")),
        ..PLAIN
    },
    Letter {
        when: (4, 14, 26),
        from: LINUS,
        subject: VISIT,
        text: "Hello Acme,\n\nI am in town on Tuesday. May I come by and see the anvils? I'd bring my \
               apprentice, who has never seen a large one being made.\n\nLinus\n",
        ..PLAIN
    },
    Letter {
        when: (3, 16, 42),
        from: GRACE,
        to: "orders",
        subject: ANVIL,
        text: "Dear Acme,\n\nwe ordered three anvils and two arrived. Where is the third?\n\nThe carrier \
               says that three parcels were scanned at the harbour.\n\nGrace Murray\nHarbour \
               Supplies\n",
        html: Some(
            "<p>Dear Acme,</p><p>we ordered <b>three</b> anvils and <b>two</b> arrived. Where is the \
             third?</p><p>The carrier says that three parcels were scanned at the harbour.</p><p>Grace \
             Murray<br>Harbour Supplies</p>",
        ),
        ..PLAIN
    },
    Letter {
        when: (2, 8, 48),
        from: MAE,
        to: "orders",
        subject: HORSESHOES,
        text: "Thursday at ten suits our farrier well. Her name is Joan, and she will ask you about the \
               carbon in your steel for an hour. You have been warned.\n\nMae\n",
        ..PLAIN
    },
    Letter {
        when: (2, 10, 9),
        from: GRACE,
        to: "orders",
        subject: ANVIL,
        text: "Thank you for looking into it. I've asked the night watch; they saw a man with a very \
               heavy box.\n\nPlease don't send another one yet.\n\nGrace\n",
        ..PLAIN
    },
    Letter {
        when: (1, 12, 33),
        from: BAKER,
        to: "orders",
        subject: "Reorder: 24 brass hinges",
        text: "As I said, we're back. 24 more, please, and this time six of the large ones as \
               well.\n\nRuth\nBaker Street Hardware\n",
        read: false,
        ..PLAIN
    },
    Letter {
        when: (0, 3, 35),
        from: Sender { name: "Samira Haddad", address: "samira.haddad@post.example" },
        to: "sales",
        subject: "Do you ship to Beirut?",
        text: "Hello,\n\nI found your anvils through a friend. Do you ship to Beirut, and what would it \
               cost for one of 25 kg?\n\nBest wishes\nSamira Haddad\n",
        proof: Proof::Nothing,
        read: false,
        ..PLAIN
    },
    Letter {
        from: LINUS,
        subject: VISIT,
        text: "Wednesday is as good, if Tuesday is not. I'll bring the drawings.\n\nLinus\n",
        ..PLAIN
    },
    Letter {
        from: GRACE,
        to: "orders",
        subject: ANVIL,
        text: "It stood behind the loading door. All three are here, and they ring beautifully.\n\nThank \
               you!\n\nGrace\n",
        ..PLAIN
    },
    Letter {
        from: HARUKA,
        subject: "Tea for the office",
        text: "Shall we send the usual box of tea?\n\nHaruka\n",
        ..PLAIN
    },
];
