//! Which devices are meant, as arguments; and the lists and files made of them.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Map, Value};

use super::CliError;
use super::client::{Client, encode};
use super::list::{Listing, pages};
use super::output::{Column, Output, bytes_bar, cell, grid};

const DEVICES: &[Column] = &[
    ("ID", "id"),
    ("MANUFACTURER", "manufacturer"),
    ("CLASS", "product_class"),
    ("SOFTWARE", "software_version"),
    ("ADDRESS", "address"),
    ("LAST INFORM", "last_inform"),
    ("TAGS", "tags"),
];

/// Which devices are meant; all conditions must hold
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Which {
    /// A part of id, serial number, manufacturer, class, version or subscriber
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    /// Only this OUI
    #[arg(long)]
    oui: Option<String>,
    /// Only this product class
    #[arg(long)]
    product_class: Option<String>,
    /// Only this software version
    #[arg(long)]
    software_version: Option<String>,
    /// Only the device with this MAC address
    #[arg(long)]
    mac: Option<String>,
    /// Only the device with this user name of its PPP connection
    #[arg(long)]
    login: Option<String>,
    /// Only devices that informed from this address
    #[arg(long)]
    address: Option<String>,
    /// Only devices with this tag
    #[arg(long)]
    tag: Option<String>,
    /// Only this tenant's
    #[arg(long)]
    tenant: Option<String>,
    /// Only those at this site
    #[arg(long)]
    site: Option<String>,
    /// Only this subscriber's: a value, or NAME=VALUE
    #[arg(long)]
    subscriber: Option<String>,
    /// Only devices that informed since (RFC 3339)
    #[arg(long, value_name = "TIME")]
    informed_since: Option<String>,
    /// Only devices that last informed before (RFC 3339)
    #[arg(long, value_name = "TIME")]
    informed_before: Option<String>,
    /// Only devices for which this rule (CEL) is true
    #[arg(long, value_name = "RULE")]
    filter: Option<String>,
}

impl Which {
    /// The conditions by the names of the northbound.
    fn conditions(self) -> [(&'static str, Option<String>); 14] {
        [
            ("q", self.q),
            ("oui", self.oui),
            ("product_class", self.product_class),
            ("software_version", self.software_version),
            ("mac", self.mac),
            ("login", self.login),
            ("address", self.address),
            ("tag", self.tag),
            ("tenant", self.tenant),
            ("site", self.site),
            ("subscriber", self.subscriber),
            ("informed_since", self.informed_since),
            ("informed_before", self.informed_before),
            ("filter", self.filter),
        ]
    }

    /// The conditions as members of a request.
    pub(super) fn query(self) -> Map<String, Value> {
        let given = self.conditions().into_iter();
        given.filter_map(|(name, text)| Some((name.to_owned(), text?.into()))).collect()
    }
}

/// Which devices are listed, and what of them.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    which: Which,
    /// By what they are sorted: a field, or parameters.PATH; -FIELD for the
    /// greatest first
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    sort: Option<String>,
    /// Only these fields, with commas between: id, last_inform, subscriber.NAME,
    /// parameters.PATH, …
    #[arg(long, value_name = "FIELDS")]
    fields: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

/// How an export is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A table
    Csv,
    /// A JSON object a line
    Ndjson,
}

/// Which devices are written into a file, and what of them.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// The file
    file: PathBuf,
    #[command(flatten)]
    which: Which,
    /// How it is written
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Only these fields, with commas between, as when listing
    #[arg(long, value_name = "FIELDS")]
    fields: Option<String>,
}

pub(super) async fn list(
    args: ListArgs,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let fields = args.fields.clone();
    let mut filters = args.which.conditions().to_vec();
    filters.extend([("sort", args.sort), ("fields", args.fields)]);
    let devices = pages(client, "/devices", &filters, args.listing).await?;
    let Some(fields) = fields else { return Ok(output.list(&devices, DEVICES)?) };
    // The table has the columns that were asked for.
    let names: Vec<&str> = fields.split(',').map(str::trim).collect();
    let row =
        |item: &Value| -> Vec<String> { names.iter().map(|name| cell(at(item, name))).collect() };
    Ok(output.print(&devices, |out, devices| {
        let rows: Vec<Vec<String>> =
            devices["items"].as_array().into_iter().flatten().map(row).collect();
        grid(out, &names, &rows)
    })?)
}

/// What an item has at a field: `parameters.` and `subscriber.` hold others.
fn at<'a>(item: &'a Value, name: &str) -> &'a Value {
    match name.split_once('.') {
        Some((object, member)) => &item[object][member],
        None => &item[name],
    }
}

pub(super) async fn export(
    args: ExportArgs,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let format = match args.format {
        Format::Csv => "csv",
        Format::Ndjson => "ndjson",
    };
    let mut path = format!("/devices/export?format={format}");
    for (name, text) in args.which.conditions().into_iter().chain([("fields", args.fields)]) {
        if let Some(text) = text {
            path.push_str(&format!("&{name}={}", encode(&text)));
        }
    }
    let bar = bytes_bar("fetching");
    let size = client.download(&path, &args.file, bar.clone()).await?;
    bar.finish_and_clear();
    let file = args.file.display().to_string();
    let told = serde_json::json!({"file": file, "bytes": size});
    Ok(output.said(&told, &format!("{size} bytes are in {file}"))?)
}
