//! The patterns of `${v#…}` and its kin: `*`, `?`, `[a-z]`, `[^x]`, `\c`.
//!
//! As upstream: a literal is compared byte by byte, `?` and a class take one character, `*` takes any
//! bytes and crosses `/`. A malformed pattern matches nothing. Upstream tries each prefix of the value
//! on its own; here one pass finds all that match, so that cost grows with value × pattern.

/// One element of a pattern.
#[derive(Debug, PartialEq, Eq)]
enum Element {
    Star,
    Any,
    Byte(u8),
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// What a byte stands for that begins no character.
const NO_CHARACTER: char = char::REPLACEMENT_CHARACTER;

/// A pattern that was read.
#[derive(Debug)]
pub(super) struct Pattern(Vec<Element>);

impl Pattern {
    /// Reads a pattern; `None` when it is malformed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut elements = Vec::new();
        let mut rest = text.chars();
        while let Some(next) = rest.next() {
            match next {
                '*' => elements.push(Element::Star),
                '?' => elements.push(Element::Any),
                '[' => elements.push(class(&mut rest)?),
                '\\' => literal(&mut elements, rest.next()?),
                other => literal(&mut elements, other),
            }
        }
        Some(Self(elements))
    }

    /// The length of the shortest prefix that matches; the empty one is not tried.
    pub(super) fn shortest_prefix(&self, value: &str) -> Option<usize> {
        self.prefixes(value, true)
    }

    /// The length of the longest prefix that matches; the empty one is not tried.
    pub(super) fn longest_prefix(&self, value: &str) -> Option<usize> {
        self.prefixes(value, false)
    }

    fn prefixes(&self, value: &str, first: bool) -> Option<usize> {
        let mut walk = Walk::new(&self.0);
        let mut found = None;
        for (start, character) in value.char_indices() {
            for end in walk.character(character) {
                found = Some(start + end);
                if first {
                    return found;
                }
            }
        }
        found
    }
}

fn literal(elements: &mut Vec<Element>, character: char) {
    let mut buffer = [0; 4];
    elements.extend(
        character
            .encode_utf8(&mut buffer)
            .bytes()
            .map(Element::Byte),
    );
}

/// Reads a class up to its `]`; `!` does not negate.
fn class(rest: &mut std::str::Chars<'_>) -> Option<Element> {
    let negated = rest.as_str().starts_with('^');
    if negated {
        rest.next();
    }
    let mut ranges = Vec::new();
    loop {
        if rest.as_str().starts_with(']') && !ranges.is_empty() {
            rest.next();
            return Some(Element::Class { negated, ranges });
        }
        let low = class_character(rest)?;
        let mut high = low;
        if rest.as_str().starts_with('-') {
            rest.next();
            high = class_character(rest)?;
        }
        ranges.push((low, high));
    }
}

fn class_character(rest: &mut std::str::Chars<'_>) -> Option<char> {
    match rest.next()? {
        '-' | ']' => None,
        '\\' => rest.next(),
        other => Some(other),
    }
}

/// A walk over a value: which elements may come next, at this place and within the character before it.
///
/// State `n` means that the first `n` elements have matched.
struct Walk<'p> {
    elements: &'p [Element],
    /// The states at the next byte, and at the three after it: a character is up to four bytes long.
    ahead: [Vec<bool>; 5],
}

impl<'p> Walk<'p> {
    fn new(elements: &'p [Element]) -> Self {
        let mut ahead = std::array::from_fn(|_| vec![false; elements.len() + 1]);
        ahead[0][0] = true;
        let mut walk = Self { elements, ahead };
        walk.skip_stars(0);
        walk
    }

    /// Walks over one character. Returns after how many of its bytes the prefix up to there matches.
    fn character(&mut self, character: char) -> Vec<usize> {
        let mut buffer = [0; 4];
        let bytes = character.encode_utf8(&mut buffer).as_bytes();
        let width = bytes.len();
        let mut ends = Vec::new();
        // A prefix that ends within the character sees bytes that are no character.
        let mut cut = self.ahead[0].clone();
        for (index, byte) in bytes.iter().enumerate() {
            if index + 1 < width {
                cut = self.step_cut(&cut, *byte);
                if cut.last() == Some(&true) {
                    ends.push(index + 1);
                }
            }
            if index == 0 {
                self.advance(width, character);
            } else {
                self.advance(1, NO_CHARACTER);
            }
            self.advance_byte(*byte);
            self.shift();
        }
        if self.ahead[0].last() == Some(&true) {
            ends.push(width);
        }
        ends
    }

    fn step_cut(&self, from: &[bool], byte: u8) -> Vec<bool> {
        let mut to = vec![false; from.len()];
        for (index, element) in self.elements.iter().enumerate().filter(|(i, _)| from[*i]) {
            match element {
                Element::Star => to[index] = true,
                Element::Byte(b) => to[index + 1] |= *b == byte,
                other => to[index + 1] |= other.takes(NO_CHARACTER),
            }
        }
        skip_stars(self.elements, &mut to);
        to
    }

    /// Elements that take a character move on by its width.
    fn advance(&mut self, width: usize, character: char) {
        for (index, element) in self.elements.iter().enumerate() {
            if self.ahead[0][index] && element.takes(character) {
                self.ahead[width][index + 1] = true;
            }
        }
    }

    /// Elements that take a byte move on by one.
    fn advance_byte(&mut self, byte: u8) {
        for (index, element) in self.elements.iter().enumerate() {
            if self.ahead[0][index] {
                match element {
                    Element::Star => self.ahead[1][index] = true,
                    Element::Byte(b) => self.ahead[1][index + 1] |= *b == byte,
                    Element::Any | Element::Class { .. } => {}
                }
            }
        }
    }

    fn shift(&mut self) {
        self.ahead[0].fill(false);
        self.ahead.rotate_left(1);
        self.skip_stars(0);
    }

    fn skip_stars(&mut self, at: usize) {
        skip_stars(self.elements, &mut self.ahead[at]);
    }
}

/// A star may also take nothing.
fn skip_stars(elements: &[Element], states: &mut [bool]) {
    for (index, element) in elements.iter().enumerate() {
        if states[index] && *element == Element::Star {
            states[index + 1] = true;
        }
    }
}

impl Element {
    fn takes(&self, character: char) -> bool {
        match self {
            Self::Star | Self::Byte(_) => false,
            Self::Any => true,
            Self::Class { negated, ranges } => {
                let inside = ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&character));
                inside != *negated
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn lengths(pattern: &str, value: &str) -> (Option<usize>, Option<usize>) {
        let pattern = Pattern::parse(pattern).expect("it is well formed");
        (
            pattern.shortest_prefix(value),
            pattern.longest_prefix(value),
        )
    }

    #[test]
    fn star_crosses_slashes() {
        assert_eq!(lengths("*/", "/path/to/file"), (Some(1), Some(9)));
    }

    #[test]
    fn empty_prefix_is_not_tried() {
        assert_eq!(lengths("*", "abc"), (Some(1), Some(3)));
    }

    #[test]
    fn question_mark_may_cut_a_character() {
        assert_eq!(lengths("?", "éa"), (Some(1), Some(2)));
        assert_eq!(lengths("é", "éa"), (Some(2), Some(2)));
    }

    #[test]
    fn malformed_patterns() {
        for text in ["[", "[a", "[]", "[]a]", "[-a]", "a\\", "[a-"] {
            assert!(Pattern::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn long_values_are_linear() {
        let value = "a/".repeat(200_000);
        assert_eq!(lengths("*/*/", &value).1, Some(value.len()));
    }
}
