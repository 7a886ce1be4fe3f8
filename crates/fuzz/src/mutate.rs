//! A plain generator of inputs: seeds, changed here and there, always the same way for the same seed
//! number. It knows nothing of coverage; for that there is the engine.

/// What text in our formats is made of, so that changes are not only noise.
const WORDS: &[&str] = &[
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "0",
    "-1",
    "1e400",
    "0.5",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "200000001",
    "\"SE\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    ",",
    ":",
    ";",
    "\n",
    "..",
    "/",
    "../",
    "%2e%2e",
    "\\",
    "{{",
    "}}",
    "{{session_id}}",
    "{session.id}",
    "P1D",
    "PT1S",
    "P9999Y",
    "-P1D",
    "\u{feff}",
    "\u{202e}",
    "ä",
    "😀",
    "2026-02-30T25:61:61Z",
    "9999-12-31T23:59:59.999Z",
    "Infinity",
    "NaN",
    "\"",
    "\\",
    "\r\n",
    "\u{0}",
];

/// Changes inputs.
#[derive(Debug, Clone)]
pub struct Mutator(u64);

impl Mutator {
    /// Begins at a seed number.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next random number (xorshift64*).
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// An input made of one of the seeds.
    pub fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut data = match seeds.len() {
            0 => Vec::new(),
            count => seeds[self.below(count)].clone(),
        };
        for _ in 0..=self.below(6) {
            self.change(&mut data, seeds);
        }
        data.truncate(64 * 1024);
        data
    }

    fn change(&mut self, data: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(data.len() + 1);
        let end = at + self.below(data.len() - at + 1).min(32);
        match self.below(8) {
            0 if at < data.len() => data[at] ^= 1 << self.below(8),
            1 if at < data.len() => data[at] = self.next().to_le_bytes()[0],
            2 => drop(data.drain(at..end)),
            3 => {
                let again: Vec<u8> = data[at..end].to_vec();
                for _ in 0..=self.below(40) {
                    data.splice(at..at, again.iter().copied());
                }
            }
            4 if !seeds.is_empty() => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                let until = from + self.below(other.len() - from + 1);
                data.splice(at..end, other[from..until].iter().copied());
            }
            // A whole value of JSON in place of another.
            5 | 6 => {
                let starts: Vec<usize> = (0..data.len()).filter(|at| data[*at] == b':').collect();
                let word = WORDS[self.below(WORDS.len())];
                if starts.is_empty() {
                    data.splice(at..end, word.bytes());
                } else {
                    let start = starts[self.below(starts.len())] + 1;
                    let length = data[start..]
                        .iter()
                        .position(|byte| matches!(byte, b',' | b'}' | b']'))
                        .unwrap_or(0);
                    data.splice(start..start + length, word.bytes());
                }
            }
            _ => drop(data.splice(at..at, WORDS[self.below(WORDS.len())].bytes())),
        }
    }
}
