//! What placements say, language by language. `{count}`, `{amount}` and `{days}` are filled in by
//! whoever shows the text; a sentence ends without a full stop, since the name may follow.

/// The texts of one language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts {
    /// Equal parts without interest.
    pub(crate) instalments: &'static str,
    /// All of it later.
    pub(crate) pay_later: &'static str,
    /// Monthly payments with interest.
    pub(crate) financing: &'static str,
    /// In general, without an amount.
    pub(crate) strip: &'static str,
    /// Where the shopper stands in a store.
    pub(crate) in_store: &'static str,
    /// The name, as it follows a sentence. Its last word is the name.
    pub(crate) with_klarna: &'static str,
    /// In front of a sentence: the alternative to the price.
    pub(crate) or: &'static str,
    /// How it goes, in a sentence or two.
    pub(crate) how: &'static str,
    /// What has to be said beside a promise of credit.
    pub(crate) legal: &'static str,
    /// What opens the explanation.
    pub(crate) learn_more: &'static str,
    /// What closes it.
    pub(crate) close: &'static str,
}

/// The texts of a language; English for one that no market speaks.
pub(crate) fn of(language: &str) -> &'static Texts {
    match language {
        "cs" => &CS,
        "da" => &DA,
        "de" => &DE,
        "el" => &EL,
        "es" => &ES,
        "fi" => &FI,
        "fr" => &FR,
        "hu" => &HU,
        "it" => &IT,
        "nb" | "no" => &NB,
        "nl" => &NL,
        "pl" => &PL,
        "pt" => &PT,
        "ro" => &RO,
        "sk" => &SK,
        "sv" => &SV,
        _ => &EN,
    }
}

/// What is said in the United States to whoever wants to know beforehand how much they may spend.
pub(crate) fn prequalification(language: &str) -> &'static str {
    match language {
        "es" => "Comprueba cuánto puedes gastar",
        _ => "See how much you can spend",
    }
}

const EN: Texts = Texts {
    instalments: "Pay in {count} interest-free payments of {amount}",
    pay_later: "Pay {amount} in {days} days, interest-free",
    financing: "Pay from {amount} a month",
    strip: "Shop now and pay later",
    in_store: "Pay at your own pace in the store",
    with_klarna: "with Klarna",
    or: "Or",
    how: "Choose Klarna at checkout, decide how to pay and approve it with your phone.",
    legal: "18+. Example terms of a test environment, no credit is given.",
    learn_more: "Learn more",
    close: "Close",
};

const CS: Texts = Texts {
    instalments: "Zaplať ve {count} bezúročných splátkách po {amount}",
    pay_later: "Zaplať {amount} za {days} dní bez úroků",
    financing: "Plať od {amount} měsíčně",
    strip: "Nakup teď a zaplať později",
    in_store: "Zaplať v prodejně svým tempem",
    with_klarna: "s Klarnou",
    or: "Nebo",
    how: "Při placení zvol Klarnu, rozhodni se, jak zaplatíš, a potvrď to telefonem.",
    legal: "18+. Ukázkové podmínky testovacího prostředí, úvěr se neposkytuje.",
    learn_more: "Více informací",
    close: "Zavřít",
};

const DA: Texts = Texts {
    instalments: "Betal {amount} ad gangen i {count} rentefrie rater",
    pay_later: "Betal {amount} om {days} dage uden renter",
    financing: "Betal fra {amount} om måneden",
    strip: "Køb nu, og betal senere",
    in_store: "Betal i butikken i dit eget tempo",
    with_klarna: "med Klarna",
    or: "Eller",
    how: "Vælg Klarna ved kassen, bestem hvordan du vil betale, og godkend med telefonen.",
    legal: "18+. Eksempelvilkår i et testmiljø, der ydes ingen kredit.",
    learn_more: "Læs mere",
    close: "Luk",
};

const DE: Texts = Texts {
    instalments: "Zahle in {count} zinsfreien Raten zu je {amount}",
    pay_later: "Zahle {amount} in {days} Tagen, ohne Zinsen",
    financing: "Zahle ab {amount} im Monat",
    strip: "Jetzt kaufen und später bezahlen",
    in_store: "Zahle im Geschäft in deinem Tempo",
    with_klarna: "mit Klarna",
    or: "Oder",
    how: "Wähle an der Kasse Klarna, entscheide, wie du bezahlst, und bestätige mit dem Handy.",
    legal: "Ab 18. Beispielbedingungen einer Testumgebung, es wird kein Kredit vergeben.",
    learn_more: "Mehr erfahren",
    close: "Schließen",
};

const EL: Texts = Texts {
    instalments: "Πλήρωσε σε {count} άτοκες δόσεις των {amount}",
    pay_later: "Πλήρωσε {amount} σε {days} ημέρες, χωρίς τόκο",
    financing: "Πλήρωσε από {amount} τον μήνα",
    strip: "Αγόρασε τώρα και πλήρωσε αργότερα",
    in_store: "Πλήρωσε στο κατάστημα με τον ρυθμό σου",
    with_klarna: "με την Klarna",
    or: "Ή",
    how: "Επίλεξε Klarna στο ταμείο, αποφάσισε πώς θα πληρώσεις και επιβεβαίωσε με το κινητό.",
    legal: "18+. Ενδεικτικοί όροι δοκιμαστικού περιβάλλοντος, δεν παρέχεται πίστωση.",
    learn_more: "Μάθε περισσότερα",
    close: "Κλείσιμο",
};

const ES: Texts = Texts {
    instalments: "Paga en {count} plazos sin intereses de {amount}",
    pay_later: "Paga {amount} en {days} días, sin intereses",
    financing: "Paga desde {amount} al mes",
    strip: "Compra ahora y paga después",
    in_store: "Paga en la tienda a tu ritmo",
    with_klarna: "con Klarna",
    or: "O",
    how: "Elige Klarna al pagar, decide cómo quieres pagar y confírmalo con tu teléfono.",
    legal: "18+. Condiciones de ejemplo de un entorno de pruebas, no se concede crédito.",
    learn_more: "Más información",
    close: "Cerrar",
};

const FI: Texts = Texts {
    instalments: "Maksa {count} korottomassa erässä, {amount} kerrallaan",
    pay_later: "Maksa {amount} {days} päivän päästä, ilman korkoa",
    financing: "Maksa alkaen {amount} kuukaudessa",
    strip: "Osta nyt ja maksa myöhemmin",
    in_store: "Maksa myymälässä omaan tahtiisi",
    with_klarna: "Klarnalla",
    or: "Tai",
    how: "Valitse kassalla Klarna, päätä miten maksat ja vahvista puhelimellasi.",
    legal: "18+. Testiympäristön esimerkkiehdot, luottoa ei myönnetä.",
    learn_more: "Lue lisää",
    close: "Sulje",
};

const FR: Texts = Texts {
    instalments: "Payez en {count} fois sans frais, {amount} à chaque fois",
    pay_later: "Payez {amount} dans {days} jours, sans intérêts",
    financing: "Payez à partir de {amount} par mois",
    strip: "Achetez maintenant et payez plus tard",
    in_store: "Payez en magasin à votre rythme",
    with_klarna: "avec Klarna",
    or: "Ou",
    how: "Choisissez Klarna au moment de payer, décidez comment payer et confirmez sur votre téléphone.",
    legal: "18+. Conditions d’exemple d’un environnement de test, aucun crédit n’est accordé.",
    learn_more: "En savoir plus",
    close: "Fermer",
};

const HU: Texts = Texts {
    instalments: "Fizess {count} kamatmentes részletben, alkalmanként {amount}",
    pay_later: "Fizess {amount} összeget {days} nap múlva, kamat nélkül",
    financing: "Fizess havi {amount} összegtől",
    strip: "Vásárolj most, fizess később",
    in_store: "Fizess az üzletben a saját tempódban",
    with_klarna: "Klarnával",
    or: "Vagy",
    how: "Válaszd a Klarnát a pénztárnál, döntsd el, hogyan fizetsz, és hagyd jóvá a telefonoddal.",
    legal: "18+. Tesztkörnyezet mintafeltételei, hitelt nem nyújtunk.",
    learn_more: "További információ",
    close: "Bezárás",
};

const IT: Texts = Texts {
    instalments: "Paga in {count} rate senza interessi da {amount}",
    pay_later: "Paga {amount} tra {days} giorni, senza interessi",
    financing: "Paga a partire da {amount} al mese",
    strip: "Compra ora e paga dopo",
    in_store: "Paga in negozio con i tuoi tempi",
    with_klarna: "con Klarna",
    or: "Oppure",
    how: "Scegli Klarna alla cassa, decidi come pagare e conferma con il telefono.",
    legal: "18+. Condizioni di esempio di un ambiente di prova, non viene concesso credito.",
    learn_more: "Scopri di più",
    close: "Chiudi",
};

const NB: Texts = Texts {
    instalments: "Betal i {count} rentefrie deler på {amount}",
    pay_later: "Betal {amount} om {days} dager uten renter",
    financing: "Betal fra {amount} i måneden",
    strip: "Kjøp nå og betal senere",
    in_store: "Betal i butikken i ditt eget tempo",
    with_klarna: "med Klarna",
    or: "Eller",
    how: "Velg Klarna i kassen, bestem hvordan du vil betale, og godkjenn med telefonen.",
    legal: "18+. Eksempelvilkår i et testmiljø, det gis ingen kreditt.",
    learn_more: "Les mer",
    close: "Lukk",
};

const NL: Texts = Texts {
    instalments: "Betaal in {count} rentevrije delen van {amount}",
    pay_later: "Betaal {amount} over {days} dagen, zonder rente",
    financing: "Betaal vanaf {amount} per maand",
    strip: "Koop nu en betaal later",
    in_store: "Betaal in de winkel in je eigen tempo",
    with_klarna: "met Klarna",
    or: "Of",
    how: "Kies Klarna bij het afrekenen, beslis hoe je betaalt en bevestig met je telefoon.",
    legal: "18+. Voorbeeldvoorwaarden van een testomgeving, er wordt geen krediet verstrekt.",
    learn_more: "Meer informatie",
    close: "Sluiten",
};

const PL: Texts = Texts {
    instalments: "Zapłać w {count} nieoprocentowanych ratach po {amount}",
    pay_later: "Zapłać {amount} za {days} dni, bez odsetek",
    financing: "Płać od {amount} miesięcznie",
    strip: "Kup teraz i zapłać później",
    in_store: "Zapłać w sklepie we własnym tempie",
    with_klarna: "z Klarną",
    or: "Lub",
    how: "Wybierz Klarna przy kasie, zdecyduj, jak zapłacisz, i potwierdź telefonem.",
    legal: "18+. Przykładowe warunki środowiska testowego, kredyt nie jest udzielany.",
    learn_more: "Dowiedz się więcej",
    close: "Zamknij",
};

const PT: Texts = Texts {
    instalments: "Paga em {count} prestações sem juros de {amount}",
    pay_later: "Paga {amount} em {days} dias, sem juros",
    financing: "Paga a partir de {amount} por mês",
    strip: "Compra agora e paga mais tarde",
    in_store: "Paga na loja ao teu ritmo",
    with_klarna: "com Klarna",
    or: "Ou",
    how: "Escolhe Klarna ao pagar, decide como queres pagar e confirma com o telemóvel.",
    legal: "18+. Condições de exemplo de um ambiente de teste, não é concedido crédito.",
    learn_more: "Saber mais",
    close: "Fechar",
};

const RO: Texts = Texts {
    instalments: "Plătește în {count} rate fără dobândă de {amount}",
    pay_later: "Plătește {amount} în {days} de zile, fără dobândă",
    financing: "Plătește de la {amount} pe lună",
    strip: "Cumpără acum și plătește mai târziu",
    in_store: "Plătește în magazin în ritmul tău",
    with_klarna: "cu Klarna",
    or: "Sau",
    how: "Alege Klarna la plată, decide cum plătești și confirmă cu telefonul.",
    legal: "18+. Condiții de exemplu ale unui mediu de test, nu se acordă credit.",
    learn_more: "Află mai multe",
    close: "Închide",
};

const SK: Texts = Texts {
    instalments: "Zaplať v {count} bezúročných splátkach po {amount}",
    pay_later: "Zaplať {amount} o {days} dní bez úrokov",
    financing: "Plať od {amount} mesačne",
    strip: "Nakúp teraz a zaplať neskôr",
    in_store: "Zaplať v predajni vlastným tempom",
    with_klarna: "s Klarnou",
    or: "Alebo",
    how: "Pri platbe zvoľ Klarnu, rozhodni sa, ako zaplatíš, a potvrď to telefónom.",
    legal: "18+. Vzorové podmienky testovacieho prostredia, úver sa neposkytuje.",
    learn_more: "Viac informácií",
    close: "Zavrieť",
};

const SV: Texts = Texts {
    instalments: "Betala i {count} räntefria delar om {amount}",
    pay_later: "Betala {amount} om {days} dagar, räntefritt",
    financing: "Betala från {amount} i månaden",
    strip: "Handla nu och betala senare",
    in_store: "Betala i butiken i din egen takt",
    with_klarna: "med Klarna",
    or: "Eller",
    how: "Välj Klarna i kassan, bestäm hur du vill betala och godkänn med telefonen.",
    legal: "18 år. Exempelvillkor i en testmiljö, ingen kredit ges.",
    learn_more: "Läs mer",
    close: "Stäng",
};
