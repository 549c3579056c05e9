//! `provost device diagnose`: a diagnostic and its results.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::CliError;
use super::client::Client;
use super::output::{Output, cell, grid};
use super::task::{self, Waiting};

/// What a device can be asked to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Diagnostic {
    /// Ping --host
    Ping,
    /// The way to --host
    Traceroute,
    /// The throughput of a download from --url
    Download,
    /// The throughput of an upload to --url
    Upload,
    /// UDP echo with --host
    UdpEcho,
    /// Look --host up at a name server
    Nslookup,
    /// The Wi-Fi networks in the neighbourhood
    WifiNeighbours,
}

/// What `provost device diagnose` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The device id
    id: String,
    /// Which diagnostic
    diagnostic: Diagnostic,
    /// The host name or address
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// The test file's URL
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Another input parameter, by its name in the data model
    #[arg(long = "set", value_name = "NAME=VALUE")]
    sets: Vec<String>,
    #[command(flatten)]
    waiting: Waiting,
}

impl Diagnostic {
    const fn word(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Traceroute => "traceroute",
            Self::Download => "download",
            Self::Upload => "upload",
            Self::UdpEcho => "udp_echo",
            Self::Nslookup => "nslookup",
            Self::WifiNeighbours => "wifi_neighbours",
        }
    }

    /// The input parameter that `--host` stands for.
    const fn host(self) -> &'static str {
        match self {
            Self::Nslookup => "HostName",
            _ => "Host",
        }
    }

    /// The input parameter that `--url` stands for.
    const fn url(self) -> &'static str {
        match self {
            Self::Upload => "UploadURL",
            _ => "DownloadURL",
        }
    }
}

pub(super) async fn run(
    arguments: Arguments,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let Arguments { id, diagnostic, host, url, sets, waiting } = arguments;
    let mut inputs = Map::new();
    for text in sets {
        let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, value) = pair.ok_or_else(|| CliError::BadArgument {
            argument: text.clone(),
            problem: "write it as NAME=VALUE",
        })?;
        inputs.insert(name.to_owned(), json!(value));
    }
    inputs.extend(host.map(|host| (diagnostic.host().to_owned(), json!(host))));
    inputs.extend(url.map(|url| (diagnostic.url().to_owned(), json!(url))));
    let body = json!({"action": "diagnose", "diagnostic": diagnostic.word(), "inputs": inputs});
    let asked = task::ask(client, &id, &body, waiting).await?;
    if waiting.no_wait() {
        return task::queued(&asked, output);
    }
    if !output.json {
        results(output.out, &asked)?;
    }
    task::report(&asked, output)
}

/// Prints the results of a task: single ones, then each table.
pub(super) fn results(out: &mut dyn Write, task: &Value) -> io::Result<()> {
    let mut single: Vec<Vec<String>> = Vec::new();
    let mut tables: BTreeMap<&str, Table<'_>> = BTreeMap::new();
    for result in task["results"].as_array().into_iter().flatten() {
        let name = result["name"].as_str().unwrap_or_default();
        let unit = result["unit"].as_str().unwrap_or_default();
        match row_of(name) {
            Some((table, row, column)) => {
                tables.entry(table).or_default().put(row, column, cell(&result["value"]));
            }
            None => single.push(vec![
                cell(&result["name"]),
                format!("{} {unit}", cell(&result["value"])).trim_end().to_owned(),
            ]),
        }
    }
    if !single.is_empty() {
        grid(out, &["RESULT", "VALUE"], &single)?;
    }
    for (name, table) in tables {
        writeln!(out, "\n{}", cell(&json!(name)))?;
        table.print(out)?;
    }
    Ok(())
}

/// `RouteHops.3.Host` apart; `Derived.Throughput` is no row.
fn row_of(name: &str) -> Option<(&str, u64, &str)> {
    let (table, rest) = name.split_once('.')?;
    let (row, column) = rest.split_once('.')?;
    Some((table, row.parse().ok()?, column))
}

/// A table of results as it is printed.
#[derive(Default)]
struct Table<'a> {
    columns: Vec<&'a str>,
    rows: BTreeMap<u64, BTreeMap<&'a str, String>>,
}

impl<'a> Table<'a> {
    fn put(&mut self, row: u64, column: &'a str, value: String) {
        if !self.columns.contains(&column) {
            self.columns.push(column);
        }
        self.rows.entry(row).or_default().insert(column, value);
    }

    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        // The names of columns are the device's own words.
        let names: Vec<String> = self.columns.iter().map(|name| cell(&json!(name))).collect();
        let headings: Vec<&str> =
            std::iter::once("#").chain(names.iter().map(String::as_str)).collect();
        let rows: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|(number, row)| {
                let cells = self.columns.iter().map(|name| row.get(name).cloned());
                std::iter::once(number.to_string())
                    .chain(cells.map(|cell| cell.unwrap_or_else(|| "-".to_owned())))
                    .collect()
            })
            .collect();
        grid(out, &headings, &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_told_in_tables() {
        let task = json!({"results": [
            {"name": "ResponseTime", "value": "21", "unit": "ms"},
            {"name": "Derived.Throughput", "value": "8", "unit": "bit/s"},
            {"name": "RouteHops.1.Host", "value": "a\u{1b}[2J"},
            {"name": "RouteHops.1.RTTimes", "value": "1,2"},
            {"name": "RouteHops.10.Host", "value": "b"},
        ]});
        let mut bytes = Vec::new();
        results(&mut bytes, &task).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let expected = "RESULT              VALUE\nResponseTime        21 ms\n\
                        Derived.Throughput  8 bit/s\n\nRouteHops\n#   Host   RTTimes\n\
                        1   a [2J  1,2\n10  b      -\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_task_without_results_prints_none() {
        let mut bytes = Vec::new();
        results(&mut bytes, &json!({})).unwrap();
        assert!(bytes.is_empty());
    }
}
