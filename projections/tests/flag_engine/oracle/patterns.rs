//! Random patterns in Python's syntax.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// Patterns that people write, and such whose meaning differs between dialects.
const KNOWN: &[&str] = &[
    "",
    "gold",
    "^gold$",
    "gold$",
    ".*old",
    "old",
    "(?i)GOLD",
    "[a-z]+",
    "^[a-z]+$",
    r"\d+",
    r"^\d+$",
    r"\w+$",
    r"\S+@\S+",
    r"^[^@]+@example\.com$",
    r".*@example\.com",
    r"(?!.*@test\.com).*",
    r"^(?!gold).*$",
    r"(?=.*\d)[a-z\d]+",
    r"gold\Z",
    r"\Agold",
    "a$\n",
    "a.b",
    "(?s)a.b",
    "(?m)^a$",
    "(?m)a$.b",
    "(?ms)a$.b",
    "(?x) g o l d # shiny",
    "(?i:G)old",
    "(?-i:g)old",
    "(?x:g o) ld",
    "(?#comment)gold",
    "g{1}o{1,}l{,2}d{0,}",
    "{",
    "a{",
    "a{x}",
    "a{,}",
    "a{1,x",
    "x{2}",
    "(a)(b)?",
    r"(a)\1",
    r"(?P<x>a)(?P=x)?b",
    "(a)?(?(1)b|c)",
    "(?>a+)b",
    "a++b",
    "a*+",
    "a?+a",
    "(?:a|ab)+$",
    "(a+)+$",
    "(a|a)*b",
    "[]a]+",
    "[^]a]+",
    "[[a]",
    "[a[b]+",
    "[a&&b]+",
    "[a--b]",
    "[a~~b]",
    "[a-]",
    "[-a]",
    r"[\w-]+",
    r"[\d\s]+",
    r"[\b]",
    r"[^\W\d]+",
    r"[^\D]+",
    r"\.",
    r"\-",
    r"\@",
    r"\<gold",
    r"\ud83d",
    r"\u00e9",
    r"\U0001f600",
    r"\x67old",
    r"\147old",
    r"[\147]old",
    r"\0",
    r"a\nb",
    r"\t",
    r"^\s*$",
    r"\s",
    r"\S",
    r"\b",
    r"\bgold\b",
    r"\W",
    "[[:alpha:]]+",
    "(?<=a)b",
    "a(?<=a)b",
    "a(?<!b)b",
    ".",
    "..",
    "😀",
    "[😀é]",
    r"\+7",
    "7$",
    r"-?\d+(\.\d+)?$",
    "1e.*",
    "True|False",
    "^$",
    "()",
    "()*a",
    "(?:)*",
    "|gold",
    "gold|",
    "(|a)+",
    "a||b",
    r"\d+\.\d+\.\d+",
    "^(?:ab)*$",
    "(?i)ÜNÏCODE",
    "(?i)É",
    "(?i)[A-Z]+$",
    "(?i)[^A-Z]+$",
    "(?i)k",
    r"(a$|b)\n?",
    "(a$)+",
    "(?:a$)?b?",
];

/// Patterns that Python refuses, or that are for other languages.
const REFUSED: &[&str] = &[
    "(",
    ")",
    "[",
    "a**",
    "*",
    "+a",
    r"\q",
    r"\p{L}",
    "(?<x>a)",
    r"\1",
    "a{2,1}",
    "(?P<1>a)",
    "(?i",
    "a(?i)b",
    r"\z",
    "[b-a]",
    r"[\d-a]",
    "^*",
    "(?P=x)",
    "(?z)",
    "(?P<x>a)(?P<x>b)",
    r"(a\1)",
    "(?(2)a|b)",
    "(?<=a+)b",
    "(?<=a*)b",
    "a{99999999999}",
    r"\x1",
    r"\N{NOTHING}",
];

/// Parts of patterns.
const ATOMS: &[&str] = &[
    "a", "b", "A", "old", "é", ".", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", "[ab]", "[^ab]", "[a-f]", r"[\w.]", "7",
    "1", " ", r"\n", "_", "-", r"\.", "@",
];

/// Not `\B`: whether it holds in an empty text depends on the version of Python.
const PLACES: &[&str] = &["^", "$", r"\A", r"\Z", r"\b"];

const QUANTIFIERS: &[&str] =
    &["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{,2}", "{1,}", "{0,2}?", "*+", "++", "?+", "{1,2}+"];

const OPENINGS: &[&str] = &["(", "(?:", "(?=", "(?!", "(?>", "(?i:", "(?s:", "(?m:", "(?-i:"];

const FLAGS: &[&str] = &["(?i)", "(?s)", "(?m)", "(?im)", "(?x)", "(?u)"];

/// A pattern, mostly one that Python takes; some are made to match the text.
pub fn pattern(random: &mut StdRng, text: Option<&str>) -> String {
    match (random.random_range(0..100), text) {
        (0, _) => choose(random, REFUSED).to_owned(),
        (1..30, _) => choose(random, KNOWN).to_owned(),
        (30..45, Some(text)) => format!("{}{}", python_escape(text), choose(random, &["", "$", r"\Z", ".*"])),
        _ => {
            let flags = if random.random_bool(0.15) { choose(random, FLAGS) } else { "" };
            format!("{flags}{}", alternatives(random, 0))
        }
    }
}

fn choose<'t>(random: &mut StdRng, texts: &[&'t str]) -> &'t str {
    texts.choose(random).copied().unwrap_or_default()
}

fn alternatives(random: &mut StdRng, depth: u32) -> String {
    let count = if random.random_bool(0.3) { 2 } else { 1 };
    (0..count).map(|_| sequence(random, depth)).collect::<Vec<_>>().join("|")
}

fn sequence(random: &mut StdRng, depth: u32) -> String {
    (0..random.random_range(0..4)).map(|_| item(random, depth)).collect()
}

fn item(random: &mut StdRng, depth: u32) -> String {
    let item = match random.random_range(0..20) {
        0..3 => return choose(random, PLACES).to_owned(),
        3..7 if depth < 3 => format!("{}{})", choose(random, OPENINGS), alternatives(random, depth + 1)),
        _ => choose(random, ATOMS).to_owned(),
    };
    if random.random_bool(0.4) { item + choose(random, QUANTIFIERS) } else { item }
}

/// Python's `re.escape`, more or less.
fn python_escape(text: &str) -> String {
    let escape = |character: char| {
        let is_plain = character.is_alphanumeric() || character == '_' || !character.is_ascii();
        if is_plain { character.to_string() } else { format!("\\{character}") }
    };
    text.chars().map(escape).collect()
}
