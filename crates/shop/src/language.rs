//! The shop's words, in every language it speaks.
//!
//! One row for each text, one column for each language: the compiler refuses a language that is
//! not complete. A further language is one more column, one more arm in each `match` here, and
//! its words for the products.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::market::ShippingId;

/// A language that the shop speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    English,
    /// Swedish.
    Swedish,
    /// German.
    German,
}

impl Language {
    /// All of them, in the order of the columns.
    pub const ALL: [Self; 3] = [Self::English, Self::Swedish, Self::German];

    /// The ISO 639-1 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Swedish => "sv",
            Self::German => "de",
        }
    }

    /// What its speakers call it.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Swedish => "Svenska",
            Self::German => "Deutsch",
        }
    }

    /// The texts.
    pub const fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
            Self::Swedish => &SWEDISH,
            Self::German => &GERMAN,
        }
    }

    /// One of three, in the order of [`Language::ALL`].
    pub fn pick<T>(self, [english, swedish, german]: [T; 3]) -> T {
        match self {
            Self::English => english,
            Self::Swedish => swedish,
            Self::German => german,
        }
    }

    /// A day as people of a country write it.
    pub fn date(self, country: &str, at: Timestamp) -> String {
        let day = at.to_zoned(TimeZone::UTC).date();
        let month = usize::try_from(day.month()).unwrap_or(1).saturating_sub(1);
        let name = self.pick(MONTHS).get(month).copied().unwrap_or_default();
        let (number, year) = (day.day(), day.year());
        match self {
            Self::English if country == "US" => format!("{name} {number}, {year}"),
            Self::English | Self::Swedish => format!("{number} {name} {year}"),
            Self::German => format!("{number}. {name} {year}"),
        }
    }
}

const MONTHS: [[&str; 12]; 3] = [
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    [
        "januari",
        "februari",
        "mars",
        "april",
        "maj",
        "juni",
        "juli",
        "augusti",
        "september",
        "oktober",
        "november",
        "december",
    ],
    [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
];

macro_rules! texts {
    ($($key:ident: $english:literal, $swedish:literal, $german:literal;)+) => {
        /// Every text of the shop in one language. The names say what a text is for.
        #[derive(Debug)]
        #[expect(missing_docs, reason = "the table below shows each text")]
        pub struct Texts { $(pub $key: &'static str,)+ one: &'static str, many: &'static str }

        static ENGLISH: Texts = Texts { $($key: $english,)+ one: "1 item", many: "items" };
        static SWEDISH: Texts = Texts { $($key: $swedish,)+ one: "1 vara", many: "varor" };
        static GERMAN: Texts = Texts { $($key: $german,)+ one: "1 Artikel", many: "Artikel" };
    };
}

impl Texts {
    /// A number of pieces, in words.
    pub fn pieces(&self, count: i64) -> String {
        if count == 1 { self.one.to_owned() } else { format!("{count} {}", self.many) }
    }

    /// The name of a delivery.
    pub const fn shipping_name(&self, shipping: ShippingId) -> &'static str {
        match shipping {
            ShippingId::Standard => self.shipping_standard,
            ShippingId::Express => self.shipping_express,
            ShippingId::Collect => self.shipping_collect,
        }
    }

    /// How long a delivery takes.
    pub const fn shipping_promise(&self, shipping: ShippingId) -> &'static str {
        match shipping {
            ShippingId::Standard => self.promise_standard,
            ShippingId::Express => self.promise_express,
            ShippingId::Collect => self.promise_collect,
        }
    }

    /// The label of a field of the address form.
    pub fn field(&self, name: &str) -> &'static str {
        match name {
            "email" => self.field_email,
            "phone" => self.field_phone,
            "given_name" => self.field_given_name,
            "family_name" => self.field_family_name,
            "street_address" => self.field_street_address,
            "street_address2" => self.field_street_address2,
            "postal_code" => self.field_postal_code,
            "city" => self.field_city,
            "region" => self.field_region,
            _ => "",
        }
    }

    /// What to say when a field's text has the wrong form.
    pub fn wrong(&self, name: &str) -> &'static str {
        match name {
            "email" => self.error_email,
            "phone" => self.error_phone,
            "postal_code" => self.error_postal_code,
            "given_name" | "family_name" => self.error_name,
            _ => self.error_too_long,
        }
    }
}

texts! {
    tagline: "Small goods for slow days", "Små ting för långsamma dagar", "Kleine Dinge für langsame Tage";
    demo_note: "A demo shop. Nothing is sent and nobody is charged.", "En demobutik. Inget skickas och ingen debiteras.", "Ein Demo-Shop. Nichts wird verschickt, niemandem etwas berechnet.";
    skip: "Skip to content", "Hoppa till innehållet", "Zum Inhalt springen";
    navigation: "Shop", "Butik", "Shop";
    footer_navigation: "More", "Mer", "Mehr";
    shop: "Shop", "Butik", "Shop";
    orders: "Your orders", "Dina beställningar", "Ihre Bestellungen";
    help: "Help", "Hjälp", "Hilfe";
    cart: "Cart", "Varukorg", "Warenkorb";
    choose_market: "Country and language", "Land och språk", "Land und Sprache";
    terms: "Terms of sale", "Köpvillkor", "AGB";
    privacy: "Privacy", "Integritet", "Datenschutz";
    back_to_shop: "Back to the shop", "Tillbaka till butiken", "Zurück zum Shop";
    back_to_checkout: "Back to checkout", "Tillbaka till kassan", "Zurück zur Kasse";
    try_again: "Try again", "Försök igen", "Erneut versuchen";

    hero_eyebrow: "From a workshop by the lake", "Från en verkstad vid sjön", "Aus einer Werkstatt am See";
    hero_title: "Small goods for slow days", "Små ting för långsamma dagar", "Kleine Dinge für langsame Tage";
    hero_text: "Eight things we use every day and would make again. Nothing more on the shelf than that.", "Åtta saker som vi använder varje dag och skulle göra om igen. Mer än så finns inte på hyllan.", "Acht Dinge, die wir jeden Tag benutzen und wieder so machen würden. Mehr steht nicht im Regal.";
    hero_button: "See the shelf", "Se hyllan", "Zum Regal";
    shelf_title: "On the shelf", "På hyllan", "Im Regal";
    prices_include_tax: "Prices include VAT", "Priserna inkluderar moms", "Preise inkl. MwSt., zzgl. Versand";
    prices_exclude_tax: "Prices exclude sales tax", "Priserna är utan skatt", "Preise ohne Steuer";
    promises: "What we promise", "Vad vi lovar", "Was wir versprechen";
    promise_made: "Made to be kept", "Gjort för att behållas", "Gemacht, um zu bleiben";
    promise_made_text: "If it breaks in ordinary use, we mend it.", "Går det sönder vid vanligt bruk lagar vi det.", "Geht etwas bei normalem Gebrauch kaputt, reparieren wir es.";
    promise_pay: "Pay with Klarna", "Betala med Klarna", "Bezahlen mit Klarna";
    promise_pay_text: "Choose how to pay at checkout.", "Välj hur du vill betala i kassan.", "Wählen Sie an der Kasse, wie Sie bezahlen möchten.";
    promise_return: "Thirty days", "Trettio dagar", "Dreißig Tage";
    promise_return_text: "Change your mind and send it back.", "Ändra dig och skicka tillbaka.", "Anders überlegt? Einfach zurückschicken.";

    quantity: "Quantity", "Antal", "Menge";
    add_to_cart: "Add to cart", "Lägg i varukorgen", "In den Warenkorb";
    added: "It is in your cart.", "Den ligger i din varukorg.", "Liegt in Ihrem Warenkorb.";
    go_to_cart: "Go to cart", "Till varukorgen", "Zum Warenkorb";
    cart_empty: "Nothing here yet.", "Här är tomt än så länge.", "Hier ist noch nichts.";
    cart_changed: "Your cart was changed.", "Din varukorg har ändrats.", "Ihr Warenkorb wurde geändert.";
    update_cart: "Update cart", "Uppdatera varukorgen", "Warenkorb aktualisieren";
    remove: "Remove", "Ta bort", "Entfernen";
    summary: "Summary", "Sammanfattning", "Übersicht";
    to_checkout: "Go to checkout", "Till kassan", "Zur Kasse";
    keep_looking: "Keep looking around", "Fortsätt titta runt", "Weiter umsehen";
    code_label: "Discount code or gift card", "Rabattkod eller presentkort", "Rabattcode oder Gutschein";
    code_help: "Try WELCOME10 or GIFT50.", "Prova WELCOME10 eller GIFT50.", "Probieren Sie WELCOME10 oder GIFT50.";
    apply: "Apply", "Använd", "Einlösen";
    discount: "Discount", "Rabatt", "Rabatt";
    discount_meaning: "10% off", "10 % rabatt", "10 % Rabatt";
    gift_card: "Gift card", "Presentkort", "Geschenkkarte";
    goods: "Goods", "Varor", "Waren";
    free: "Free", "Gratis", "Kostenlos";
    sales_tax: "Sales tax", "Skatt", "Steuer";
    of_which_tax: "Of which VAT", "Varav moms", "Darin MwSt.";
    total: "Total", "Totalt", "Gesamt";

    checkout: "Checkout", "Kassa", "Kasse";
    change_cart: "Change the cart", "Ändra varukorgen", "Warenkorb ändern";
    contact: "Contact", "Kontakt", "Kontakt";
    address: "Address", "Adress", "Adresse";
    country: "Country", "Land", "Land";
    elsewhere: "Send it to a different address", "Skicka till en annan adress", "An eine andere Adresse liefern";
    elsewhere_title: "Delivery address", "Leveransadress", "Lieferadresse";
    delivery: "Delivery", "Leverans", "Lieferung";
    update_delivery: "Choose this delivery", "Välj den här leveransen", "Diese Lieferung wählen";
    shipping_standard: "Home delivery", "Hemleverans", "Lieferung nach Hause";
    shipping_express: "Express delivery", "Expressleverans", "Expresslieferung";
    shipping_collect: "Collect from the workshop", "Hämta i verkstaden", "Abholung in der Werkstatt";
    promise_standard: "2 to 4 working days", "2–4 arbetsdagar", "2–4 Werktage";
    promise_express: "Next working day", "Nästa arbetsdag", "Nächster Werktag";
    promise_collect: "Ready tomorrow", "Klart i morgon", "Morgen bereit";
    field_email: "Email", "E-post", "E-Mail";
    field_phone: "Phone", "Telefon", "Telefon";
    field_given_name: "First name", "Förnamn", "Vorname";
    field_family_name: "Last name", "Efternamn", "Nachname";
    field_street_address: "Street and number", "Gata och nummer", "Straße und Hausnummer";
    field_street_address2: "Apartment, floor", "Lägenhet, våning", "Adresszusatz";
    field_postal_code: "Postal code", "Postnummer", "Postleitzahl";
    field_city: "City", "Ort", "Ort";
    field_region: "State", "Region", "Region";
    optional: "(optional)", "(valfritt)", "(optional)";
    choose: "Choose", "Välj", "Auswählen";
    try_it: "Klarna's test persons:", "Klarnas testpersoner:", "Klarnas Testpersonen:";
    person_approved: "Fill in approved", "Fyll i godkänd", "Genehmigte einsetzen";
    person_denied: "Fill in denied", "Fyll i nekad", "Abgelehnte einsetzen";

    payment: "Payment", "Betalning", "Zahlung";
    klarna_subheader: "Now, later or over time. You choose in the next step.", "Direkt, senare eller över tid. Du väljer i nästa steg.", "Sofort, später oder in Raten. Sie wählen im nächsten Schritt.";
    continue_with_klarna: "Continue with Klarna", "Fortsätt med Klarna", "Weiter mit Klarna";
    place_order: "Order and pay", "Beställ och betala", "Zahlungspflichtig bestellen";
    transfer: "Bank transfer (demo)", "Banköverföring (demo)", "Überweisung (Demo)";
    transfer_text: "We send the goods when the money has arrived.", "Vi skickar varorna när pengarna har kommit.", "Wir versenden, sobald das Geld eingegangen ist.";
    nothing_to_pay: "Your gift card covers everything. There is nothing left to pay.", "Ditt presentkort täcker allt. Det finns inget kvar att betala.", "Ihre Geschenkkarte deckt alles ab. Es bleibt nichts zu bezahlen.";
    agree_before: "By ordering you accept our", "Genom att beställa godkänner du våra", "Mit Ihrer Bestellung akzeptieren Sie unsere";
    agree_klarna: "Your details go to Klarna only when you choose to pay with Klarna. Read about", "Dina uppgifter går till Klarna först när du väljer att betala med Klarna. Läs om", "Ihre Angaben gehen erst an Klarna, wenn Sie mit Klarna bezahlen. Mehr unter";
    klarna_needs_scripts: "Klarna needs JavaScript, which your browser does not run. Turn it on, or choose bank transfer.", "Klarna behöver JavaScript, som din webbläsare inte kör. Slå på det, eller välj banköverföring.", "Klarna benötigt JavaScript, das Ihr Browser nicht ausführt. Schalten Sie es ein oder wählen Sie Überweisung.";
    klarna_later: "Not available right now. Your cart is safe.", "Går inte att använda just nu. Din varukorg finns kvar.", "Im Moment nicht verfügbar. Ihr Warenkorb bleibt erhalten.";
    klarna_loading: "Klarna is still loading. Try again in a moment.", "Klarna laddas fortfarande. Försök igen om ett ögonblick.", "Klarna wird noch geladen. Versuchen Sie es gleich noch einmal.";
    klarna_unreachable: "Klarna could not be loaded. Check your connection and load the page again, or choose another way to pay.", "Klarna kunde inte laddas. Kontrollera anslutningen och ladda om sidan, eller välj ett annat sätt att betala.", "Klarna konnte nicht geladen werden. Prüfen Sie die Verbindung und laden Sie die Seite neu, oder wählen Sie eine andere Zahlungsart.";
    klarna_denied: "Klarna is not available for this purchase. Please choose another way to pay.", "Klarna kan inte användas för det här köpet. Välj ett annat sätt att betala.", "Klarna ist für diesen Einkauf nicht verfügbar. Bitte wählen Sie eine andere Zahlungsart.";
    klarna_refused: "Klarna could not accept this purchase. Nothing has been charged. Please choose another way to pay.", "Klarna kunde inte godkänna köpet. Inget har debiterats. Välj ett annat sätt att betala.", "Klarna konnte diesen Einkauf nicht annehmen. Es wurde nichts belastet. Bitte wählen Sie eine andere Zahlungsart.";
    klarna_aborted: "The purchase was not finished. You can continue with Klarna or choose another way to pay.", "Köpet slutfördes inte. Du kan fortsätta med Klarna eller välja ett annat sätt att betala.", "Der Einkauf wurde nicht abgeschlossen. Sie können mit Klarna fortfahren oder eine andere Zahlungsart wählen.";
    klarna_fix: "Some details need another look. They are marked above.", "Några uppgifter behöver ses över. De är markerade ovan.", "Einige Angaben müssen geprüft werden. Sie sind oben markiert.";
    error_klarna_field: "Klarna could not accept this. Please check it.", "Klarna kunde inte godta detta. Kontrollera uppgiften.", "Klarna konnte dies nicht annehmen. Bitte prüfen.";
    checkout_changed: "Your cart has changed since this page was opened. The summary is up to date now; please look it over.", "Din varukorg har ändrats sedan sidan öppnades. Sammanfattningen är nu uppdaterad; titta igenom den.", "Ihr Warenkorb hat sich geändert, seit diese Seite geöffnet wurde. Die Übersicht ist jetzt aktuell; bitte prüfen Sie sie.";
    authorizing: "Complete your purchase in Klarna's window.", "Slutför köpet i Klarnas fönster.", "Schließen Sie den Einkauf im Fenster von Klarna ab.";
    confirming: "Approved. We are placing your order.", "Godkänt. Vi lägger din beställning.", "Genehmigt. Ihre Bestellung wird aufgegeben.";
    retrying: "The connection was lost. We keep trying; you will not be charged twice.", "Anslutningen bröts. Vi fortsätter försöka; du debiteras inte två gånger.", "Die Verbindung ist abgebrochen. Wir versuchen es weiter; Sie zahlen nicht doppelt.";
    confirmation_lost: "We cannot reach our server. Your approval is kept: load this page again to go on. You will not be charged twice.", "Vi når inte vår server. Ditt godkännande är sparat: ladda om sidan för att fortsätta. Du debiteras inte två gånger.", "Wir erreichen unseren Server nicht. Ihre Genehmigung bleibt erhalten: Laden Sie die Seite neu, um fortzufahren. Sie zahlen nicht doppelt.";
    confirmation_failed: "Something is wrong on our side and the order was not placed. Nothing has been charged. Please choose another way to pay.", "Något är fel hos oss och beställningen lades inte. Inget har debiterats. Välj ett annat sätt att betala.", "Bei uns ist etwas schiefgegangen, die Bestellung wurde nicht aufgegeben. Es wurde nichts belastet. Bitte wählen Sie eine andere Zahlungsart.";
    approve_again: "The approval could not be used, perhaps because the cart changed or too much time passed. Please check the summary and continue with Klarna again.", "Godkännandet kunde inte användas, kanske för att varukorgen ändrades eller för att det gått för lång tid. Kontrollera sammanfattningen och fortsätt med Klarna igen.", "Die Genehmigung konnte nicht verwendet werden, vielleicht weil sich der Warenkorb geändert hat oder zu viel Zeit vergangen ist. Bitte prüfen Sie die Übersicht und fahren Sie erneut mit Klarna fort.";
    offline: "You seem to be offline. Check your connection and try again.", "Du verkar vara offline. Kontrollera anslutningen och försök igen.", "Sie scheinen offline zu sein. Prüfen Sie die Verbindung und versuchen Sie es erneut.";

    waiting_title: "Your order is being placed", "Din beställning läggs", "Ihre Bestellung wird aufgegeben";
    waiting_text: "This usually takes a few seconds. You can leave this page open.", "Det tar oftast några sekunder. Du kan låta sidan vara öppen.", "Das dauert meist nur Sekunden. Sie können diese Seite geöffnet lassen.";
    waiting_slow: "It takes longer than usual. Your approval is safe and you will not be charged twice.", "Det tar längre tid än vanligt. Ditt godkännande är säkert och du debiteras inte två gånger.", "Es dauert länger als üblich. Ihre Genehmigung ist sicher, und Sie zahlen nicht doppelt.";
    look_again: "Look again", "Titta igen", "Noch einmal nachsehen";
    thanks: "Thank you for your order", "Tack för din beställning", "Vielen Dank für Ihre Bestellung";
    thanks_text: "We have it, and the workshop is already looking for a box.", "Vi har den, och verkstaden letar redan efter en låda.", "Sie ist da, und die Werkstatt sucht schon einen Karton.";
    order: "Order", "Beställning", "Bestellung";
    order_number: "Order number", "Ordernummer", "Bestellnummer";
    date: "Date", "Datum", "Datum";
    paid_with: "Payment", "Betalning", "Zahlung";
    pending: "Klarna is taking a closer look at this purchase. We send your goods as soon as it is done.", "Klarna tittar lite närmare på köpet. Vi skickar dina varor så snart det är klart.", "Klarna sieht sich diesen Einkauf genauer an. Wir versenden, sobald das erledigt ist.";
    next_title: "What happens next", "Vad som händer nu", "Wie es weitergeht";
    next_klarna: "We pack your goods and send them. You find the purchase and everything about paying in the Klarna app.", "Vi packar dina varor och skickar dem. Köpet och allt om betalningen hittar du i Klarnas app.", "Wir packen Ihre Waren und schicken sie los. Den Einkauf und alles zur Zahlung finden Sie in der Klarna-App.";
    next_transfer: "Transfer the total and give the order number as the message. This is a demo: please do not really do it.", "Överför beloppet och ange ordernumret som meddelande. Det här är en demo: gör det inte på riktigt.", "Überweisen Sie den Betrag mit der Bestellnummer als Verwendungszweck. Dies ist eine Demo: bitte nicht wirklich überweisen.";
    next_nothing: "Everything is paid. We pack your goods and send them.", "Allt är betalt. Vi packar dina varor och skickar dem.", "Alles ist bezahlt. Wir packen Ihre Waren und schicken sie los.";
    follow_order: "Follow your order", "Följ din beställning", "Bestellung verfolgen";
    klarna_help: "Questions about the payment? Klarna's customer service helps:", "Frågor om betalningen? Klarnas kundtjänst hjälper till:", "Fragen zur Zahlung? Der Kundenservice von Klarna hilft:";
    status_received: "Received", "Mottagen", "Eingegangen";
    status_packing: "Being packed", "Packas", "Wird gepackt";
    status_sent: "On its way", "På väg", "Unterwegs";
    status_part_sent: "A part has been sent.", "En del har skickats.", "Ein Teil wurde versandt.";
    status_cancelled: "This order was cancelled. Nothing will be charged.", "Beställningen har avbrutits. Inget debiteras.", "Diese Bestellung wurde storniert. Es wird nichts berechnet.";
    status_unknown: "The order is placed. How far it is cannot be read at the moment; look again in a minute.", "Beställningen är lagd. Hur långt den har kommit går inte att läsa just nu; titta igen om en minut.", "Die Bestellung ist aufgegeben. Der Stand lässt sich gerade nicht abrufen; sehen Sie gleich noch einmal nach.";
    refunded: "Refunded", "Återbetalt", "Erstattet";
    no_orders: "No orders from this browser yet.", "Inga beställningar från den här webbläsaren än.", "Noch keine Bestellungen aus diesem Browser.";
    orders_text: "Orders placed from this browser.", "Beställningar från den här webbläsaren.", "Bestellungen aus diesem Browser.";
    unpaid_title: "This purchase was not completed", "Köpet slutfördes inte", "Dieser Einkauf wurde nicht abgeschlossen";
    unpaid_text: "Nothing has been charged. Your cart is still here.", "Inget har debiterats. Din varukorg finns kvar.", "Es wurde nichts belastet. Ihr Warenkorb ist noch da.";

    missing_title: "Not on this shelf", "Inte på den här hyllan", "Nicht in diesem Regal";
    missing_text: "What you are looking for is not here, or not any more.", "Det du letar efter finns inte här, eller inte längre.", "Was Sie suchen, ist nicht hier oder nicht mehr.";
    later_title: "One moment, please", "Ett ögonblick", "Einen Moment, bitte";
    later_text: "We cannot read your order right now. It is safe; look again in a few seconds.", "Vi kan inte läsa din beställning just nu. Den är säker; titta igen om några sekunder.", "Wir können Ihre Bestellung gerade nicht abrufen. Sie ist sicher; sehen Sie in einigen Sekunden noch einmal nach.";
    foreign_title: "This form has expired", "Formuläret gäller inte längre", "Dieses Formular ist abgelaufen";
    foreign_text: "For your safety we take forms only from our own pages, in a browser that keeps our cookies. Go back, load the page again and send it once more.", "För din säkerhet tar vi bara emot formulär från våra egna sidor, i en webbläsare som sparar våra kakor. Gå tillbaka, ladda om sidan och skicka igen.", "Zu Ihrer Sicherheit nehmen wir Formulare nur von unseren eigenen Seiten an, in einem Browser, der unsere Cookies behält. Gehen Sie zurück, laden Sie die Seite neu und senden Sie sie noch einmal.";
    no_market_title: "We do not sell there yet", "Dit säljer vi inte än", "Dorthin verkaufen wir noch nicht";
    no_market_text: "Choose one of the countries in the menu at the top.", "Välj ett av länderna i menyn högst upp.", "Wählen Sie eines der Länder im Menü oben.";
    error_required: "Please fill this in.", "Fyll i detta.", "Bitte ausfüllen.";
    error_too_long: "This text is too long, or has signs that cannot be printed.", "Texten är för lång, eller har tecken som inte kan skrivas ut.", "Dieser Text ist zu lang oder enthält Zeichen, die nicht gedruckt werden können.";
    error_email: "Write an address like name@example.com.", "Skriv en adress som namn@exempel.se.", "Schreiben Sie eine Adresse wie name@beispiel.de.";
    error_phone: "Write a number with its country code, digits only.", "Skriv ett nummer med landskod, bara siffror.", "Schreiben Sie eine Nummer mit Landesvorwahl, nur Ziffern.";
    error_postal_code: "This is not a postal code of the chosen country.", "Det här är inget postnummer i det valda landet.", "Das ist keine Postleitzahl des gewählten Landes.";
    error_name: "A name has at least two letters.", "Ett namn har minst två bokstäver.", "Ein Name hat mindestens zwei Buchstaben.";
    error_quantity: "Choose a whole number from 1 to 99.", "Välj ett heltal från 1 till 99.", "Wählen Sie eine ganze Zahl von 1 bis 99.";
    error_code: "We do not know this code. Check the spelling.", "Vi känner inte till koden. Kontrollera stavningen.", "Diesen Code kennen wir nicht. Prüfen Sie die Schreibweise.";

    terms_1: "Tallvik is a demonstration. Its goods do not exist, its orders are not sent, and nobody is charged for them.", "Tallvik är en demonstration. Varorna finns inte, beställningarna skickas inte och ingen debiteras för dem.", "Tallvik ist eine Vorführung. Die Waren gibt es nicht, Bestellungen werden nicht versandt, und niemandem wird etwas berechnet.";
    terms_2: "A real shop writes here who sells, how the contract comes about, when goods are sent, and how to withdraw within fourteen days.", "En riktig butik skriver här vem som säljer, hur avtalet ingås, när varorna skickas och hur man ångrar sig inom fjorton dagar.", "Ein echter Shop schreibt hier, wer verkauft, wie der Vertrag zustande kommt, wann versandt wird und wie man binnen vierzehn Tagen widerruft.";
    terms_3: "Payments with Klarna are made under Klarna's own terms, which are shown before you approve. Which ways to pay you are offered depends on your country and on Klarna's assessment.", "Betalning med Klarna sker enligt Klarnas egna villkor, som visas innan du godkänner. Vilka betalsätt du erbjuds beror på ditt land och på Klarnas bedömning.", "Für Zahlungen mit Klarna gelten die Bedingungen von Klarna, die Sie vor der Freigabe sehen. Welche Zahlungsarten angeboten werden, hängt von Ihrem Land und der Prüfung durch Klarna ab.";
    terms_klarna_link: "Klarna", "Klarna", "Klarna";
    privacy_1: "To offer you Klarna we tell Klarna what is in your cart, but not who you are. Only when you choose Klarna and continue do your contact and address details go to Klarna, which uses them to assess and handle the payment.", "För att kunna erbjuda Klarna berättar vi för Klarna vad som ligger i varukorgen, men inte vem du är. Först när du väljer Klarna och går vidare får Klarna dina kontakt- och adressuppgifter, för att bedöma och hantera betalningen.", "Um Ihnen Klarna anzubieten, teilen wir Klarna mit, was im Warenkorb liegt, aber nicht, wer Sie sind. Erst wenn Sie Klarna wählen und fortfahren, erhält Klarna Ihre Kontakt- und Adressdaten, um die Zahlung zu prüfen und abzuwickeln.";
    privacy_2: "We keep your cart, your country and the numbers of your orders in signed cookies in your own browser. They are needed for the shop to work; there are no others.", "Vi sparar din varukorg, ditt land och dina ordernummer i signerade kakor i din egen webbläsare. De behövs för att butiken ska fungera; några andra finns inte.", "Wir speichern Ihren Warenkorb, Ihr Land und Ihre Bestellnummern in signierten Cookies in Ihrem eigenen Browser. Sie sind für den Shop nötig; andere gibt es nicht.";
    privacy_3: "What you type at the checkout stays in this browser tab until the order is placed, so that nothing is lost when you reload.", "Det du skriver i kassan stannar i den här webbläsarfliken tills beställningen är lagd, så att inget går förlorat när du laddar om.", "Was Sie an der Kasse eingeben, bleibt in diesem Browser-Tab, bis die Bestellung aufgegeben ist, damit beim Neuladen nichts verloren geht.";
    privacy_4: "Klarna's library may keep data in your browser to recognise the device and to prevent fraud.", "Klarnas bibliotek kan spara uppgifter i din webbläsare för att känna igen enheten och förhindra bedrägerier.", "Die Bibliothek von Klarna kann Daten in Ihrem Browser speichern, um das Gerät zu erkennen und Betrug zu verhindern.";
    privacy_klarna_link: "Klarna's privacy notice", "Klarnas integritetsmeddelande", "Datenschutzhinweise von Klarna";
    help_q1: "How can I pay?", "Hur kan jag betala?", "Wie kann ich bezahlen?";
    help_a1: "With Klarna, in the ways that Klarna offers in your country, or by bank transfer.", "Med Klarna, på de sätt som Klarna erbjuder i ditt land, eller med banköverföring.", "Mit Klarna, auf die Arten, die Klarna in Ihrem Land anbietet, oder per Überweisung.";
    help_q2: "Why was I not offered Klarna?", "Varför fick jag inte betala med Klarna?", "Warum wurde mir Klarna nicht angeboten?";
    help_a2: "Klarna decides purchase by purchase. We do not see the reasons; Klarna's customer service can tell you more. You can always pay by bank transfer.", "Klarna bedömer varje köp för sig. Vi ser inte skälen; Klarnas kundtjänst kan berätta mer. Du kan alltid betala med banköverföring.", "Klarna entscheidet bei jedem Einkauf neu. Wir sehen die Gründe nicht; der Kundenservice von Klarna kann mehr sagen. Überweisung ist immer möglich.";
    help_q3: "When am I charged?", "När debiteras jag?", "Wann wird abgebucht?";
    help_a3: "We ask Klarna for the money when we send your goods, never before.", "Vi begär pengarna av Klarna när vi skickar dina varor, aldrig tidigare.", "Wir fordern das Geld bei Klarna an, wenn wir Ihre Waren versenden, nie vorher.";
    help_q4: "How do I send something back?", "Hur lämnar jag tillbaka något?", "Wie schicke ich etwas zurück?";
    help_a4: "Within thirty days, in the box it came in. We refund through Klarna as soon as it arrives.", "Inom trettio dagar, i lådan den kom i. Vi återbetalar genom Klarna så snart den kommer fram.", "Innerhalb von dreißig Tagen im selben Karton. Wir erstatten über Klarna, sobald es ankommt.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_as_each_country_writes_them() {
        let at: Timestamp = "2026-03-05T12:00:00Z".parse().unwrap();
        assert_eq!(Language::Swedish.date("SE", at), "5 mars 2026");
        assert_eq!(Language::German.date("DE", at), "5. März 2026");
        assert_eq!(Language::English.date("GB", at), "5 March 2026");
        assert_eq!(Language::English.date("US", at), "March 5, 2026");
    }

    #[test]
    fn klarnas_button_has_the_copy_of_the_market() {
        assert_eq!(Language::English.texts().continue_with_klarna, "Continue with Klarna");
        assert_eq!(Language::Swedish.texts().continue_with_klarna, "Fortsätt med Klarna");
        assert_eq!(Language::German.texts().continue_with_klarna, "Weiter mit Klarna");
    }

    #[test]
    fn numbers_of_pieces_have_their_words() {
        assert_eq!(Language::Swedish.texts().pieces(1), "1 vara");
        assert_eq!(Language::English.texts().pieces(3), "3 items");
    }
}
