//! Translates a pattern from Python's syntax to that of the crate `fancy-regex`.
//!
//! The two differ in details that people come upon (`$` before a last line feed, `\Z`, `{` that means itself, `[` in a class)
//! and in others; so the pattern is read as Python does and written in what both understand the same. Not supported, so that
//! such a condition matches nobody: the flags `a` and `L`, `\N{NAME}`, halves of surrogate pairs, repetitions so long that
//! the pattern becomes too big. `\b` takes marks for parts of words, and `²` not; `\B` also holds in an empty text, and `\z` is
//! known, as in Python from 3.14 on.

use std::collections::HashMap;

use super::class::{category, translate_class, write_literal};
use super::source::{Escape, Flags, Source};

/// Groups within groups. Each takes some stack.
const DEPTH_MAX: usize = 50;

/// Python has no pattern that repeats something as often as this.
const REPETITIONS_END: u64 = u32::MAX as u64;

/// The same pattern in the other syntax; `None` if Python has no such pattern, or it is not supported.
pub(super) fn translate(pattern: &str) -> Option<String> {
    let mut translation = Translation {
        source: Source::new(pattern),
        out: String::with_capacity(pattern.len() + 16),
        groups: 0,
        open_groups: Vec::new(),
        names: HashMap::new(),
        last_condition: 0,
        depth: 0,
    };
    translation.alternatives(Flags::default())?;
    let is_whole = translation.source.rest().is_empty() && translation.last_condition <= translation.groups;
    is_whole.then_some(translation.out)
}

struct Translation<'p> {
    source: Source<'p>,
    out: String,
    groups: u32,
    open_groups: Vec<u32>,
    names: HashMap<&'p str, u32>,
    /// The highest group that a condition names, which may come later.
    last_condition: u32,
    depth: usize,
}

/// What a quantifier would stand behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Place,
    /// Something that can be repeated, and where it begins in the output.
    Item(usize),
    Repetition,
}

impl<'p> Translation<'p> {
    /// Sequences that are separated by `|`, up to the end or the closing bracket of the group.
    fn alternatives(&mut self, flags: Flags) -> Option<()> {
        let flags = self.sequence(flags, self.depth == 0)?;
        while self.source.take("|") {
            self.out.push('|');
            self.sequence(flags, false)?;
        }
        Some(())
    }

    /// Answers with the flags that hold from here on: the first sequence may begin with flags for the whole pattern.
    fn sequence(&mut self, mut flags: Flags, is_first: bool) -> Option<Flags> {
        let mut before = Before::Nothing;
        while let Some(character) = self.source.peek() {
            if matches!(character, '|' | ')') {
                break;
            }
            self.source.next();
            if flags.verbose && self.skip_blank(character) {
                continue;
            }
            let start = self.out.len();
            match character {
                '\\' => before = self.escape(start)?,
                '[' => {
                    translate_class(&mut self.source, &mut self.out)?;
                    before = Before::Item(start);
                }
                '(' => {
                    let is_at_start = is_first && before == Before::Nothing;
                    match self.group(flags, is_at_start)? {
                        Group::Item => before = Before::Item(start),
                        Group::Comment => {}
                        Group::Flags(global) => flags = global,
                    }
                }
                '^' => {
                    self.out.push('^');
                    before = Before::Place;
                }
                '$' => {
                    self.end_of_text(flags);
                    before = Before::Place;
                }
                '.' => {
                    self.out.push('.');
                    before = Before::Item(start);
                }
                '*' | '+' | '?' | '{' => before = self.quantifier(character, before, start)?,
                literal => {
                    write_literal(&mut self.out, literal);
                    before = Before::Item(start);
                }
            }
        }
        Some(flags)
    }

    /// Blanks and comments mean nothing in verbose patterns.
    fn skip_blank(&mut self, character: char) -> bool {
        if character == '#' && self.source.take_until('\n').is_none() {
            self.source.seek("");
        }
        matches!(character, '#' | ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
    }

    fn escape(&mut self, start: usize) -> Option<Before> {
        match self.source.escape()? {
            Escape::Literal(character) => write_literal(&mut self.out, character),
            Escape::Category(name) => {
                self.out.push('[');
                self.out.push_str(category(name));
                self.out.push(']');
            }
            Escape::Place(place) => {
                self.out.push('\\');
                self.out.push(if place == 'Z' { 'z' } else { place });
                return Some(Before::Place);
            }
            Escape::Group(group) => self.back_reference(group)?,
        }
        Some(Before::Item(start))
    }

    fn back_reference(&mut self, group: u32) -> Option<()> {
        if group > self.groups || self.open_groups.contains(&group) {
            return None;
        }
        self.out.push_str(&format!("(?:\\{group})"));
        Some(())
    }

    /// `$` is the end, or before a line feed at the end; with the flag `m` also before any other.
    fn end_of_text(&mut self, flags: Flags) {
        let rest = self.source.rest();
        let is_last = rest.chars().all(|character| character == ')') || (self.depth == 0 && rest.starts_with('|'));
        self.out.push_str(match (flags.multi_line, is_last) {
            (true, _) => "$",
            // Nothing comes behind it that could miss the line feed, and looking ahead would be slower.
            (false, true) => r"(?:\n?\z)",
            (false, false) => r"(?=\n?\z)",
        });
    }

    fn quantifier(&mut self, character: char, before: Before, start: usize) -> Option<Before> {
        let bounds = if character == '{' { self.bounds()? } else { Some(character.to_string()) };
        let Some(bounds) = bounds else {
            write_literal(&mut self.out, '{');
            return Some(Before::Item(start));
        };
        let Before::Item(item) = before else { return None };
        if is_refused_by_quantifiers(&self.out[item..]) {
            self.out.insert_str(item, "(?:");
            self.out.push_str(r"|[^\s\S])");
        }
        self.out.push_str(&bounds);
        if self.source.take("?") {
            self.out.push('?');
        } else if self.source.take("+") {
            self.out.insert_str(item, "(?>");
            self.out.push(')');
        }
        Some(Before::Repetition)
    }

    /// The bounds behind an opening brace; `Some(None)` if it is not a quantifier's and means itself.
    #[allow(clippy::option_option, reason = "no pattern, no quantifier and a quantifier are three things")]
    fn bounds(&mut self) -> Option<Option<String>> {
        let rest = self.source.rest();
        if rest.starts_with('}') {
            return Some(None);
        }
        let is_digit = |character: char| character.is_ascii_digit();
        let low = self.source.take_while(usize::MAX, is_digit);
        let is_range = self.source.take(",");
        let high = if is_range { self.source.take_while(usize::MAX, is_digit) } else { low };
        if !self.source.take("}") {
            self.source.seek(rest);
            return Some(None);
        }
        let low: u64 = if low.is_empty() { 0 } else { low.parse().ok()? };
        let high: Option<u64> = if high.is_empty() { None } else { Some(high.parse().ok()?) };
        if low >= REPETITIONS_END || high.is_some_and(|high| high >= REPETITIONS_END || high < low) {
            return None;
        }
        Some(Some(high.map_or_else(|| format!("{{{low},}}"), |high| format!("{{{low},{high}}}"))))
    }
}

/// Whether the item is or may be a group that matches no characters, such as `(?=a)` or `(?:)`. Python repeats those too,
/// `fancy-regex` does only if there is an alternative.
fn is_refused_by_quantifiers(item: &str) -> bool {
    let Some(group) = item.strip_prefix("(?") else { return false };
    let content = group.trim_start_matches(|character: char| character.is_ascii_alphabetic() || character == '-');
    !content.starts_with(':') || content.starts_with(":(?") || content == ":)"
}

/// What a bracket opened.
enum Group {
    Item,
    Comment,
    /// Flags for the whole pattern.
    Flags(Flags),
}

impl<'p> Translation<'p> {
    /// A group, of which the opening bracket was read.
    fn group(&mut self, flags: Flags, is_at_start: bool) -> Option<Group> {
        if !self.source.take("?") {
            return self.capture(None, flags);
        }
        for opening in [":", "=", "!", "<=", "<!", ">"] {
            if self.source.take(opening) {
                self.out.push_str("(?");
                self.out.push_str(opening);
                return self.close_group(flags);
            }
        }
        if self.source.take("#") {
            return self.source.take_until(')').map(|_| Group::Comment);
        }
        if self.source.take("P<") {
            let name = self.source.take_until('>').filter(|name| is_name(name))?;
            return self.capture(Some(name), flags);
        }
        if self.source.take("P=") {
            let group = *self.names.get(self.source.take_until(')')?)?;
            self.back_reference(group)?;
            return Some(Group::Item);
        }
        if self.source.take("(") {
            return self.conditional(flags);
        }
        self.flags(flags, is_at_start)
    }

    fn capture(&mut self, name: Option<&'p str>, flags: Flags) -> Option<Group> {
        self.groups += 1;
        let group = self.groups;
        if name.is_some_and(|name| self.names.insert(name, group).is_some()) {
            return None;
        }
        self.open_groups.push(group);
        self.out.push('(');
        let closed = self.close_group(flags)?;
        self.open_groups.pop();
        Some(closed)
    }

    fn close_group(&mut self, flags: Flags) -> Option<Group> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        self.alternatives(flags)?;
        self.depth -= 1;
        self.out.push(')');
        self.source.take(")").then_some(Group::Item)
    }

    /// `(?(1)yes|no)`, of which the second bracket was read.
    fn conditional(&mut self, flags: Flags) -> Option<Group> {
        let name = self.source.take_until(')')?;
        let group = match self.names.get(name) {
            Some(group) => *group,
            None => name.parse().ok().filter(|group| *group > 0)?,
        };
        self.last_condition = self.last_condition.max(group);
        self.out.push_str(&format!("(?({group})"));
        self.depth += 1;
        self.sequence(flags, false)?;
        if self.source.take("|") {
            self.out.push('|');
            self.sequence(flags, false)?;
        }
        self.depth -= 1;
        self.out.push(')');
        self.source.take(")").then_some(Group::Item)
    }

    /// `(?im)` at the start, or `(?i-s:…)` for a group alone.
    fn flags(&mut self, flags: Flags, is_at_start: bool) -> Option<Group> {
        let is_flag = |character: char| matches!(character, 'i' | 'm' | 's' | 'u' | 'x');
        let on = self.source.take_while(usize::MAX, is_flag);
        let off = if self.source.take("-") { self.source.take_while(usize::MAX, is_flag) } else { "" };
        let with = |flag: char, before: bool| (before || on.contains(flag)) && !off.contains(flag);
        let inner = Flags { multi_line: with('m', flags.multi_line), verbose: with('x', flags.verbose) };
        // Python's `u` is what everything is anyway, and `x` was taken care of in reading.
        let known = |letters: &str| letters.chars().filter(|letter| "ims".contains(*letter)).collect::<String>();
        let (known_on, known_off) = (known(on), known(off));
        if off.contains('u') || on.chars().any(|letter| off.contains(letter)) {
            return None;
        }
        self.out.push_str("(?");
        self.out.push_str(&known_on);
        if !known_off.is_empty() {
            self.out.push('-');
            self.out.push_str(&known_off);
        }
        if self.source.take(":") {
            self.out.push(':');
            return self.close_group(inner);
        }
        if !is_at_start || !off.is_empty() || on.is_empty() || !self.source.take(")") {
            return None;
        }
        if known_on.is_empty() {
            self.out.truncate(self.out.len() - "(?".len());
        } else {
            self.out.push(')');
        }
        Some(Group::Flags(inner))
    }
}

/// Whether a group can be called like this.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_alphanumeric() || character == '_')
}
