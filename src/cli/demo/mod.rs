//! `provost demo`: the main job on loopback, step by step.
//!
//! The server runs as a process of its own and everything goes through its
//! doors: simulated devices over CWMP, a simulated phone over HTTP, an operator
//! over the REST API. Each step is verified by reading back. Nothing outside
//! the machine is reached, and everything lies in a temporary folder.
//!
//! - `fleet`: what is wanted of devices, and campaigns.
//! - `northbound`: who may do what, and what is remembered of it.
//! - `phones`: a phone of each family.
//! - `process`: the server as a process that can be killed.
//! - `story`: what is printed.
//! - `steps`: what is done, and how it is verified.

mod error;
mod fleet;
mod northbound;
mod phones;
mod process;
mod steps;
mod story;

use std::time::Duration;

use super::{CliError, Global};
pub use error::DemoError;
use process::ServerProcess;
use steps::Demo;
use story::Story;

/// Arguments of `provost demo`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// End after the last step: with 0 only if each step was verified
    #[arg(long)]
    exit: bool,
    /// How many parameters the simulated gateway has
    #[arg(long, value_name = "N", default_value_t = 300)]
    parameters: usize,
}

/// Runs the demonstration.
///
/// # Errors
/// [`DemoError`] for the step that could not be verified.
pub async fn run(args: &Args) -> Result<(), CliError> {
    let folder = Folder::new()?;
    let mut story = Story::new();
    story.say(&format!(
        "Provost {}: the main job, on loopback, in {}",
        env!("CARGO_PKG_VERSION"),
        folder.0.display()
    ))?;
    folder.put_template()?;
    let server = ServerProcess::start(&folder.0, None).await?;
    let global = global_for(&folder.0);
    let mut demo = Demo::new(server, &global, args.parameters)?;
    let told = demo.tell(&mut story).await;
    if let Err(error) = told {
        story.failed(&error.to_string())?;
        return Err(error);
    }
    story.say("\nEverything was verified by reading it back.")?;
    if args.exit {
        demo.end().await?;
        return Ok(());
    }
    story.what_next(&folder.0, demo.addresses())?;
    tokio::signal::ctrl_c().await?;
    demo.end().await
}

/// The options with which the commands of the demonstration reach its server.
fn global_for(data: &std::path::Path) -> Global {
    Global {
        data: data.to_owned(),
        config: None,
        sets: Vec::new(),
        json: false,
        server: None,
        ca: None,
        token: None,
    }
}

/// How long a device may take for what it was asked.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder of its own that is removed at the end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Result<Self, DemoError> {
        let path =
            std::env::temp_dir().join(format!("provost-demo-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&path)
            .map_err(|source| DemoError::Folder { path: path.clone(), source })?;
        Ok(Self(path))
    }
}

impl Folder {
    /// The template of an AstLinux mass deployment, where an operator puts it.
    fn put_template(&self) -> Result<(), DemoError> {
        let templates = self.0.join("templates/astlinux");
        let path = templates.join("desk.conf");
        std::fs::create_dir_all(&templates)
            .and_then(|()| std::fs::write(&path, phones::ASTLINUX_TEMPLATE))
            .map_err(|source| DemoError::Folder { path, source })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is only a temporary folder left over.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
