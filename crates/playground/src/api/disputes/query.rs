//! Reading the filters of a list. A list of values is a repeated key; commas, and brackets after the key,
//! are understood, too.

use jiff::Timestamp;

/// The parameters of a call, and what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
    problems: Vec<(String, String)>,
}

impl Query {
    /// Reads the part of the URL after the question mark.
    pub(super) fn parse(raw: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(raw.unwrap_or_default().as_bytes())
            .map(|(name, value)| {
                (name.strip_suffix("[]").unwrap_or(&name).to_owned(), value.into_owned())
            })
            .collect();
        Self { pairs, problems: Vec::new() }
    }

    /// Notes that a parameter breaks a rule.
    pub(super) fn refuse(&mut self, name: &str, reason: impl Into<String>) {
        self.problems.push((name.to_owned(), reason.into()));
    }

    /// All values of a parameter: at most `max`, each of 1 to 255 characters.
    pub(super) fn list(&mut self, name: &str, max: usize) -> Vec<String> {
        let values: Vec<String> = self
            .pairs
            .iter()
            .filter(|(key, _)| key == name)
            .flat_map(|(_, value)| value.split(','))
            .map(str::to_owned)
            .collect();
        if values.len() > max {
            self.refuse(name, format!("has {} values, at most {max} are allowed", values.len()));
        }
        if values.iter().any(|value| value.is_empty() || value.chars().count() > 255) {
            self.refuse(name, "a value has 1 to 255 characters");
        }
        values
    }

    /// All values of a parameter, each translated; those that cannot be are refused.
    pub(super) fn each<T>(
        &mut self,
        name: &str,
        max: usize,
        translate: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let mut translated = Vec::new();
        for value in self.list(name, max) {
            match translate(&value) {
                Some(value) => translated.push(value),
                None => self.refuse(name, format!("{value:?} is not one of the known values")),
            }
        }
        translated
    }

    /// The only value of a parameter.
    pub(super) fn one(&mut self, name: &str) -> Option<String> {
        let mut values = self.pairs.iter().filter(|(key, _)| key == name);
        let first = values.next().map(|(_, value)| value.clone());
        if values.next().is_some() {
            self.refuse(name, "was sent more than once");
        }
        first
    }

    /// A number within bounds.
    pub(super) fn number(&mut self, name: &str, min: i64, max: i64) -> Option<i64> {
        let text = self.one(name)?;
        match text.parse::<i64>() {
            Ok(number) if (min..=max).contains(&number) => Some(number),
            _ => {
                self.refuse(name, format!("is not a number from {min} to {max}"));
                None
            }
        }
    }

    /// A point in time.
    pub(super) fn time(&mut self, name: &str) -> Option<i64> {
        let text = self.one(name)?;
        let at = text.parse::<Timestamp>().ok();
        if at.is_none() {
            self.refuse(name, "is not a point in time");
        }
        at.map(Timestamp::as_millisecond)
    }

    /// A point in time that is written with exactly three decimals and a `Z`.
    pub(super) fn time_with_milliseconds(&mut self, name: &str) -> Option<i64> {
        let text = self.one(name)?;
        match text.parse::<Timestamp>() {
            Ok(at) if format!("{at:.3}") == text => Some(at.as_millisecond()),
            _ => {
                self.refuse(name, "is not a point in time of the form YYYY-MM-DDTHH:mm:ss.sssZ");
                None
            }
        }
    }

    /// What is wrong, if anything is.
    pub(super) fn problems(self) -> Vec<(String, String)> {
        self.problems
    }
}
