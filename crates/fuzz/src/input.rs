//! Numbers and texts out of bytes, for what is not read from text in the first place.

/// The rest of an input. At its end it gives zeros and nothing.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// All of an input.
    pub fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left, as text; what is none is replaced.
    pub fn rest(self) -> String {
        String::from_utf8_lossy(self.0).into_owned()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound.max(1)
    }

    /// One of a list.
    pub fn choice<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// Any number, small ones, large ones and the greatest more often than chance would.
    pub fn number(&mut self) -> i64 {
        let mut take = |bytes: usize| {
            (0..bytes).fold(0_i64, |number, _| (number << 8) | i64::from(self.byte()))
        };
        match take(1) {
            kind @ 0..=99 => kind,
            100..=199 => take(2),
            200..=229 => take(4),
            230..=239 => -take(3),
            240..=246 => take(8),
            247 => i64::MAX,
            248 => i64::MIN,
            249 => -1,
            250 => 200_000_000,
            251 => 200_000_001,
            252 => 10_000,
            253 => 10_001,
            254 => i64::MAX - 1,
            _ => 0,
        }
    }

    /// Bytes up to the next one of the value 255, or all.
    pub fn bytes(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == 255);
        let (taken, rest) = match end {
            Some(end) => (&self.0[..end], &self.0[end + 1..]),
            None => (self.0, &self.0[self.0.len()..]),
        };
        self.0 = rest;
        taken
    }

    /// The same as text.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
}
