//! Reads the command line, runs the command, turns errors into exit codes.

use std::io::Write as _;
use std::process::ExitCode;

use axum::http::Method;
use clap::{Parser, Subcommand};
use serde_json::Value;

use super::audit::{self, AuditCommand};
use super::backup::{self, RestoreArgs};
use super::bulk::{self, BulkCommand};
use super::campaign::{self, CampaignCommand};
use super::client::{Client, clean};
use super::datamodel::{self, DatamodelCommand};
use super::device::{self, DeviceCommand};
use super::events::{self, EventsArgs};
use super::file::{self, FileCommand};
use super::fleet::{self, ApplyArgs, DriftArgs, ExplainArgs, PlanArgs, ProfileCommand};
use super::inspect::InspectError;
use super::key::{self, KeyCommand};
use super::massdeploy;
use super::model::{self, ModelCommand};
use super::output::Output;
use super::people::{self, TenantCommand, UserCommand};
use super::phone::{self, LayerCommand, PhoneCommand, SiteCommand};
use super::preload::{self, PreloadCommand};
use super::simulate::SimulateError;
use super::stranger::{self, StrangerCommand};
use super::task::{self, TaskCommand};
use super::token::{self, TokenCommand};
use super::webhook::{self, WebhookCommand};
use super::{CliError, Global, demo, dhcp, fanvil, inspect, serve, simulate};
use crate::class::Class;
use crate::gate::AdmissionRules;
use crate::server::ServerError;

/// TR-069 (CWMP) auto-configuration server and IP-phone provisioning server.
#[derive(Debug, Parser)]
#[command(name = "provost", version)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the main job on loopback, step by step
    Demo(demo::Args),
    /// Run the server
    Serve(serve::Args),
    /// Check the configuration and say what is wrong with it
    CheckConfig,
    /// Print the effective configuration
    PrintConfig,
    /// Show how the running server is
    Health,
    /// Have the running server read its settings, certificates and templates again
    Reload,
    #[command(subcommand)]
    Device(DeviceCommand),
    #[command(subcommand)]
    Preload(PreloadCommand),
    #[command(subcommand)]
    Stranger(StrangerCommand),
    #[command(subcommand)]
    Task(TaskCommand),
    Events(EventsArgs),
    #[command(subcommand)]
    Webhook(WebhookCommand),
    #[command(subcommand)]
    File(FileCommand),
    #[command(subcommand)]
    Model(ModelCommand),
    #[command(subcommand)]
    Profile(ProfileCommand),
    Plan(PlanArgs),
    Apply(ApplyArgs),
    Explain(ExplainArgs),
    Drift(DriftArgs),
    #[command(subcommand)]
    Datamodel(DatamodelCommand),
    #[command(subcommand)]
    Bulk(BulkCommand),
    #[command(subcommand)]
    Campaign(CampaignCommand),
    #[command(subcommand)]
    Phone(PhoneCommand),
    #[command(subcommand)]
    Site(SiteCommand),
    #[command(subcommand)]
    Layer(LayerCommand),
    Dhcp(dhcp::Args),
    #[command(subcommand)]
    Token(TokenCommand),
    #[command(subcommand)]
    User(UserCommand),
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Tell whose token this is, and what it may do
    Whoami,
    #[command(subcommand)]
    Audit(AuditCommand),
    #[command(subcommand)]
    Key(KeyCommand),
    /// Have the running server write a backup into its data folder
    Backup,
    /// Restore a backup into an empty data folder
    Restore(RestoreArgs),
    /// Encrypt, decrypt and show Fanvil files
    Fanvil(fanvil::Args),
    /// Generate the files of an AstLinux mass deployment; -h tells its options
    Massdeploy(massdeploy::Args),
    /// Generate the files of one AstLinux phone; -h tells its options
    PhoneprovBuild(massdeploy::Args),
    /// Decode CWMP messages and say what each tells
    Inspect(inspect::Args),
    Simulate(Box<simulate::Args>),
}

/// Runs the program.
pub async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap chooses the stream, and 0 for --help or 2 for wrong usage.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match dispatch(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has closed it, as `head` does: no failure.
        Err(
            CliError::Output(error)
            | CliError::Simulate(SimulateError::Output(error))
            | CliError::Inspect(InspectError::Output(error)),
        ) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(CliError::Ended(code)) => ExitCode::from(code),
        Err(error) => fail(&error.to_string(), error.class()),
    }
}

/// What `main` answers when not even the runtime can be built.
pub fn no_runtime(error: &std::io::Error) -> ExitCode {
    fail(&format!("the runtime cannot be started: {error}"), Class::Internal)
}

async fn dispatch(cli: Cli) -> Result<(), CliError> {
    let global = cli.global;
    let mut out = std::io::stdout();
    let output = &mut Output { json: global.json, out: &mut out };
    match cli.command {
        Command::Demo(args) => demo::run(&args).await,
        Command::Serve(args) => serve::run(&global, &args).await,
        Command::CheckConfig => {
            let config = global.config()?;
            crate::log::check(&config.log)?;
            AdmissionRules::read(&config.admission).map_err(ServerError::from)?;
            writeln!(output.out, "the configuration is sound")?;
            Ok(())
        }
        Command::PrintConfig => {
            let config = global.config()?;
            if output.json {
                Ok(output.record(&serde_json::to_value(&config).unwrap_or_default())?)
            } else {
                Ok(write!(output.out, "{}", config.to_toml())?)
            }
        }
        Command::Health => {
            let health = Client::new(&global)?.get("/health").await?;
            Ok(output.record(&health)?)
        }
        Command::Reload => {
            let path = "/reload";
            let told = Client::new(&global)?.send(Method::POST, path, &Value::Null).await?;
            Ok(reloaded(&told, output)?)
        }
        Command::Device(command) => device::run(command, &Client::new(&global)?, output).await,
        Command::Preload(command) => preload::run(command, &Client::new(&global)?, output).await,
        Command::Stranger(command) => stranger::run(command, &Client::new(&global)?, output).await,
        Command::Task(command) => task::run(command, &Client::new(&global)?, output).await,
        Command::Events(args) => events::run(args, &Client::new(&global)?, output).await,
        Command::Webhook(command) => webhook::run(command, &Client::new(&global)?, output).await,
        Command::File(command) => file::run(command, &Client::new(&global)?, output).await,
        Command::Model(command) => model::run(command, &Client::new(&global)?, output).await,
        Command::Profile(command) => {
            fleet::run_profile(command, &Client::new(&global)?, output).await
        }
        Command::Plan(args) => fleet::plan(args, &Client::new(&global)?, output).await,
        Command::Apply(args) => fleet::apply(args, &Client::new(&global)?, output).await,
        Command::Explain(args) => fleet::explain(args, &Client::new(&global)?, output).await,
        Command::Drift(args) => fleet::drift(args, &Client::new(&global)?, output).await,
        Command::Datamodel(command) => datamodel::run(command, &global, output),
        Command::Bulk(command) => bulk::run(command, &Client::new(&global)?, output).await,
        Command::Campaign(command) => campaign::run(command, &Client::new(&global)?, output).await,
        Command::Phone(command) => phone::run(command, &Client::new(&global)?, output).await,
        Command::Layer(command) => phone::run_layer(command, &Client::new(&global)?, output).await,
        Command::Site(command) => phone::run_site(command, &Client::new(&global)?, output).await,
        Command::Dhcp(args) => dhcp::run(args, &global, output).await,
        Command::Token(command) => token::run(command, &Client::new(&global)?, output).await,
        Command::User(command) => people::run_user(command, &Client::new(&global)?, output).await,
        Command::Tenant(command) => {
            people::run_tenant(command, &Client::new(&global)?, output).await
        }
        Command::Whoami => token::whoami(&Client::new(&global)?, output).await,
        Command::Audit(command) => audit::run(command, || Client::new(&global), output).await,
        Command::Key(command) => key::run(command, &Client::new(&global)?, output).await,
        Command::Backup => backup::backup(&global, &Client::new(&global)?, output).await,
        Command::Restore(args) => backup::restore(args, &global, output).await,
        Command::Fanvil(args) => Ok(fanvil::run(args)?),
        Command::Massdeploy(args) => massdeploy::mass(&args),
        Command::PhoneprovBuild(args) => massdeploy::build(&args),
        Command::Inspect(args) => {
            inspect::run(&args, output.json, output.out)?;
            Ok(())
        }
        Command::Simulate(args) => {
            // Devices that stay up tell in the log what happens to them.
            crate::log::init(&global.config()?.log)?;
            Ok(simulate::run(*args, output.json, output.out).await?)
        }
    }
}

/// What is in force and what is not.
fn reloaded(told: &Value, output: &mut Output<'_>) -> std::io::Result<()> {
    if output.json {
        return output.record(told);
    }
    let texts = |key: &str| {
        let list = told[key].as_array().into_iter().flatten();
        list.filter_map(|text| text.as_str().map(clean)).collect::<Vec<_>>()
    };
    let lists = [
        ("applied", "in force"),
        ("needs_restart", "needs a restart"),
        ("problems", "cannot be used"),
    ];
    if lists.iter().all(|(key, _)| texts(key).is_empty()) {
        return writeln!(output.out, "no setting changed");
    }
    for (key, words) in lists {
        for text in texts(key) {
            writeln!(output.out, "{words:<15} {text}")?;
        }
    }
    Ok(())
}

/// One line on stderr and the exit code of the class.
fn fail(message: &str, class: Class) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {}", message.replace('\n', " "));
    ExitCode::from(class.exit_code())
}
