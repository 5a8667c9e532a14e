//! Classes of characters, `[a-z\d]`, in Python's syntax and written in that of the `regex` crate.

use std::fmt::Write;

use super::source::{Escape, Source};

/// Writes a literal character so that it means itself everywhere.
pub(super) fn write_literal(out: &mut String, character: char) {
    if character.is_ascii_alphanumeric() || !character.is_ascii() {
        out.push(character);
    } else {
        // Writing to a string does not fail.
        let _ = write!(out, "\\x{{{:x}}}", u32::from(character));
    }
}

/// What a category is in a class: Python's letters and digits are all that are letters or numbers to Unicode, and its blanks
/// include four separators of ASCII.
pub(super) fn category(category: char) -> &'static str {
    match category {
        'd' => r"\d",
        'D' => r"\D",
        's' => r"\s\x1c-\x1f",
        'S' => r"[^\s\x1c-\x1f]",
        'w' => r"\p{L}\p{N}_",
        _ => r"[^\p{L}\p{N}_]",
    }
}

/// Translates a class, of which the opening bracket was read.
pub(super) fn translate_class(source: &mut Source<'_>, out: &mut String) -> Option<()> {
    out.push('[');
    if source.take("^") {
        out.push('^');
    }
    let mut is_first = true;
    loop {
        // A closing bracket in the first place means itself.
        if !is_first && source.take("]") {
            break;
        }
        is_first = false;
        let start = member(source)?;
        if !source.take("-") {
            write_member(out, start);
            continue;
        }
        if source.take("]") {
            write_member(out, start);
            write_literal(out, '-');
            break;
        }
        let (Escape::Literal(start), Escape::Literal(end)) = (start, member(source)?) else { return None };
        if end < start {
            return None;
        }
        write_literal(out, start);
        out.push('-');
        write_literal(out, end);
    }
    out.push(']');
    Some(())
}

fn member(source: &mut Source<'_>) -> Option<Escape> {
    match source.next()? {
        '\\' => source.class_escape(),
        literal => Some(Escape::Literal(literal)),
    }
}

fn write_member(out: &mut String, member: Escape) {
    match member {
        Escape::Literal(character) => write_literal(out, character),
        Escape::Category(name) => out.push_str(category(name)),
        Escape::Place(_) | Escape::Group(_) => {}
    }
}
