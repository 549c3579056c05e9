//! Makes wrong inputs out of right ones, the same ones in the same order each
//! time.

/// The longest input that is made, in bytes.
const LONGEST: usize = 64 << 10;

/// How many inputs that were made are kept, to be spoilt further.
const KEPT: usize = 64;

/// Numbers on which readers stumble.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "65536",
    "2147483648",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "-9223372036854775809",
    "1e999",
    "0x7fffffff",
    "NaN",
];

/// A stream of inputs from the fixtures and tokens of one target.
pub(crate) struct Generator {
    state: u64,
    fixtures: Vec<Vec<u8>>,
    kept: Vec<Vec<u8>>,
    tokens: &'static [&'static str],
}

impl Generator {
    /// `seed` decides over all that follows.
    pub(crate) fn new(seed: u64, fixtures: Vec<Vec<u8>>, tokens: &'static [&'static str]) -> Self {
        assert!(!fixtures.is_empty(), "a target without fixtures");
        Self { state: seed | 1, fixtures, kept: Vec::new(), tokens }
    }

    /// The next input: a fixture, or one that was made of it before, with one to
    /// eight things done to it.
    pub(crate) fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.some_input();
        for _ in 0..=self.below(8) {
            self.spoil(&mut input);
        }
        input.truncate(LONGEST);
        // Now and then a spoilt input is spoilt further later on.
        if self.below(16) == 0 {
            if self.kept.len() < KEPT {
                self.kept.push(input.clone());
            } else {
                let place = self.below(KEPT);
                self.kept[place].clone_from(&input);
            }
        }
        input
    }

    /// A fixture, or, one time in four, what was made of one.
    fn some_input(&mut self) -> Vec<u8> {
        if !self.kept.is_empty() && self.below(4) == 0 {
            let place = self.below(self.kept.len());
            return self.kept[place].clone();
        }
        let place = self.below(self.fixtures.len());
        self.fixtures[place].clone()
    }

    fn spoil(&mut self, input: &mut Vec<u8>) {
        match self.below(10) {
            0 => input.truncate(self.below(input.len() + 1)),
            1 => {
                let (from, to) = self.range(input.len());
                input.drain(from..to);
            }
            2 => {
                let bit = 1 << self.below(8);
                if let Some(byte) = self.byte_of(input) {
                    *byte ^= bit;
                }
            }
            3 => {
                let value = self.byte();
                if let Some(byte) = self.byte_of(input) {
                    *byte = value;
                }
            }
            4 => {
                let value = self.byte();
                input.insert(self.below(input.len() + 1), value);
            }
            5 => self.splice(input),
            6 => {
                let (from, to) = self.range(input.len());
                let copy = input[from..to].to_vec();
                self.insert(input, &copy);
            }
            7 => self.insert_token(input),
            8 => {
                let (from, to) = self.range(input.len());
                let number = NUMBERS[self.below(NUMBERS.len())];
                input.splice(from..to.min(from + 8), number.bytes());
            }
            _ => {
                let (from, to) = self.range(input.len());
                let times = 1 << self.below(8);
                let part = input[from..to.min(from + 256)].repeat(times);
                self.insert(input, &part);
            }
        }
    }

    /// The beginning of one input and the end of another.
    fn splice(&mut self, input: &mut Vec<u8>) {
        let other = self.some_input();
        input.truncate(self.below(input.len() + 1));
        input.extend_from_slice(&other[self.below(other.len() + 1)..]);
    }

    fn insert_token(&mut self, input: &mut Vec<u8>) {
        if self.tokens.is_empty() {
            return;
        }
        let token = self.tokens[self.below(self.tokens.len())];
        self.insert(input, token.as_bytes());
    }

    fn insert(&mut self, input: &mut Vec<u8>, part: &[u8]) {
        if input.len() + part.len() <= LONGEST {
            let at = self.below(input.len() + 1);
            input.splice(at..at, part.iter().copied());
        }
    }

    fn byte_of<'i>(&mut self, input: &'i mut [u8]) -> Option<&'i mut u8> {
        let length = input.len();
        if length == 0 { None } else { input.get_mut(self.below(length)) }
    }

    /// A part of something that is this long; short ones more often.
    fn range(&mut self, length: usize) -> (usize, usize) {
        let from = self.below(length + 1);
        let most = if self.below(4) == 0 { length - from } else { (length - from).min(16) };
        (from, from + self.below(most + 1))
    }

    fn byte(&mut self) -> u8 {
        const EDGES: [u8; 8] = [0, 0xff, 0x80, b'\n', b'<', b'"', b' ', 0x7f];
        if self.below(2) == 0 { EDGES[self.below(8)] } else { self.next().to_le_bytes()[0] }
    }

    /// A number below `most`, which is not 0.
    fn below(&mut self, most: usize) -> usize {
        let most = u64::try_from(most).unwrap();
        usize::try_from(self.next() % most).unwrap()
    }

    /// xorshift64*.
    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}
