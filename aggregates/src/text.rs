//! The rules for texts that people enter.

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextProblem {
    /// Nothing but white space where something is needed.
    #[error("may not be blank")]
    Blank,
    /// More characters than the field takes.
    #[error("has more than {max} characters")]
    TooLong {
        /// The most the field takes.
        max: usize,
    },
    /// A NUL character, which PostgreSQL cannot store: refused on every store alike.
    #[error("contains a null character")]
    Nul,
    /// Not of the form that the field asks for.
    #[error("does not match {0}")]
    Form(&'static str),
}

/// A text that breaks a rule, and the field it was meant for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct TextError {
    /// The field, as the API names it.
    pub field: &'static str,
    /// What is wrong.
    pub problem: TextProblem,
}

/// Checks a text that may be empty.
///
/// # Errors
/// [`TextProblem::TooLong`] or [`TextProblem::Nul`].
pub fn check_text(field: &'static str, text: &str, max: usize) -> Result<(), TextError> {
    if text.contains('\0') {
        return Err(TextError { field, problem: TextProblem::Nul });
    }
    // A text has at most as many characters as bytes, so most need no counting.
    if text.len() > max && text.chars().count() > max {
        return Err(TextError { field, problem: TextProblem::TooLong { max } });
    }
    Ok(())
}

/// Checks a name: a text that may not be blank.
///
/// # Errors
/// As [`check_text`], or [`TextProblem::Blank`].
pub fn check_name(field: &'static str, text: &str, max: usize) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError { field, problem: TextProblem::Blank });
    }
    check_text(field, text, max)
}

/// Checks a slug: a name of ASCII letters, digits, `-` and `_`.
///
/// # Errors
/// As [`check_name`], or [`TextProblem::Form`].
pub fn check_slug(field: &'static str, text: &str, max: usize) -> Result<(), TextError> {
    check_name(field, text, max)?;
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Ok(());
    }
    Err(TextError { field, problem: TextProblem::Form("^[-a-zA-Z0-9_]+$") })
}
