//! What the hosted pages say, in the three languages that the playground writes.

use klarna_types::hosted_payment_page::PurchaseType;

use crate::domain::hosted_page::Status;
use crate::domain::outbox::Language;

/// The words of a page.
pub(super) struct Texts {
    pub(super) title: &'static str,
    pub(super) test_badge: &'static str,
    pub(super) test_footer: &'static str,
    pub(super) logo: &'static str,
    pub(super) order: &'static str,
    pub(super) tax: &'static str,
    pub(super) total: &'static str,
    pub(super) ways: &'static str,
    pub(super) back: &'static str,
    pub(super) cancel: &'static str,
    pub(super) cancel_title: &'static str,
    pub(super) cancel_text: &'static str,
    pub(super) cancel_yes: &'static str,
    pub(super) cancel_no: &'static str,
    pub(super) working: &'static str,
    pub(super) problem: &'static str,
    pub(super) no_script: &'static str,
    pub(super) purchase: &'static str,
    pub(super) again: &'static str,
    pub(super) to_store: &'static str,
    pub(super) reference: &'static str,
}

const ENGLISH: Texts = Texts {
    title: "Complete your purchase",
    test_badge: "TEST",
    test_footer: "A rehearsal by Kassa. No money moves and no credit is given.",
    logo: "The store's logo",
    order: "Your order",
    tax: "of which tax",
    total: "Total",
    ways: "Ways to pay",
    back: "Back to the store",
    cancel: "Cancel",
    cancel_title: "Cancel the purchase?",
    cancel_text: "This link can not be used again afterwards.",
    cancel_yes: "Yes, cancel",
    cancel_no: "Keep paying",
    working: "Working …",
    problem: "The connection failed. Nothing was lost: try again.",
    no_script: "This page needs JavaScript to take your payment.",
    purchase: "Pay",
    again: "Try again",
    to_store: "Back to the store",
    reference: "Reference",
};

const SWEDISH: Texts = Texts {
    title: "Slutför ditt köp",
    test_badge: "TEST",
    test_footer: "En repetition från Kassa. Inga pengar flyttas och ingen kredit ges.",
    logo: "Butikens logotyp",
    order: "Din order",
    tax: "varav moms",
    total: "Totalt",
    ways: "Så kan du betala",
    back: "Tillbaka till butiken",
    cancel: "Avbryt",
    cancel_title: "Avbryta köpet?",
    cancel_text: "Länken kan inte användas igen efteråt.",
    cancel_yes: "Ja, avbryt",
    cancel_no: "Fortsätt betala",
    working: "Arbetar …",
    problem: "Anslutningen bröts. Inget gick förlorat: försök igen.",
    no_script: "Sidan behöver JavaScript för att ta emot din betalning.",
    purchase: "Betala",
    again: "Försök igen",
    to_store: "Tillbaka till butiken",
    reference: "Referens",
};

const GERMAN: Texts = Texts {
    title: "Schließen Sie Ihren Einkauf ab",
    test_badge: "TEST",
    test_footer: "Eine Probe von Kassa. Es fließt kein Geld, und es wird kein Kredit gewährt.",
    logo: "Logo des Shops",
    order: "Ihre Bestellung",
    tax: "davon Steuer",
    total: "Gesamt",
    ways: "So können Sie bezahlen",
    back: "Zurück zum Shop",
    cancel: "Abbrechen",
    cancel_title: "Einkauf abbrechen?",
    cancel_text: "Der Link kann danach nicht mehr benutzt werden.",
    cancel_yes: "Ja, abbrechen",
    cancel_no: "Weiter bezahlen",
    working: "Bitte warten …",
    problem: "Die Verbindung ist abgebrochen. Es ging nichts verloren: Versuchen Sie es erneut.",
    no_script: "Diese Seite braucht JavaScript, um Ihre Zahlung anzunehmen.",
    purchase: "Bezahlen",
    again: "Erneut versuchen",
    to_store: "Zurück zum Shop",
    reference: "Referenz",
};

/// The words in a language.
pub(super) fn texts(language: Language) -> &'static Texts {
    match language {
        Language::English => &ENGLISH,
        Language::Swedish => &SWEDISH,
        Language::German => &GERMAN,
    }
}

/// The label of the button that buys. A value that is not known says what the page is for.
pub(super) fn purchase_label(language: Language, kind: Option<&PurchaseType>) -> &'static str {
    use PurchaseType::{Book, Buy, Continue, Download, Order, Pay, Rent, Subscribe};
    let labels = match kind {
        None | Some(Buy) => ["Buy", "Köp", "Kaufen"],
        Some(Rent) => ["Rent", "Hyr", "Mieten"],
        Some(Book) => ["Book", "Boka", "Buchen"],
        Some(Subscribe) => ["Subscribe", "Prenumerera", "Abonnieren"],
        Some(Download) => ["Download", "Ladda ner", "Herunterladen"],
        Some(Order) => ["Order", "Beställ", "Bestellen"],
        Some(Continue) => ["Continue", "Fortsätt", "Weiter"],
        Some(Pay | PurchaseType::Unknown(_)) => {
            return texts(language).purchase;
        }
    };
    let [english, swedish, german] = labels;
    match language {
        Language::English => english,
        Language::Swedish => swedish,
        Language::German => german,
    }
}

/// Heading and sentence of a page that tells how a purchase ended, or that there is none (`None`).
pub(super) fn ending(language: Language, status: Option<Status>) -> (&'static str, &'static str) {
    let [english, swedish, german] = match status {
        Some(Status::Completed) => [
            ("Thank you", "Your payment is complete. You can close this page."),
            ("Tack", "Din betalning är klar. Du kan stänga sidan."),
            ("Vielen Dank", "Ihre Zahlung ist abgeschlossen. Sie können diese Seite schließen."),
        ],
        Some(Status::Failed) => [
            (
                "Your purchase can not be accepted",
                "Unfortunately it can not be accepted at this moment. You can try again, or choose \
                 another way to pay in the store.",
            ),
            (
                "Ditt köp kan inte godkännas",
                "Tyvärr kan det inte godkännas just nu. Du kan försöka igen, eller välja ett annat \
                 betalsätt i butiken.",
            ),
            (
                "Ihr Einkauf kann nicht angenommen werden",
                "Leider kann er zurzeit nicht angenommen werden. Sie können es erneut versuchen oder \
                 im Shop eine andere Zahlungsart wählen.",
            ),
        ],
        Some(Status::Error) => [
            ("Something went wrong", "Nothing was paid. You can try again."),
            ("Något gick fel", "Inget har betalats. Du kan försöka igen."),
            (
                "Etwas ist schiefgegangen",
                "Es wurde nichts bezahlt. Sie können es erneut versuchen.",
            ),
        ],
        Some(Status::Back | Status::Waiting | Status::InProgress) => [
            ("Not paid yet", "Your purchase is waiting. You can pay it here as long as it stands."),
            ("Inte betalt än", "Ditt köp väntar. Du kan betala det här så länge det gäller."),
            (
                "Noch nicht bezahlt",
                "Ihr Einkauf wartet. Sie können ihn hier bezahlen, solange er gilt.",
            ),
        ],
        Some(Status::Cancelled) => [
            ("The purchase is cancelled", "Nothing was paid, and this link can not be used again."),
            ("Köpet är avbrutet", "Inget har betalats, och länken kan inte användas igen."),
            (
                "Der Einkauf ist abgebrochen",
                "Es wurde nichts bezahlt, und der Link kann nicht mehr benutzt werden.",
            ),
        ],
        Some(Status::Disabled) => [
            (
                "This link has been withdrawn",
                "The store has withdrawn it. Nothing was paid here. Ask the store for a new one.",
            ),
            (
                "Länken har dragits tillbaka",
                "Butiken har dragit tillbaka den. Inget har betalats här. Be butiken om en ny.",
            ),
            (
                "Dieser Link wurde zurückgezogen",
                "Der Shop hat ihn zurückgezogen. Hier wurde nichts bezahlt. Bitten Sie den Shop um einen neuen.",
            ),
        ],
        None => [
            (
                "There is nothing to pay here",
                "The link is not right, or its time is over. Ask the store for a new one.",
            ),
            (
                "Här finns inget att betala",
                "Länken stämmer inte, eller så har den gått ut. Be butiken om en ny.",
            ),
            (
                "Hier gibt es nichts zu bezahlen",
                "Der Link stimmt nicht, oder er ist abgelaufen. Bitten Sie den Shop um einen neuen.",
            ),
        ],
    };
    match language {
        Language::English => english,
        Language::Swedish => swedish,
        Language::German => german,
    }
}
