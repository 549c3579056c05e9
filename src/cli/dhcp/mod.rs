//! `provost dhcp`: configuration for DHCP servers, and what phones make of it.

mod probe;

use clap::{Parser, Subcommand};
use serde_json::{Value, json};

use super::client::{Client, clean, encode};
use super::output::Output;
use super::{CliError, Global};
use crate::dhcp::{Asker, Explained, Options, Role, explain};
use crate::phone::{Mac, Vendor};

/// What phones are to be told by DHCP
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Args {
    /// Write configuration for this DHCP server: dnsmasq, kea or isc
    #[arg(long = "for", value_name = "SERVER", required = true)]
    dhcp_server: Option<String>,
    /// The site whose network it is for; needed if there are several
    #[arg(long)]
    site: Option<String>,
    /// The option that Fanvil phones are set to look at
    #[arg(long, value_name = "CODE", default_value_t = 66)]
    option: u8,
    /// Send devices under TR-069 to this ACS, besides
    #[arg(long, value_name = "URL")]
    acs: Option<String>,
    /// The provisioning code that they are told
    #[arg(long, value_name = "CODE", requires = "acs")]
    provisioning_code: Option<String>,
    #[command(subcommand)]
    command: Option<DhcpCommand>,
}

#[derive(Debug, Subcommand)]
enum DhcpCommand {
    /// Tell which URLs a phone will form from given options
    Explain {
        #[command(flatten)]
        phone: PhoneArgs,
        /// An option as the server sends it; may be repeated
        #[arg(long = "option", value_name = "CODE=TEXT|CODE=hex:BYTES", required = true)]
        options: Vec<String>,
    },
    /// Ask the network's DHCP server as a phone would, take no lease, and
    /// explain the answer; needs the right to use port 68
    Probe {
        #[command(flatten)]
        phone: PhoneArgs,
        /// The interface to ask on
        #[arg(long, value_name = "NAME")]
        interface: String,
        /// Option 60, as in digium_D65_2_9_27 or 450HD
        #[arg(long, value_name = "TEXT", default_value = "")]
        vendor_class: String,
    },
}

/// The phone that is asked about.
#[derive(Debug, clap::Args)]
struct PhoneArgs {
    /// fanvil, digium, audiocodes or astlinux; none for a device that speaks
    /// CWMP alone
    #[arg(long)]
    vendor: Option<Vendor>,
    /// The model
    #[arg(long, default_value = "")]
    model: String,
    /// The hardware address
    #[arg(long)]
    mac: Mac,
    /// The option that a Fanvil phone is set to look at; 0 for none
    #[arg(long, value_name = "CODE", default_value_t = 66)]
    fanvil_option: u8,
}

impl PhoneArgs {
    fn explain(&self, options: &Options) -> Explained {
        let asker = Asker {
            vendor: self.vendor,
            model: &self.model,
            mac: self.mac,
            option: self.fanvil_option,
        };
        explain(&asker, options)
    }
}

pub(super) async fn run(
    args: Args,
    global: &Global,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match args.command {
        None => write(args, &Client::new(global)?, output).await,
        Some(DhcpCommand::Explain { phone, options }) => {
            let mut given = Options::default();
            for text in &options {
                given.set_from(text)?;
            }
            show(&phone.explain(&given), output)
        }
        Some(DhcpCommand::Probe { phone, interface, vendor_class }) => {
            let reply = probe::ask(&interface, phone.mac, &vendor_class).await?;
            let mut explained = phone.explain(&reply.options);
            let text = |code| reply.options.text(code).map(|text| clean(&text));
            let options = reply
                .options
                .iter()
                .filter(|(code, _)| matches!(code, 43 | 66 | 67 | 120 | 125 | 128..=254));
            let told = options.map(|(code, bytes)| match text(code) {
                Some(text) if bytes.iter().all(|byte| *byte == 0 || (32..127).contains(byte)) => {
                    format!("option {code}: {text}")
                }
                _ => format!("option {code}: hex:{}", hex::encode(bytes)),
            });
            explained.notes.splice(0..0, told.collect::<Vec<_>>());
            explained.notes.insert(0, format!("offered {}; no lease was taken", reply.address));
            show(&explained, output)
        }
    }
}

async fn write(args: Args, client: &Client, output: &mut Output<'_>) -> Result<(), CliError> {
    let mut query = vec![
        format!("for={}", encode(&args.dhcp_server.unwrap_or_default())),
        format!("option={}", args.option),
    ];
    let texts =
        [("site", args.site), ("acs", args.acs), ("provisioning_code", args.provisioning_code)];
    for (key, value) in texts {
        query.extend(value.map(|value| format!("{key}={}", encode(&value))));
    }
    let answer = client.get(&format!("/dhcp?{}", query.join("&"))).await?;
    output.print(&answer, |out, answer| {
        write!(out, "{}", answer["text"].as_str().unwrap_or_default())
    })?;
    Ok(())
}

fn show(explained: &Explained, output: &mut Output<'_>) -> Result<(), CliError> {
    let answer = json!({"urls": explained.urls, "notes": explained.notes});
    output.print(&answer, |out, _: &Value| {
        for formed in &explained.urls {
            let role = match formed.role {
                Role::Common => "common file",
                Role::Configuration => "configuration",
                Role::Firmware => "firmware",
                Role::Acs => "ACS",
            };
            writeln!(out, "{role:13}  {}", clean(&formed.url))?;
        }
        explained.notes.iter().try_for_each(|note| writeln!(out, "- {}", clean(note)))
    })?;
    Ok(())
}
