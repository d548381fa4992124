//! A small seeded generator (SplitMix64): numbers, texts and ids.
//! Not for secrets; the same seed gives the same values on every platform and release.

/// Words of made texts: quotes, backslashes, line ends, accents, CJK and an emoji among them.
const WORDS: [&str; 40] = [
    "parser",
    "keeps",
    "every",
    "line",
    "of",
    "the",
    "report",
    "while",
    "a",
    "test",
    "fails",
    "with",
    "exit",
    "code",
    "2",
    "in",
    "src/lib.rs:41",
    "so",
    "we",
    "retry",
    "\"twice\"",
    "and",
    "log",
    "C:\\work\\out",
    "naïve",
    "café",
    "日本語",
    "🚀",
    "don't",
    "x\ny",
    "\ttabbed",
    "{\"k\": [1]}",
    "cargo",
    "build",
    "--release",
    "then",
    "check",
    "offsets",
    "again",
    "done.",
];
const ID_CHARS: &[u8] = b"0123456789abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ";

/// The generator's whole state.
#[derive(Clone, Debug)]
pub struct Prng(u64);

impl Prng {
    /// A generator of that seed; near seeds give unrelated values.
    pub fn new(seed: u64) -> Self {
        let mut prng = Self(seed ^ 0x5851_f42d_4c95_7f2d);
        prng.bits();
        prng
    }

    /// 64 fresh bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.bits() % (high - low + 1)
    }

    /// True in so many cases of a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.bits() % 100 < percent
    }

    /// One of the choices (never empty).
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.range(0, choices.len() as u64 - 1) as usize]
    }

    /// `low` to `high` words, joined by spaces.
    pub fn text(&mut self, low: u64, high: u64) -> String {
        let words: Vec<&str> = (0..self.range(low, high)).map(|_| self.pick(&WORDS)).collect();
        words.join(" ")
    }

    /// The prefix and `len` letters and digits.
    pub fn id(&mut self, prefix: &str, len: usize) -> String {
        let mut id = String::from(prefix);
        id.extend((0..len).map(|_| char::from(self.pick(ID_CHARS))));
        id
    }

    /// A `UUIDv7` minted at `ms` since the epoch.
    pub fn uuid7(&mut self, ms: i64) -> String {
        let (a, b) = (self.bits(), self.bits());
        format!(
            "{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}",
            ms >> 16,
            ms & 0xffff,
            a & 0xfff,
            0x8000 | (a >> 12) & 0x3fff,
            b & 0xffff_ffff_ffff
        )
    }

    /// A random `UUIDv4`.
    pub fn uuid4(&mut self) -> String {
        let (a, b) = (self.bits(), self.bits());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | (b >> 48) & 0x3fff,
            b & 0xffff_ffff_ffff
        )
    }

    /// The text cut into pieces of `low` to `high` characters.
    pub fn chunks(&mut self, text: &str, (low, high): (u64, u64)) -> Vec<String> {
        let mut rest = text.chars().peekable();
        let mut chunks = Vec::new();
        while rest.peek().is_some() {
            let take = self.range(low, high) as usize;
            chunks.push(rest.by_ref().take(take).collect());
        }
        chunks
    }
}

#[cfg(test)]
mod tests {
    use super::Prng;

    #[test]
    fn a_uuid7_holds_its_time() {
        let id = Prng::new(1).uuid7(1_763_477_752_401);
        assert!(id.starts_with("019a9777-0a51-7"), "{id}");
        assert_eq!(id.len(), 36);
    }

    #[test]
    fn chunks_join_to_the_text() {
        let mut prng = Prng::new(2);
        let text = prng.text(50, 60);
        assert_eq!(prng.chunks(&text, (1, 7)).concat(), text);
    }
}
