//! Messages that Klarna would send to a shopper, and their words.
//!
//! Nothing is ever sent: the messages are kept for whoever plays the shopper. Words exist in English,
//! Swedish and German; every other locale reads English.

use klarna_types::{Currency, Locale, MerchantId, MinorUnits};

/// Most characters of an amount's digits stand without a separator.
const GROUP: usize = 3;

/// The way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// To an e-mail address.
    Email,
    /// To a phone number.
    Sms,
    /// To the app on the phone whose code was scanned.
    Token,
}

impl Channel {
    const ALL: [Self; 3] = [Self::Email, Self::Sms, Self::Token];

    /// As stored and shown.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Token => "token",
        }
    }

    /// The channel of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == name)
    }
}

/// A message. It holds personal data and a link that lets its bearer pay, so it does not print.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// For which merchant.
    pub(crate) merchant_id: MerchantId,
    /// The way it goes.
    pub(crate) channel: Channel,
    /// An e-mail address, a phone number or an access id.
    pub(crate) to: String,
    /// The language it is written in.
    pub(crate) locale: Locale,
    /// Of an e-mail; what the others show first.
    pub(crate) subject: String,
    /// Without the link.
    pub(crate) text: String,
    /// Where it leads.
    pub(crate) link: String,
    /// What it is about: the id of a hosted or a payment session.
    pub(crate) subject_id: String,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("merchant_id", &self.merchant_id)
            .field("channel", &self.channel)
            .field("subject_id", &self.subject_id)
            .finish_non_exhaustive()
    }
}

/// The words of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    /// Of an e-mail; what the others show first.
    pub(crate) subject: String,
    /// Without the link.
    pub(crate) text: String,
}

/// A language that the playground writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// And whatever has no words of its own.
    English,
    /// Swedish.
    Swedish,
    /// German.
    German,
}

impl Language {
    /// The language to write to a locale in.
    pub(crate) fn of(locale: &Locale) -> Self {
        match locale.as_str().get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("sv") => Self::Swedish,
            Some("de") => Self::German,
            _ => Self::English,
        }
    }

    /// Its tag, for `lang`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Swedish => "sv",
            Self::German => "de",
        }
    }

    /// An amount as it is written in this language, its currency behind it: `1 234,50 SEK`. The space
    /// between groups does not break a line.
    pub(crate) fn amount(self, amount: MinorUnits, currency: &Currency) -> String {
        let plain = amount.to_decimal(currency.exponent());
        let (sign, digits) = match plain.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", plain.as_str()),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        let (group, point) = match self {
            Self::English => (',', '.'),
            Self::Swedish => ('\u{a0}', ','),
            Self::German => ('.', ','),
        };
        let mut text = String::from(sign);
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(GROUP) {
                text.push(group);
            }
            text.push(digit);
        }
        if let Some(fraction) = fraction {
            text.push(point);
            text.push_str(fraction);
        }
        text.push('\u{a0}');
        text.push_str(currency.as_str());
        text
    }
}

/// Asks the shopper to pay by the link that comes with it. `amount` is written by
/// [`Language::amount`].
pub(crate) fn payment_link(language: Language, reference: Option<&str>, amount: &str) -> Words {
    let purchase = match (language, reference) {
        (Language::English, Some(reference)) => format!("your purchase {reference}"),
        (Language::English, None) => "your purchase".to_owned(),
        (Language::Swedish, Some(reference)) => format!("ditt köp {reference}"),
        (Language::Swedish, None) => "ditt köp".to_owned(),
        (Language::German, Some(reference)) => format!("Ihren Einkauf {reference}"),
        (Language::German, None) => "Ihren Einkauf".to_owned(),
    };
    match language {
        Language::English => Words {
            subject: format!("Pay {amount} for {purchase}"),
            text: format!(
                "The store has prepared {purchase} of {amount}. Open the link to choose how to pay. \
                 It works once, and for two days at most."
            ),
        },
        Language::Swedish => Words {
            subject: format!("Betala {amount} för {purchase}"),
            text: format!(
                "Butiken har förberett {purchase} på {amount}. Öppna länken och välj hur du vill \
                 betala. Den gäller en gång och i högst två dagar."
            ),
        },
        Language::German => Words {
            subject: format!("{amount} für {purchase} bezahlen"),
            text: format!(
                "Das Geschäft hat {purchase} über {amount} vorbereitet. Öffnen Sie den Link und \
                 wählen Sie, wie Sie bezahlen möchten. Er gilt einmal und höchstens zwei Tage."
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_written_as_the_language_does() {
        let amount = MinorUnits::new(123_456_789);
        let cases = [
            (Language::English, "1,234,567.89\u{a0}SEK"),
            (Language::Swedish, "1\u{a0}234\u{a0}567,89\u{a0}SEK"),
            (Language::German, "1.234.567,89\u{a0}SEK"),
        ];
        for (language, expected) in cases {
            assert_eq!(language.amount(amount, &Currency::SEK), expected);
        }
        assert_eq!(Language::English.amount(MinorUnits::new(-5), &Currency::EUR), "-0.05\u{a0}EUR");
        assert_eq!(Language::German.amount(MinorUnits::new(100), &Currency::EUR), "1,00\u{a0}EUR");
    }

    #[test]
    fn a_locale_reads_its_own_language_or_english() {
        let cases = [
            ("sv-SE", Language::Swedish),
            ("sv-FI", Language::Swedish),
            ("de-AT", Language::German),
            ("fi-FI", Language::English),
            ("x", Language::English),
            ("é", Language::English),
        ];
        for (locale, expected) in cases {
            assert_eq!(Language::of(&Locale::new(locale)), expected, "{locale}");
        }
    }

    #[test]
    fn messages_name_the_amount_and_the_reference() {
        for language in [Language::English, Language::Swedish, Language::German] {
            let words = payment_link(language, Some("POS-7"), "1.00 EUR");
            for text in [&words.subject, &words.text] {
                assert!(text.contains("POS-7") && text.contains("1.00 EUR"), "{text}");
            }
            assert!(!payment_link(language, None, "1").text.contains("  "));
        }
    }

    #[test]
    fn a_message_does_not_print_whom_it_goes_to() {
        let message = Message {
            merchant_id: "K1".into(),
            channel: Channel::Email,
            to: "alice@example.com".to_owned(),
            locale: Locale::new("en-GB"),
            subject: "s".to_owned(),
            text: "t".to_owned(),
            link: "http://secret".to_owned(),
            subject_id: "h".to_owned(),
        };
        let printed = format!("{message:?}");
        assert!(!printed.contains("alice") && !printed.contains("secret"), "{printed}");
    }

    proptest! {
        #[test]
        fn the_digits_of_an_amount_are_kept(amount in any::<i64>()) {
            let amount = MinorUnits::new(amount);
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            for language in [Language::English, Language::Swedish, Language::German] {
                let written = language.amount(amount, &Currency::EUR);
                prop_assert_eq!(digits(&written), digits(&amount.to_decimal(2)));
            }
        }
    }
}
