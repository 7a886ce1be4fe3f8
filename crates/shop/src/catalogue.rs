//! What the shop sells.
//!
//! A price list per currency, in minor units: with tax where the market shows prices with tax,
//! without where it does not. No price is ever converted. Words are in the shop's languages.

use crate::language::Language;
use crate::market::Market;
use crate::money::Currency;

/// One thing for sale.
#[derive(Debug)]
pub struct Product {
    /// Its name in addresses, and its reference on order lines.
    pub slug: &'static str,
    /// Which tax rate of the market it has.
    pub tax_class: TaxClass,
    name: [&'static str; 3],
    line: [&'static str; 3],
    story: [&'static str; 3],
    facts: [&'static [&'static str]; 3],
    sek: i64,
    eur: i64,
    gbp: i64,
    usd: i64,
}

/// Which of a market's tax rates applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxClass {
    /// Ordinary goods.
    Standard,
    /// Books.
    Book,
    /// Food.
    Food,
}

impl Product {
    /// The name in a language.
    pub fn name(&self, language: Language) -> &'static str {
        language.pick(self.name)
    }

    /// One line under the name.
    pub fn line(&self, language: Language) -> &'static str {
        language.pick(self.line)
    }

    /// The paragraph on the product's page.
    pub fn story(&self, language: Language) -> &'static str {
        language.pick(self.story)
    }

    /// Short facts: material, size, care.
    pub fn facts(&self, language: Language) -> &'static [&'static str] {
        language.pick(self.facts)
    }

    /// The price in a currency, in minor units.
    pub fn price(&self, currency: Currency) -> i64 {
        match currency {
            Currency::Sek => self.sek,
            Currency::Eur => self.eur,
            Currency::Gbp => self.gbp,
            Currency::Usd => self.usd,
        }
    }

    /// The tax rate in a market, in hundredths of a percent.
    pub fn tax_rate(&self, market: &Market) -> i64 {
        match self.tax_class {
            TaxClass::Standard => market.standard_rate,
            TaxClass::Book => market.book_rate,
            TaxClass::Food => market.food_rate,
        }
    }
}

/// The product with this slug.
pub fn find(slug: &str) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.slug == slug)
}

/// Everything for sale, in the order of the shelf.
pub static PRODUCTS: &[Product] = &[
    Product {
        slug: "mist-mug",
        tax_class: TaxClass::Standard,
        name: ["Mist mug", "Muggen Dis", "Becher Dunst"],
        line: [
            "Stoneware, glazed like a grey morning",
            "Stengods, glaserat som en grå morgon",
            "Steinzeug, glasiert wie ein grauer Morgen",
        ],
        story: [
            "Thrown by hand, dipped twice and left with a bare foot, so that no two are quite alike. It holds a generous cup and keeps it warm for as long as a good conversation takes.",
            "Drejad för hand, doppad två gånger och lämnad med bar fot, så att ingen är den andra riktigt lik. Den rymmer en rejäl kopp och håller den varm så länge ett gott samtal varar.",
            "Von Hand gedreht, zweimal getaucht und unten unglasiert, sodass keiner dem anderen ganz gleicht. Er fasst eine großzügige Tasse und hält sie warm, so lange ein gutes Gespräch dauert.",
        ],
        facts: [
            &["35 cl", "Stoneware", "Dishwasher safe"],
            &["35 cl", "Stengods", "Tål maskindisk"],
            &["35 cl", "Steinzeug", "Spülmaschinenfest"],
        ],
        sek: 24_900,
        eur: 2_490,
        gbp: 2_200,
        usd: 2_600,
    },
    Product {
        slug: "harbour-throw",
        tax_class: TaxClass::Standard,
        name: ["Harbour throw", "Pläden Hamn", "Wolldecke Hafen"],
        line: [
            "Lambswool in three quiet stripes",
            "Lammull i tre stillsamma ränder",
            "Lammwolle mit drei ruhigen Streifen",
        ],
        story: [
            "Woven from undyed lambswool with three bands the colour of wet quay stones. Light enough for a shoulder, large enough for two.",
            "Vävd av ofärgad lammull med tre band i samma ton som våta kajstenar. Lätt nog för en axel, stor nog för två.",
            "Gewebt aus ungefärbter Lammwolle mit drei Bändern im Ton nasser Kaisteine. Leicht genug für die Schultern, groß genug für zwei.",
        ],
        facts: [
            &["130 × 180 cm", "Lambswool", "Hand wash, dry flat"],
            &["130 × 180 cm", "Lammull", "Handtvätt, plantorkas"],
            &["130 × 180 cm", "Lammwolle", "Handwäsche, liegend trocknen"],
        ],
        sek: 129_900,
        eur: 11_900,
        gbp: 9_900,
        usd: 12_900,
    },
    Product {
        slug: "beeswax-candles",
        tax_class: TaxClass::Standard,
        name: ["Beeswax candles", "Bivaxljus", "Bienenwachskerzen"],
        line: [
            "A pair that burns slowly and smells of summer",
            "Ett par som brinner sakta och doftar sommar",
            "Ein Paar, das langsam brennt und nach Sommer duftet",
        ],
        story: [
            "Dipped thirty times in pure wax from one valley. They burn for nine hours each with a steady, honest flame.",
            "Stöpta trettio gånger i rent vax från en och samma dal. De brinner nio timmar var med en stadig, ärlig låga.",
            "Dreißigmal getaucht in reines Wachs aus einem einzigen Tal. Jede brennt neun Stunden mit ruhiger, ehrlicher Flamme.",
        ],
        facts: [
            &["2 × 24 cm", "Pure beeswax", "9 hours each"],
            &["2 × 24 cm", "Rent bivax", "9 timmar per ljus"],
            &["2 × 24 cm", "Reines Bienenwachs", "Je 9 Stunden"],
        ],
        sek: 17_900,
        eur: 1_790,
        gbp: 1_550,
        usd: 1_850,
    },
    Product {
        slug: "oak-board",
        tax_class: TaxClass::Standard,
        name: ["Oak board", "Skärbrädan Ek", "Schneidebrett Eiche"],
        line: [
            "For bread, cheese and years of use",
            "För bröd, ost och åratal av användning",
            "Für Brot, Käse und viele Jahre",
        ],
        story: [
            "One piece of slow-grown oak with a rounded handle. Oil it twice a year and it will outlive the kitchen.",
            "Ett enda stycke senvuxen ek med rundat handtag. Olja den två gånger om året så överlever den köket.",
            "Ein einziges Stück langsam gewachsener Eiche mit rundem Griff. Zweimal im Jahr geölt, überlebt es die Küche.",
        ],
        facts: [
            &["42 × 20 cm", "Solid oak", "Wipe clean, oil now and then"],
            &["42 × 20 cm", "Massiv ek", "Torkas av, oljas ibland"],
            &["42 × 20 cm", "Massive Eiche", "Abwischen, gelegentlich ölen"],
        ],
        sek: 44_900,
        eur: 4_290,
        gbp: 3_700,
        usd: 4_400,
    },
    Product {
        slug: "shore-birds",
        tax_class: TaxClass::Book,
        name: [
            "Shore birds, a pocket book",
            "Strandfåglar, en fickbok",
            "Küstenvögel, ein Taschenbuch",
        ],
        line: [
            "Sixty birds, drawn where they stood",
            "Sextio fåglar, tecknade där de stod",
            "Sechzig Vögel, gezeichnet, wo sie standen",
        ],
        story: [
            "Small enough for a coat pocket, sewn so that it lies flat on a rock. Each bird has one page, one drawing and one thing worth knowing.",
            "Liten nog för rockfickan, trådbunden så att den ligger platt på en klippa. Varje fågel får en sida, en teckning och en sak värd att veta.",
            "Klein genug für die Manteltasche, fadengebunden, damit es flach auf einem Felsen liegt. Jeder Vogel hat eine Seite, eine Zeichnung und eine Sache, die sich zu wissen lohnt.",
        ],
        facts: [
            &["128 pages", "Thread-sewn", "11 × 17 cm"],
            &["128 sidor", "Trådbunden", "11 × 17 cm"],
            &["128 Seiten", "Fadenheftung", "11 × 17 cm"],
        ],
        sek: 22_900,
        eur: 2_190,
        gbp: 1_800,
        usd: 2_100,
    },
    Product {
        slug: "smoke-tea",
        tax_class: TaxClass::Food,
        name: ["Smoke & pine tea", "Te med rök och tall", "Tee mit Rauch und Kiefer"],
        line: [
            "Black leaves dried over pinewood",
            "Svarta blad torkade över tallved",
            "Schwarze Blätter, über Kiefernholz getrocknet",
        ],
        story: [
            "Whole leaves, a little smoke and the tips of young pine. It tastes like coming in from the cold.",
            "Hela blad, lite rök och skott av ung tall. Det smakar som att komma in från kylan.",
            "Ganze Blätter, etwas Rauch und die Spitzen junger Kiefern. Er schmeckt, als käme man aus der Kälte herein.",
        ],
        facts: [
            &["100 g", "About 45 cups", "Resealable tin"],
            &["100 g", "Cirka 45 koppar", "Återförslutbar burk"],
            &["100 g", "Etwa 45 Tassen", "Wiederverschließbare Dose"],
        ],
        sek: 14_500,
        eur: 1_390,
        gbp: 1_150,
        usd: 1_400,
    },
    Product {
        slug: "dusk-lamp",
        tax_class: TaxClass::Standard,
        name: ["Dusk lamp", "Lampan Skymning", "Leuchte Dämmerung"],
        line: [
            "Enamelled steel, warm and low",
            "Emaljerat stål, varmt och lågt ljus",
            "Emailliertes Stahlblech, warm und tief",
        ],
        story: [
            "A shade spun from steel and enamelled in clay red. The light falls where you read and nowhere else.",
            "En skärm tryckt i stål och emaljerad i lerrött. Ljuset faller där du läser och ingen annanstans.",
            "Ein Schirm aus gedrücktem Stahl, lehmrot emailliert. Das Licht fällt dorthin, wo Sie lesen, und nirgendwo sonst.",
        ],
        facts: [
            &["Height 38 cm", "Enamelled steel", "Dimmable, bulb included"],
            &["Höjd 38 cm", "Emaljerat stål", "Dimbar, ljuskälla ingår"],
            &["Höhe 38 cm", "Emailliertes Stahlblech", "Dimmbar, mit Leuchtmittel"],
        ],
        sek: 189_900,
        eur: 17_900,
        gbp: 14_900,
        usd: 18_900,
    },
    Product {
        slug: "market-bag",
        tax_class: TaxClass::Standard,
        name: ["Market bag", "Torgväskan", "Markttasche"],
        line: [
            "Waxed canvas with leather handles",
            "Vaxad kanvas med läderhandtag",
            "Gewachstes Segeltuch mit Ledergriffen",
        ],
        story: [
            "Sewn with sailmaker's thread to carry more than it should. The wax turns rain away and ages into something of your own.",
            "Sydd med segelmakartråd för att bära mer än den borde. Vaxet håller regnet borta och åldras till något eget.",
            "Mit Segelmachergarn genäht, um mehr zu tragen, als sie sollte. Das Wachs hält Regen ab und altert zu etwas Eigenem.",
        ],
        facts: [
            &["40 × 36 × 14 cm", "Waxed cotton, leather", "Carries 20 kg"],
            &["40 × 36 × 14 cm", "Vaxad bomull, läder", "Bär 20 kg"],
            &["40 × 36 × 14 cm", "Gewachste Baumwolle, Leder", "Trägt 20 kg"],
        ],
        sek: 69_900,
        eur: 6_490,
        gbp: 5_500,
        usd: 6_800,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_words_and_prices_everywhere() {
        let mut slugs = std::collections::HashSet::new();
        for product in PRODUCTS {
            assert!(slugs.insert(product.slug), "{} twice", product.slug);
            assert!(product.slug.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
            for language in Language::ALL {
                assert!(!product.name(language).is_empty());
                assert!(!product.line(language).is_empty());
                assert!(!product.story(language).is_empty());
                assert_eq!(product.facts(language).len(), 3);
            }
            for currency in Currency::ALL {
                assert!(product.price(currency) > 0);
            }
            assert!(find(product.slug).is_some());
        }
        assert!(find("nothing").is_none());
    }
}
