//! Reading what other programs wrote, as a plan for [`Commands::import`](crate::commands::Commands::import).

pub mod flagsmith_document;
