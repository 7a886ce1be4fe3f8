//! Bars by day, drawn on the server: a picture with a name and a description, and the same figures as a
//! table for whoever does not see it. The picture stretches with the page, so it holds no text.

use klarna_types::{Currency, MinorUnits};
use maud::{Markup, html};

use super::format;

/// How high a picture is, in its own units.
const HEIGHT: i64 = 200;
/// How wide a day is.
const STEP: i64 = 10;

/// What bars stand for.
#[derive(Debug, Clone)]
pub(super) enum Unit {
    /// Amounts in minor units.
    Money(Currency),
    /// Things that are counted.
    Count,
}

impl Unit {
    fn says(&self, value: i64) -> String {
        match self {
            Self::Money(currency) => format::money(MinorUnits::new(value), currency),
            Self::Count => value.to_string(),
        }
    }
}

/// One kind of bar: its name, and the class that gives it a colour.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// Its name, for people.
    pub(super) name: &'static str,
    /// The class of its bars.
    pub(super) class: &'static str,
}

/// A chart of bars by day, one kind upon the other.
#[derive(Debug, Clone)]
pub(super) struct Chart {
    /// What the ids of its parts begin with.
    pub(super) id: &'static str,
    /// What it shows.
    pub(super) title: &'static str,
    /// What it comes to, in a sentence.
    pub(super) says: String,
    /// What its bars stand for.
    pub(super) unit: Unit,
    /// Its kinds of bars, the lowest first.
    pub(super) kinds: Vec<Kind>,
    /// The days, the first one first: a date, and a value for each kind.
    pub(super) days: Vec<(String, Vec<i64>)>,
}

/// How high a bar is where `greatest` is as high as the picture. What is there is seen.
fn height(value: i64, greatest: i64) -> i64 {
    if value <= 0 || greatest <= 0 {
        return 0;
    }
    let high = i128::from(value) * i128::from(HEIGHT) / i128::from(greatest);
    i64::try_from(high).unwrap_or(HEIGHT).clamp(2, HEIGHT)
}

fn sum(values: &[i64]) -> i64 {
    values.iter().fold(0_i64, |sum, value| sum.saturating_add((*value).max(0)))
}

impl Chart {
    /// The picture, what it says, and the table.
    pub(super) fn draw(&self) -> Markup {
        let greatest = self.days.iter().map(|(_, values)| sum(values)).max().unwrap_or(0);
        let wide = STEP * i64::try_from(self.days.len()).unwrap_or(1).max(1);
        let (title, says) = (format!("{}-title", self.id), format!("{}-says", self.id));
        let ends = self.days.first().zip(self.days.last());
        html! {
            section.card.chart aria-labelledby=(format!("{}-heading", self.id)) {
                h2 id=(format!("{}-heading", self.id)) { (self.title) }
                p.small.muted { (self.says) }
                @if greatest > 0 {
                    p.scale.small.muted aria-hidden="true" { (self.unit.says(greatest)) }
                    svg viewBox=(format!("0 0 {wide} {HEIGHT}")) preserveAspectRatio="none"
                        role="img" aria-labelledby=(format!("{title} {says}")) {
                        title id=(title) { (self.title) " by day" }
                        desc id=(says) { (self.says) }
                        @for (place, (date, values)) in (0_i64..).zip(&self.days) {
                            (self.bars(place, date, values, greatest))
                        }
                    }
                    @if let Some(((first, _), (last, _))) = ends {
                        p.ends.small.muted aria-hidden="true" { span { (first) } span { (last) } }
                    }
                    @if self.kinds.len() > 1 {
                        ul.legend.small {
                            @for kind in &self.kinds { li { span class={ "dot " (kind.class) } {} (kind.name) } }
                        }
                    }
                    (self.table())
                } @else {
                    p.nothing.muted { "Nothing in these days." }
                }
            }
        }
    }

    fn bars(&self, place: i64, date: &str, values: &[i64], greatest: i64) -> Markup {
        let told: Vec<String> = self
            .kinds
            .iter()
            .zip(values)
            .map(|(kind, value)| format!("{} {}", kind.name.to_lowercase(), self.unit.says(*value)))
            .collect();
        let mut below = 0;
        let stacked: Vec<(i64, i64, &str)> = self
            .kinds
            .iter()
            .zip(values)
            .map(|(kind, value)| {
                let high = height(*value, greatest).min(HEIGHT - below);
                below += high;
                (HEIGHT - below, high, kind.class)
            })
            .collect();
        html! {
            g {
                title { (date) ": " (told.join(", ")) }
                // The whole day can be pointed at.
                rect.day x=(place * STEP) y="0" width=(STEP) height=(HEIGHT) {}
                @for (top, high, class) in stacked {
                    @if high > 0 {
                        rect class=(class) x=(place * STEP + 1) y=(top) width=(STEP - 2) height=(high) {}
                    }
                }
            }
        }
    }

    /// The days on which something was.
    fn table(&self) -> Markup {
        html! {
            details.figures {
                summary { "As a table" }
                div.scroll tabindex="0" role="region" aria-label={ (self.title) " by day" } {
                    table {
                        thead {
                            tr {
                                th scope="col" { "Day (UTC)" }
                                @for kind in &self.kinds { th.number scope="col" { (kind.name) } }
                            }
                        }
                        tbody {
                            @for (date, values) in self.days.iter().rev() {
                                @if values.iter().any(|value| *value != 0) {
                                    tr {
                                        th scope="row" { (date) }
                                        @for value in values { td.number { (self.unit.says(*value)) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chart(days: Vec<(String, Vec<i64>)>) -> String {
        Chart {
            id: "c",
            title: "Captured",
            says: "Something.".to_owned(),
            unit: Unit::Count,
            kinds: vec![Kind { name: "A", class: "kept" }, Kind { name: "B", class: "refunded" }],
            days,
        }
        .draw()
        .into_string()
    }

    proptest! {
        /// Whatever the figures, no bar leaves the picture, and what is there is seen.
        #[test]
        fn bars_stay_in_the_picture(value: i64, greatest: i64) {
            let high = height(value, greatest);
            prop_assert!((0..=HEIGHT).contains(&high));
            prop_assert_eq!(high == 0, value <= 0 || greatest <= 0);
            let drawn = chart(vec![("2031-01-01".to_owned(), vec![value, greatest])]);
            prop_assert!(!drawn.contains("height=\"-") && !drawn.contains("y=\"-"));
        }
    }

    #[test]
    fn a_chart_is_named_and_has_a_table() {
        let drawn = chart(vec![
            ("2031-01-01".to_owned(), vec![0, 0]),
            ("2031-01-02".to_owned(), vec![3, 1]),
        ]);
        for part in [
            "role=\"img\" aria-labelledby=\"c-title c-says\"",
            "<title id=\"c-title\">Captured by day</title>",
            "<title>2031-01-02: a 3, b 1</title>",
            "<th scope=\"row\">2031-01-02</th><td class=\"number\">3</td>",
        ] {
            assert!(drawn.contains(part), "{part}: {drawn}");
        }
        assert!(!drawn.contains("style="), "{drawn}");
        assert!(!drawn.contains("<th scope=\"row\">2031-01-01"), "an empty day is no row");
        assert!(chart(Vec::new()).contains("Nothing in these days"));
    }
}
