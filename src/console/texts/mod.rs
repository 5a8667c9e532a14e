//! All texts of the console, a file for each page; what modules show is in [`MODULES`].

pub mod audit;
pub mod environment;
pub mod environments;
pub mod feature;
pub mod features;
pub mod gone;
pub mod layout;
pub mod overview;
pub mod problem;
pub mod project;
pub mod sign_in;
pub mod system;

/// The texts that modules show, by the names that they know them by (`texts.…`).
pub const MODULES: &[(&str, &str)] = &[
    ("copied", "Copied"),
    ("copyFailed", "Copying was refused. Select the text and copy it by hand."),
    ("unreachable", "The server cannot be reached. Nothing was changed."),
    ("failed", "That did not work."),
    ("interrupted", "Live updates are interrupted. This page looks for news every second."),
    ("away", "The server does not answer. This page tries again every second and goes on by itself."),
    ("changedMeanwhile", "Somebody else changed this meanwhile. The page shows it as it is now; try again."),
    ("dismiss", "Dismiss"),
    ("nothingToSave", "Nothing is different from before."),
    ("rolledBack", "It stays as it was:"),
    ("savedState", "Saved."),
    ("tookTheirs", "The page shows theirs."),
    ("weightsTooMany", "The shares are more than 100 % together."),
    ("weightWrong", "A share is a number from 0 to 100."),
    ("orderChanged", "Somebody else changed the order meanwhile. The page shows theirs; move it again."),
    ("moved", "Moved."),
    ("whatEnabled", "State"),
    ("whatValue", "Value"),
    ("whatShares", "Shares"),
    ("on", "On"),
    ("off", "Off"),
    ("noValue", "no value"),
];
