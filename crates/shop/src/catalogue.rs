//! What the shop sells.
//!
//! A price list per currency, in minor units: with tax where the market shows prices with tax,
//! without where it does not. No price is ever converted. The words are in `language`.

use crate::language::{Goods, Language, Words};
use crate::market::Market;
use crate::money::Currency;

/// One thing for sale.
#[derive(Debug)]
pub struct Product {
    /// Its name in addresses, and its reference on order lines.
    pub slug: &'static str,
    /// Which tax rate of the market it has.
    pub tax_class: TaxClass,
    /// How often it is sent.
    pub rhythm: Rhythm,
    /// What it is drawn and described as: a thing that is sent every month is the thing itself.
    pub page: &'static str,
    words: fn(&'static Goods) -> &'static Words,
    prices: [i64; 15],
}

/// How often something is sent, and paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    /// Once.
    Once,
    /// Now, and every month until the shopper ends it.
    Monthly,
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
        (self.words)(language.goods()).name
    }

    /// The name as it stands on an order, which says how often it is sent.
    pub fn full_name(&self, language: Language) -> String {
        match self.rhythm {
            Rhythm::Once => self.name(language).to_owned(),
            Rhythm::Monthly => format!("{} · {}", self.name(language), language.texts().monthly),
        }
    }

    /// The same thing, sent every month, if it can be had so.
    pub fn monthly(&self) -> Option<&'static Self> {
        (self.page == MONTHLY.page).then_some(&MONTHLY)
    }

    /// One line under the name.
    pub fn line(&self, language: Language) -> &'static str {
        (self.words)(language.goods()).line
    }

    /// The paragraph on the product's page.
    pub fn story(&self, language: Language) -> &'static str {
        (self.words)(language.goods()).story
    }

    /// Short facts: material, size, care.
    pub fn facts(&self, language: Language) -> &'static [&'static str] {
        &(self.words)(language.goods()).facts
    }

    /// The price in a currency, in minor units.
    pub fn price(&self, currency: Currency) -> i64 {
        // The list has a price for each currency; a test says that they stand where they belong.
        self.prices.get(currency as usize).copied().unwrap_or_default()
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
    PRODUCTS.iter().chain([&MONTHLY]).find(|product| product.slug == slug)
}

/// What a tin of tea costs, once or every month.
const TEA: [i64; 15] = [
    2_100, 1_900, 1_500, 34_500, 10_500, 1_390, 1_150, 560_000, 28_500, 15_900, 2_300, 5_990,
    6_900, 14_500, 1_400,
];

/// The one thing that can be had every month.
static MONTHLY: Product = Product {
    slug: "smoke-tea-monthly",
    tax_class: TaxClass::Food,
    rhythm: Rhythm::Monthly,
    page: "smoke-tea",
    words: |goods| &goods.smoke_tea,
    prices: TEA,
};

/// Everything for sale, in the order of the shelf. Prices are in the order of [`Currency::ALL`].
pub static PRODUCTS: &[Product] = &[
    Product {
        slug: "mist-mug",
        tax_class: TaxClass::Standard,
        rhythm: Rhythm::Once,
        page: "mist-mug",
        words: |goods| &goods.mist_mug,
        prices: [
            3_900, 3_500, 2_700, 59_900, 18_900, 2_490, 2_200, 990_000, 52_900, 27_900, 4_200,
            10_900, 12_500, 24_900, 2_600,
        ],
    },
    Product {
        slug: "harbour-throw",
        tax_class: TaxClass::Standard,
        rhythm: Rhythm::Once,
        page: "harbour-throw",
        words: |goods| &goods.harbour_throw,
        prices: [
            19_900, 17_500, 12_900, 299_900, 89_900, 11_900, 9_900, 4_790_000, 259_900, 139_900,
            21_500, 51_900, 59_900, 129_900, 12_900,
        ],
    },
    Product {
        slug: "beeswax-candles",
        tax_class: TaxClass::Standard,
        rhythm: Rhythm::Once,
        page: "beeswax-candles",
        words: |goods| &goods.beeswax_candles,
        prices: [
            2_800, 2_500, 1_950, 43_900, 13_500, 1_790, 1_550, 720_000, 37_900, 19_900, 3_100,
            7_900, 8_900, 17_900, 1_850,
        ],
    },
    Product {
        slug: "oak-board",
        tax_class: TaxClass::Standard,
        rhythm: Rhythm::Once,
        page: "oak-board",
        words: |goods| &goods.oak_board,
        prices: [
            6_700, 5_900, 4_600, 105_900, 31_900, 4_290, 3_700, 1_720_000, 89_900, 48_900, 7_300,
            18_500, 21_500, 44_900, 4_400,
        ],
    },
    Product {
        slug: "shore-birds",
        tax_class: TaxClass::Book,
        rhythm: Rhythm::Once,
        page: "shore-birds",
        words: |goods| &goods.shore_birds,
        prices: [
            3_200, 2_850, 2_350, 53_900, 16_500, 2_190, 1_800, 880_000, 42_900, 24_900, 3_500,
            9_500, 10_900, 22_900, 2_100,
        ],
    },
    Product {
        slug: "smoke-tea",
        tax_class: TaxClass::Food,
        rhythm: Rhythm::Once,
        page: "smoke-tea",
        words: |goods| &goods.smoke_tea,
        prices: TEA,
    },
    Product {
        slug: "dusk-lamp",
        tax_class: TaxClass::Standard,
        rhythm: Rhythm::Once,
        page: "dusk-lamp",
        words: |goods| &goods.dusk_lamp,
        prices: [
            28_900, 25_900, 19_500, 449_900, 134_900, 17_900, 14_900, 7_200_000, 379_900, 204_900,
            31_500, 77_900, 89_900, 189_900, 18_900,
        ],
    },
    Product {
        slug: "market-bag",
        tax_class: TaxClass::Standard,
        rhythm: Rhythm::Once,
        page: "market-bag",
        words: |goods| &goods.market_bag,
        prices: [
            10_500, 9_200, 6_900, 159_900, 48_900, 6_490, 5_500, 2_600_000, 138_900, 75_900,
            11_400, 28_200, 32_500, 69_900, 6_800,
        ],
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
        for (place, currency) in Currency::ALL.into_iter().enumerate() {
            assert_eq!(currency as usize, place);
        }
        let mug = find("mist-mug").unwrap();
        assert_eq!((mug.price(Currency::Sek), mug.price(Currency::Usd)), (24_900, 2_600));
        assert!(find("nothing").is_none());
    }
}
