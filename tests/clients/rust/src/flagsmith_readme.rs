//! The README's lines for Flagsmith's Rust crate.

use flagsmith::flagsmith::models::SDKTrait;
use flagsmith::{Flagsmith, FlagsmithOptions};
use flagsmith_flag_engine::types::{FlagsmithValue, FlagsmithValueType};

#[rustfmt::skip]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (server, client_key) = (std::env::var("OFFSHOOT_URL")?, std::env::var("OFFSHOOT_KEY")?);

    let options = FlagsmithOptions { api_url: format!("{server}/api/v1/"), ..Default::default() };
    let flagsmith = Flagsmith::new(client_key, options);
    let gold = FlagsmithValue { value: "gold".to_owned(), value_type: FlagsmithValueType::String };
    let plan = SDKTrait::new("plan".to_owned(), gold);
    let flags = flagsmith.get_identity_flags("anna", Some(vec![plan]), None)?;
    println!("{}", flags.get_feature_value_as_string("banner")?);
    Ok(())
}
