//! Reads QR images the way a phone does, written apart from what makes them.
//!
//! Only what tests need: upright images without damage, versions 1 to 6 (106 bytes), error correction
//! level M, which is read but not used.

/// Blocks, and data code words in each, at level M by version.
const BLOCKS: [(usize, usize); 6] = [(1, 16), (1, 28), (1, 44), (2, 32), (2, 43), (4, 27)];
/// The format bits of level M.
const LEVEL_M: u32 = 0b00;
const ALPHANUMERIC: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
/// White on each side, in modules.
const QUIET_ZONE: usize = 4;

/// The text of the code in a square image of `side * side` pixels, row by row, `true` for dark. `None` if
/// it is not a code, stands too near the edge, or is of a kind that this does not read.
pub fn read(side: usize, dark: &[bool]) -> Option<String> {
    let code = Modules::find(side, dark)?;
    let (level, mask) = code.format()?;
    if level != LEVEL_M {
        return None;
    }
    let (blocks, words) = *BLOCKS.get(code.version().checked_sub(1)?)?;
    let interleaved = code.words(mask, blocks * words);
    let data: Vec<u8> = (0..blocks)
        .flat_map(|block| (0..words).map(move |word| word * blocks + block))
        .map(|at| interleaved.get(at).copied())
        .collect::<Option<_>>()?;
    text(&mut Bits { data: &data, at: 0 })
}

struct Modules {
    width: usize,
    dark: Vec<bool>,
}

impl Modules {
    /// Measures the code by its top left finder pattern and takes the middle of each module.
    fn find(side: usize, dark: &[bool]) -> Option<Self> {
        let first = dark.iter().position(|dark| *dark)?;
        let (left, top) = (first % side, first / side);
        let run = dark.iter().skip(first).take(side - left).take_while(|dark| **dark).count();
        let scale = run / 7;
        let right = (0..side).rev().find(|x| dark[top * side + x])?;
        let width = (right + 1 - left) / scale.max(1);
        let margin = QUIET_ZONE * scale;
        let fits = left >= margin && top >= margin && side - 1 - right >= margin;
        let measured = run % 7 == 0 && fits && width >= 21 && width % 4 == 1;
        if !measured {
            return None;
        }
        let middle = |module: usize| module * scale + scale / 2;
        let modules = (0..width * width)
            .map(|at| dark.get((top + middle(at / width)) * side + left + middle(at % width)))
            .map(Option::<&bool>::copied)
            .collect::<Option<Vec<bool>>>()?;
        Some(Self { width, dark: modules })
    }

    fn version(&self) -> usize {
        (self.width - 17) / 4
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        self.dark[y * self.width + x]
    }

    /// The level and the mask, from the copy beside the top left finder pattern.
    fn format(&self) -> Option<(u32, u32)> {
        let across = [(0, 8), (1, 8), (2, 8), (3, 8), (4, 8), (5, 8), (7, 8), (8, 8)];
        let down = [(8, 7), (8, 5), (8, 4), (8, 3), (8, 2), (8, 1), (8, 0)];
        let bits = across
            .into_iter()
            .chain(down)
            .fold(0, |bits, (x, y)| bits << 1 | u32::from(self.is_dark(x, y)));
        let format = (bits ^ 0b101_0100_0001_0010) >> 10;
        // Error correction of the five bits themselves is left out: a clean image has none to correct.
        (format < 32).then_some((format >> 3, format & 0b111))
    }

    /// Whether a module belongs to the patterns rather than to the data.
    fn is_pattern(&self, x: usize, y: usize) -> bool {
        let far = self.width - 8;
        let (near, far) = (0..=8, far..=self.width);
        let corners = [(&near, &near), (&far, &near), (&near, &far)];
        let finder = corners.iter().any(|(across, down)| across.contains(&x) && down.contains(&y));
        let timing = x == 6 || y == 6;
        let near_alignment = |at: usize| at.abs_diff(self.width - 7) <= 2;
        finder || timing || (self.version() > 1 && near_alignment(x) && near_alignment(y))
    }

    /// The first code words, read upwards and downwards in columns of two from the right.
    fn words(&self, mask: u32, count: usize) -> Vec<u8> {
        let mut bits = Vec::with_capacity(count * 8);
        let mut right = self.width - 1;
        let mut upwards = true;
        loop {
            if right == 6 {
                right -= 1;
            }
            for step in 0..self.width {
                let y = if upwards { self.width - 1 - step } else { step };
                for x in [right, right - 1] {
                    if !self.is_pattern(x, y) {
                        bits.push(self.is_dark(x, y) ^ is_masked(mask, x, y));
                    }
                }
            }
            if right < 2 {
                break;
            }
            right -= 2;
            upwards = !upwards;
        }
        bits.chunks_exact(8)
            .take(count)
            .map(|bits| bits.iter().fold(0, |word, bit| word << 1 | u8::from(*bit)))
            .collect()
    }
}

fn is_masked(mask: u32, x: usize, y: usize) -> bool {
    match mask {
        0 => (x + y).is_multiple_of(2),
        1 => y.is_multiple_of(2),
        2 => x.is_multiple_of(3),
        3 => (x + y).is_multiple_of(3),
        4 => (x / 3 + y / 2).is_multiple_of(2),
        5 => x * y % 2 + x * y % 3 == 0,
        6 => (x * y % 2 + x * y % 3).is_multiple_of(2),
        _ => ((x + y) % 2 + x * y % 3).is_multiple_of(2),
    }
}

struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<usize> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.data.get(self.at / 8)?;
            value = value << 1 | usize::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }
}

/// The segments until the end mark.
fn text(bits: &mut Bits<'_>) -> Option<String> {
    let mut text = Vec::new();
    loop {
        match bits.take(4) {
            None | Some(0) => break,
            Some(0b0001) => {
                let mut left = bits.take(10)?;
                while left > 0 {
                    let digits = left.min(3);
                    let value = bits.take([0, 4, 7, 10][digits])?;
                    text.extend(format!("{value:0digits$}").bytes());
                    left -= digits;
                }
            }
            Some(0b0010) => {
                let mut left = bits.take(9)?;
                while left >= 2 {
                    let pair = bits.take(11)?;
                    text.push(*ALPHANUMERIC.get(pair / 45)?);
                    text.push(ALPHANUMERIC[pair % 45]);
                    left -= 2;
                }
                if left == 1 {
                    text.push(*ALPHANUMERIC.get(bits.take(6)?)?);
                }
            }
            Some(0b0100) => {
                for _ in 0..bits.take(8)? {
                    text.push(u8::try_from(bits.take(8)?).ok()?);
                }
            }
            Some(_) => return None,
        }
    }
    String::from_utf8(text).ok()
}
