//! The README's lines for OpenFeature's Rust SDK with the OFREP provider.

use open_feature::{EvaluationContext, OpenFeature};
use open_feature_ofrep::{OfrepOptions, OfrepProvider};
use reqwest::header::{HeaderMap, HeaderName};

#[rustfmt::skip]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (server, client_key) = (std::env::var("OFFSHOOT_URL")?, std::env::var("OFFSHOOT_KEY")?);

    let headers = HeaderMap::from_iter([(HeaderName::from_static("x-environment-key"), client_key.parse()?)]);
    let provider = OfrepProvider::new(OfrepOptions { base_url: server, headers, ..Default::default() }).await?;
    OpenFeature::singleton_mut().await.set_provider(provider).await;
    let anna = EvaluationContext::default().with_targeting_key("anna").with_custom_field("plan", "gold");
    let client = OpenFeature::singleton().await.create_client();
    println!("{}", client.get_string_value("banner", Some(&anna), None).await.unwrap_or("none".to_owned()));
    Ok(())
}
