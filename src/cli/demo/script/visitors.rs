//! People who write about something other than a purchase.

use crate::cli::demo::letters::{File, Letter, PLAIN, Proof, Sender};

const INES: Sender = Sender { name: "Inés Castellano", address: "ines@castellano-law.example" };
const PRIYA: Sender = Sender { name: "Priya Raman", address: "priya@thelongforge.example" };

const CONTRACT: &str = "Renewal of the lease";
const INTERVIEW: &str = "An interview for The Long Forge";

pub const LETTERS: &[Letter] = &[
    Letter {
        when: (19, 11, 40),
        from: INES,
        subject: CONTRACT,
        text: "Dear Ada,\n\nthe owner of the hall agrees to five more years at the present rent, with a \
               right to leave after three. He asks for a new roof light in return, which I would \
               accept.\n\nShall I prepare the contract?\n\nInés Castellano\n",
        ..PLAIN
    },
    Letter {
        when: (14, 17, 5),
        from: INES,
        subject: CONTRACT,
        text: "Dear Ada,\n\nhere is the contract. Please read section 7 with care: it says who pays if \
               the crane falls.\n\nInés\n",
        file: Some(File::Pdf(
            "lease.pdf",
            &["Lease of the hall at 12 Foundry Lane", "", "7. Repairs of the crane are paid by the tenant."],
        )),
        ..PLAIN
    },
    Letter {
        when: (7, 9, 2),
        from: INES,
        subject: CONTRACT,
        text: "Signed by both sides. The original goes to you by post.\n\nInés\n",
        file: Some(File::Pdf(
            "lease-signed.pdf",
            &["Lease of the hall at 12 Foundry Lane", "", "Signed for Acme", "Signed for the owner"],
        )),
        ..PLAIN
    },
    Letter {
        when: (12, 13, 15),
        from: PRIYA,
        to: "press",
        subject: INTERVIEW,
        text: "Dear Acme,\n\nI write about small workshops that outlive large factories. Could I talk to \
               the person who taught you all to forge? An hour would do, and a photograph at the \
               fire.\n\nPriya Raman\nThe Long Forge\n",
        ..PLAIN
    },
    Letter {
        when: (9, 10, 20),
        from: PRIYA,
        to: "press",
        subject: INTERVIEW,
        text: "Monday is perfect. I'll come by train and bring nothing that burns.\n\nPriya\n",
        ..PLAIN
    },
    Letter {
        when: (10, 14, 44),
        from: Sender { name: "Anna Rossi", address: "anna@casaverde.example" },
        subject: "Thank you for the tour",
        text: "Dear all,\n\nthe forge was wonderful. The children still talk of nothing else, and one of \
               them has begun to hit the radiator in rhythm.\n\nAnna Rossi\nCasa Verde school\n",
        ..PLAIN
    },
    Letter {
        when: (3, 8, 12),
        from: Sender { name: "Jonas Weck", address: "jonas.weck@post.example" },
        to: "hello+jobs",
        subject: "Application as a smith",
        text: "Dear Acme,\n\nI have worked in a tool shop for six years and would like to make larger \
               things. My certificates are attached.\n\nI could start in two months.\n\nJonas Weck\n",
        file: Some(File::Pdf(
            "jonas-weck.pdf",
            &["Jonas Weck", "", "Toolmaker, six years", "Certificates: welding, crane, first aid"],
        )),
        proof: Proof::Nothing,
        read: false,
        ..PLAIN
    },
    Letter {
        when: (1, 9, 51),
        from: Sender { name: "Marguerite Dubois", address: "m.dubois@atelier.example" },
        to: "press",
        subject: "Photographs for the catalogue",
        text: "Hello,\n\nI've sorted the photographs of last month. The one with the sparks is the best, \
               but the anvil is out of focus. Do you prefer the sparks or the anvil?\n\nMarguerite\n",
        read: false,
        ..PLAIN
    },
    Letter {
        when: (0, 2, 10),
        from: Sender { name: "Felix Amsel", address: "felix@amsel.example" },
        to: "support",
        subject: "Question about the care of an anvil",
        text: "Good day,\n\nmine stands outdoors under a roof. Is oil enough, or do I need wax? My \
               neighbour says paint, but he says that about everything.\n\nFelix Amsel\n",
        proof: Proof::Unsure,
        read: false,
        ..PLAIN
    },
];
