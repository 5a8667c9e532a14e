//! `offshoot import`: brings in a project from elsewhere, through ordinary commands.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use offshoot_aggregates::Actor;
use uuid::Uuid;

use super::CliError;
use crate::commands::CommandContext;
use crate::config::{DataConfig, WorkerConfig};
use crate::import::flagsmith_document;
use crate::limits::READ_YOUR_WRITES_WAIT;
use crate::node::Node;

/// The namespace of imports: the same document under the same names is the same import.
const NAMESPACE: Uuid = Uuid::from_u128(0x696d_706f_7274_4e1f_9d5a_0b1e_c7ed_a7e5);

/// What to bring in.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// A Flagsmith environment document: a project's features and segments, one environment's states, overrides for identities.
    FlagsmithDocument(DocumentConfig),
}

/// Which document, and under which names.
#[derive(Debug, Args)]
pub struct DocumentConfig {
    /// The document.
    file: PathBuf,

    /// The name of the new project.
    #[arg(long)]
    project: String,

    /// The name of the new environment; the document's own if none is given.
    #[arg(long)]
    environment: Option<String>,

    /// Where the data is.
    #[command(flatten)]
    data: DataConfig,

    /// The API key that an empty store is given; a random one is made, and printed once, if none is given.
    #[arg(long, env = "OFFSHOOT_ADMIN_KEY", hide_env_values = true)]
    admin_key: Option<crate::config::AdminKey>,
}

/// Brings it in. An import that was interrupted goes on where it stopped.
#[allow(clippy::print_stdout, reason = "what was brought in is what the command is run for")]
pub async fn run(command: ImportCommand) -> Result<(), CliError> {
    let ImportCommand::FlagsmithDocument(config) = command;
    let json = std::fs::read_to_string(&config.file)
        .map_err(|error| format!("{} cannot be read: {error}", config.file.display()))?;
    let plan = flagsmith_document::read(&json, config.project.clone(), config.environment.clone())?;
    let (features, segments) = (plan.features.len(), plan.segments.len());
    let identities = plan.identities.len();
    let states = features + plan.features.iter().map(|feature| feature.overrides.len()).sum::<usize>();
    let name = format!("{}\0{}\0{json}", plan.project.name, plan.environment.name);
    let context = CommandContext::repeatable(Actor::operator("import"), Uuid::new_v5(&NAMESPACE, name.as_bytes()));
    let node = Node::start(&config.data, &WorkerConfig::default()).await?;
    let outcome = async {
        let given = config.admin_key.map(|key| key.0);
        let was_given = given.is_some();
        // A key that was given is known already, and belongs on no screen.
        if let Some(key) = node.commands.bootstrap(given).await?
            && !was_given
        {
            println!("The store was empty. Its organisation admin has this API key, shown only now: {key}");
        }
        let (organisation, _) = node.commands.first_organisation().await?.ok_or("the store has no organisation")?;
        let imported = node.commands.import(&context, organisation, plan).await?;
        node.read_models.wait_for(imported.position, READ_YOUR_WRITES_WAIT).await;
        Ok::<_, CliError>(imported.created)
    }
    .await;
    node.stop().await;
    let environment = outcome?;
    println!("Project    {}", config.project);
    println!("Environment {} (client key {})", environment.name, environment.api_key);
    println!(
        "Brought in {features} features, {segments} segments, {states} feature states, overrides for {identities} identities."
    );
    Ok(())
}
