//! `provost device reports`: what a device reported outside of sessions.

use super::CliError;
use super::client::{Client, clean, encode};
use super::output::{Output, cell};

pub(super) async fn run(
    id: &str,
    limit: usize,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let reports = client.get(&format!("/devices/{}/reports?limit={limit}", encode(id))).await?;
    output.print(&reports, |out, reports| {
        for report in reports["items"].as_array().into_iter().flatten() {
            let text = |key: &str| cell(&report[key]);
            write!(out, "{}  {}  collected {}", text("at"), text("source"), text("collected_at"))?;
            match report["left_out"].as_u64() {
                None | Some(0) => writeln!(out)?,
                Some(count) => writeln!(out, "  {count} values left out")?,
            }
            for value in report["values"].as_array().into_iter().flatten() {
                let name = clean(value["name"].as_str().unwrap_or_default());
                writeln!(out, "  {name} = {}", cell(&value["value"]))?;
            }
        }
        Ok(())
    })?;
    Ok(())
}
