//! Projects, a module a concept.

mod environments;
mod features;
mod implicit_states;
mod imports;
mod life;
mod options;
mod permissions;
mod segments;
