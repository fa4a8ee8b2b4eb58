//! Companies that the sample team buys from. Most of their mail is automatic.

use crate::cli::demo::letters::{File, Letter, PLAIN, Sender};

const PAPER: Sender = Sender { name: "Paper & Ink", address: "no-reply@paperandink.example" };
const FREIGHT: Sender = Sender { name: "Northwind Freight", address: "dispatch@northwind-freight.example" };
const ENERGY: Sender = Sender { name: "Helia Energy", address: "service@helia-energy.example" };
const LEDGERLY: Sender = Sender { name: "Ledgerly", address: "payouts@ledgerly.example" };
const FORGEHUB: Sender = Sender { name: "Forgehub", address: "builds@forgehub.example" };
const FAIR: Sender = Sender { name: "Nordmesse", address: "visitors@nordmesse.example" };

pub const LETTERS: &[Letter] = &[
    Letter {
        when: (20, 6, 30),
        from: ENERGY,
        to: "billing",
        subject: "Your electricity bill",
        text: "Dear customer,\n\nyour bill for last month is attached. We'll collect EUR 1,284.10 in ten \
               days.\n\nHelia Energy\n",
        file: Some(File::Pdf(
            "helia-2291.pdf",
            &["Helia Energy", "Bill 2291", "", "6,114 kWh", "Total EUR 1,284.10"],
        )),
        ..PLAIN
    },
    Letter {
        when: (16, 7, 2),
        from: FREIGHT,
        to: "orders",
        subject: "Delivered: order 4687",
        text: "Order 4687 was delivered to Okafor & Sons at 06:48. Signed by: C. Okafor.\n\nNorthwind \
               Freight\n",
        ..PLAIN
    },
    Letter {
        when: (15, 6, 0),
        from: LEDGERLY,
        to: "billing",
        subject: "Your payout of €3,907.15 is on its way",
        text: "€3,907.15 will be in your account within two working days.\n\n41 payments, 2 refunds, fees \
               €58.20.\n\nLedgerly\n",
        html: Some(include_str!("payout-1.html")),
        ..PLAIN
    },
    Letter {
        when: (13, 22, 17),
        from: FORGEHUB,
        to: "ci",
        subject: "[acme/notify] Build 2179 failed on main",
        text: "Build 2179 of acme/notify failed after 2 m 14 s.\n\n  test orders::a_reply_joins_its_order \
               ... FAILED\n\n1 of 212 tests failed. The commit is 9f31c02 by bea.\n",
        ..PLAIN
    },
    Letter {
        when: (12, 8, 1),
        from: FORGEHUB,
        to: "ci",
        subject: "[acme/notify] Build 2180 passed on main",
        text: "Build 2180 of acme/notify passed after 2 m 31 s. All 213 tests passed.\n",
        ..PLAIN
    },
    Letter {
        when: (11, 12, 0),
        from: FAIR,
        subject: "Your stand at the autumn fair",
        text: "Dear exhibitors,\n\nthe plan of hall 4 is final. You are at stand 4-B17, between a maker \
               of bells and a maker of earplugs.\n\nThe meeting of all exhibitors is in the attached \
               invitation.\n\nNordmesse\n",
        file: Some(File::Invitation("Exhibitors' meeting", "Nordmesse\\, hall 4", 21)),
        ..PLAIN
    },
    Letter {
        when: (9, 6, 45),
        from: PAPER,
        to: "billing",
        subject: "Invoice 2026-117",
        text: "Your invoice is attached. It is due within 30 days.\n\nPaper & Ink\n",
        file: Some(File::Pdf(
            "invoice-2026-117.pdf",
            &["Paper & Ink", "Invoice 2026-117", "", "20 x paper A4     78.00", "Total EUR 92.82"],
        )),
        ..PLAIN
    },
    Letter {
        when: (7, 5, 58),
        from: FREIGHT,
        to: "order-4702",
        subject: "Delay: order 4702",
        text: "Order 4702 is held at the border until the afternoon. The driver has coffee and all \
               papers.\n\nNorthwind Freight\n",
        ..PLAIN
    },
    Letter {
        when: (5, 6, 0),
        from: LEDGERLY,
        to: "billing",
        subject: "Your payout of €4,218.60 is on its way",
        text: "€4,218.60 will be in your account within two working days.\n\n46 payments, no refunds, fees \
               €62.70.\n\nLedgerly\n",
        html: Some(include_str!("payout-2.html")),
        ..PLAIN
    },
    Letter {
        when: (4, 6, 15),
        from: FREIGHT,
        to: "order-4711",
        subject: "Delivered: order 4711",
        text: "Order 4711 was delivered to Harbour Supplies at 06:02. Three parcels, signed by: night \
               watch.\n\nNorthwind Freight\n",
        ..PLAIN
    },
    Letter {
        when: (2, 6, 45),
        from: PAPER,
        to: "billing",
        subject: "Invoice 2026-118",
        text: "Your invoice is attached. It is due within 30 days.\n\nPaper & Ink\n",
        file: Some(File::Pdf(
            "invoice-2026-118.pdf",
            &[
                "Paper & Ink",
                "Invoice 2026-118",
                "",
                "10 x paper A4     39.00",
                "2 x ink blue      37.00",
                "Total EUR 90.44",
            ],
        )),
        read: false,
        ..PLAIN
    },
    Letter {
        when: (1, 7, 20),
        from: ENERGY,
        to: "billing",
        subject: "Please send your meter reading",
        text: "Dear customer,\n\nplease send us the reading of meter 77-1043 by the end of the month. \
               Otherwise we estimate it, and we estimate high.\n\nHelia Energy\n",
        ..PLAIN
    },
    Letter {
        when: (1, 18, 9),
        from: FORGEHUB,
        to: "ci",
        subject: "[acme/notify] Build 2184 failed on main",
        text: "Build 2184 of acme/notify failed after 2 m 14 s.\n\n  test mail::an_empty_subject_is_shown \
               ... FAILED\n\n1 of 216 tests failed. The commit is 51ab7e9 by cy.\n",
        ..PLAIN
    },
    Letter {
        when: (0, 1, 20),
        from: FREIGHT,
        to: "order-4715",
        subject: "Collection confirmed for tomorrow",
        text: "We collect order 4715 (two pallets, 640 kg) tomorrow between 08:00 and 10:00.\n\nPlease \
               have the fork lift ready.\n\nNorthwind Freight\n",
        read: false,
        ..PLAIN
    },
];
