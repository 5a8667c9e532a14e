//! JSON paths (RFC 9535) that select one member by names only: `$.a.b`, `$.a['b']`, `$.a["b"]`.

/// The names that a path is made of, of which the `$` was taken off; `None` if it is no path, or one of another kind
/// (wildcards, indexes, filters, `..`).
pub(super) fn member_names(mut path: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    loop {
        let segment = path.trim_start_matches(is_blank);
        if segment.is_empty() {
            // Blanks may stand between two segments, not at the end.
            return path.is_empty().then_some(names);
        }
        let (name, rest) = if let Some(shorthand) = segment.strip_prefix('.') {
            split_shorthand(shorthand)?
        } else {
            split_quoted(segment.strip_prefix('[')?.trim_start_matches(is_blank))?
        };
        names.push(name);
        path = rest;
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\n' | '\r' | '\t')
}

/// A name behind a dot. Flagsmith's parser takes hyphens, which the RFC does not, and nothing beyond U+FFFF.
fn split_shorthand(text: &str) -> Option<(String, &str)> {
    let is_letter = |character: char| {
        character.is_ascii_alphabetic() || character == '_' || ('\u{80}'..='\u{ffff}').contains(&character)
    };
    if !text.starts_with(is_letter) {
        return None;
    }
    let is_part = |character: char| is_letter(character) || character.is_ascii_digit() || character == '-';
    let (name, rest) = text.split_at(text.find(|character| !is_part(character)).unwrap_or(text.len()));
    Some((name.to_owned(), rest))
}

/// A name in quotes, and the bracket behind it.
fn split_quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let text = &text[1..];
    let (name, rest) = text.split_at(closing_quote(text, quote)?);
    let rest = rest[1..].trim_start_matches(is_blank).strip_prefix(']')?;
    // The escapes are those of JSON, which knows one kind of quotes.
    let json = if quote == '\'' { name.replace('"', "\\\"").replace("\\'", "'") } else { name.to_owned() };
    Some((serde_json::from_str(&format!("\"{json}\"")).ok()?, rest))
}

/// Where the quoted text ends.
fn closing_quote(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    for (index, character) in text.char_indices() {
        match character {
            _ if is_escaped => {
                if character != quote && !"bfnrtu/\\".contains(character) {
                    return None;
                }
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            _ if character == quote => return Some(index),
            _ => {}
        }
    }
    None
}
