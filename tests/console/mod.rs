//! The console in a real browser: Debian's Chromium, headless, driven through WebDriver against a real server.
//!
//! `browser` starts and drives it; `page` is what a test does on a page; `visit` puts server, browser and signing in
//! together. Whatever a test does, at its end the browser has logged no error, no violation of the Content-Security-Policy
//! and no request to anywhere but the server. `scripts/browser` installs Chromium and its driver.

mod audit;
mod axe;
mod browser;
mod clone_dialog;
mod cloning;
mod copying;
mod environment;
mod environments;
mod expiry;
mod feature_edits;
mod features;
mod first_paint;
mod interruptions;
mod keyboard;
mod narrow;
mod overview;
mod page;
mod pictures;
mod roles;
mod screenshots;
mod sessions;
mod sign_in;
mod system;
mod times;
mod visit;
