//! The password of a store, which stands in a file that only its owner can read.

use std::path::Path;

/// Names the file that holds the password.
pub const PASSWORD_FILE_VARIABLE: &str = "OFFSHOOT_STORE_PASSWORD_FILE";

/// The password in a file, without the line's end.
pub(super) fn read_password(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the file with its password, {}, cannot be read: {error}", path.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
