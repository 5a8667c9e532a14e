//! Reads a pattern character by character, escapes included.

/// Python's flags, as far as they matter for reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) multi_line: bool,
    pub(super) verbose: bool,
}

/// Where one is in a pattern.
#[derive(Debug)]
pub(super) struct Source<'p> {
    rest: &'p str,
}

/// What stands behind a backslash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    Literal(char),
    /// `\d`, `\W` and so on: a class of characters.
    Category(char),
    /// `\A`, `\b`, `\B`, `\Z`, `\z`: a place.
    Place(char),
    /// A group's text once more.
    Group(u32),
}

impl<'p> Source<'p> {
    pub(super) fn new(pattern: &'p str) -> Self {
        Self { rest: pattern }
    }

    pub(super) fn rest(&self) -> &'p str {
        self.rest
    }

    /// Goes back to where `rest` was taken.
    pub(super) fn seek(&mut self, rest: &'p str) {
        self.rest = rest;
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }

    /// Takes the text if it comes next.
    pub(super) fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes all up to the end character, and that too.
    pub(super) fn take_until(&mut self, end: char) -> Option<&'p str> {
        let (text, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(text)
    }

    /// Takes characters as long as they are of this kind, at most so many.
    pub(super) fn take_while(&mut self, most: usize, is_kind: impl Fn(char) -> bool) -> &'p str {
        let length = self.rest.chars().take(most).take_while(|character| is_kind(*character)).map(char::len_utf8).sum();
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        text
    }

    /// Reads what stands behind a backslash, outside of a class.
    pub(super) fn escape(&mut self) -> Option<Escape> {
        match self.peek()? {
            place @ ('A' | 'b' | 'B' | 'Z' | 'z') => {
                self.next();
                Some(Escape::Place(place))
            }
            '0' => self.octal(3).map(Escape::Literal),
            '1'..='9' => self.group_or_octal(),
            _ => self.common_escape(),
        }
    }

    /// Reads what stands behind a backslash in a class, where `\b` is the backspace and no groups are meant.
    pub(super) fn class_escape(&mut self) -> Option<Escape> {
        match self.peek()? {
            'b' => {
                self.next();
                Some(Escape::Literal('\u{8}'))
            }
            '0'..='7' => self.octal(3).map(Escape::Literal),
            _ => self.common_escape(),
        }
    }

    fn common_escape(&mut self) -> Option<Escape> {
        let character = self.next()?;
        let literal = match character {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => return Some(Escape::Category(character)),
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.hexadecimal(2)?,
            'u' => self.hexadecimal(4)?,
            'U' => self.hexadecimal(8)?,
            other if other.is_ascii_alphanumeric() => return None,
            other => other,
        };
        Some(Escape::Literal(literal))
    }

    fn hexadecimal(&mut self, digits: usize) -> Option<char> {
        let text = self.take_while(digits, |character| character.is_ascii_hexdigit());
        if text.len() != digits {
            return None;
        }
        char::from_u32(u32::from_str_radix(text, 16).ok()?)
    }

    fn octal(&mut self, most: usize) -> Option<char> {
        let digits = self.take_while(most, |character| character.is_digit(8));
        u8::from_str_radix(digits, 8).ok().map(char::from)
    }

    /// Three octal digits are a character, one or two digits a group.
    fn group_or_octal(&mut self) -> Option<Escape> {
        let is_octal = self.rest.chars().take(3).filter(|character| character.is_digit(8)).count() == 3;
        if is_octal {
            return self.octal(3).map(Escape::Literal);
        }
        self.take_while(2, |character| character.is_ascii_digit()).parse().ok().map(Escape::Group)
    }
}
