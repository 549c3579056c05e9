//! What is wanted of devices: a profile is planned and applied, a device strays
//! and is brought back, and a campaign over fifty devices halts by itself.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::steps::{Demo, expect, not_verified};
use super::story::Story;
use super::{CliError, PATIENCE};
use crate::cli::client::encode;
use crate::device::DeviceId;

/// What the profile sets, and what the gateway strays to.
const SSID: &str = "Device.WiFi.SSID.1.SSID";
const WANTED: &str = "Lobby";
const STRAYED: &str = "FreeWiFi";

/// Devices of the campaign.
const FLEET: u64 = 50;

/// The firmware that they run, and the one that they are promised.
const BEFORE: &str = "1.0.0";
const PROMISED: &str = "9.0.0";

/// How often the campaign is looked at.
const LOOK: Duration = Duration::from_millis(50);

impl Demo {
    /// A profile, from its plan to its being kept.
    pub(super) async fn desired_state(&self, story: &mut Story) -> Result<(), CliError> {
        let gateway = self.gateway()?;
        self.plan_and_apply(story, &gateway).await?;
        self.stray_and_repair(story, &gateway).await
    }

    async fn plan_and_apply(&self, story: &mut Story, id: &DeviceId) -> Result<(), CliError> {
        story.step("A profile says what is wanted; the plan says what that would do")?;
        let profile = json!({
            "match": "device.product_class == \"SimGateway\"",
            "drift": "report",
            "parameters": {SSID: WANTED, "Device.Time.NTPServer1": "ntp.example.net"},
        });
        let body =
            json!({"changes": [{"name": "lobby", "profile": profile}], "why": "demonstration"});
        let path = format!("/plans?wait={}", PATIENCE.as_secs());
        let plan = self.client.waiting(Method::POST, &path, Some(&body), PATIENCE).await?;
        let summary = &plan["summary"];
        expect(summary["changing"] == 1 && summary["concerned"] == 1, || {
            format!("the plan speaks of other devices: {summary}")
        })?;
        story.done(&format!(
            "plan: of {} devices 1 would change, by {}",
            summary["devices"],
            rpcs(&summary["rpcs"])
        ))?;
        let before = self.parameter(id, SSID).await?;
        expect(before != WANTED, || "the plan has changed the device".to_owned())?;
        story.done(&format!("nothing was sent: the network is still called {before}"))?;
        let plan_id = plan["id"].as_str().unwrap_or_default();
        let path = format!("/plans/{}/apply", encode(plan_id));
        let applied = self.client.send(Method::POST, &path, &json!({})).await?;
        expect(applied["state"] == "applied", || format!("the plan is {}", applied["state"]))?;
        self.bring_there(id).await?;
        let read = self.parameter(id, SSID).await?;
        expect(read == WANTED, || format!("the network is called {read}"))?;
        story.done("applied, and read back from the device")?;
        let explained = self
            .client
            .get(&format!("/devices/{}/explain?path={}", encode(id.as_str()), encode(SSID)))
            .await?;
        expect(explained["state"] == "satisfied", || explained.to_string())?;
        story.done("explain: profile lobby, version 1, is why").map_err(CliError::from)
    }

    async fn stray_and_repair(&self, story: &mut Story, id: &DeviceId) -> Result<(), CliError> {
        story.step("Somebody changes the device itself: it strays, and is brought back")?;
        self.change(0, SSID, STRAYED).await?;
        let task = self.task(id, &json!({"action": "refresh", "path": "Device.WiFi."})).await?;
        expect(task["state"] == "applied", || format!("reading it ended as {}", task["state"]))?;
        let drift = self.client.get("/drift").await?;
        let found = drift["items"].as_array().into_iter().flatten();
        let found: Vec<&Value> = found
            .flat_map(|device| device["drifts"].as_array().into_iter().flatten())
            .filter(|drift| drift["path"] == SSID)
            .collect();
        let [found] = found.as_slice() else { return Err(not_verified(&drift.to_string())) };
        expect(found["found"] == STRAYED && found["wanted"] == WANTED, || found.to_string())?;
        story.done(&format!(
            "drift: {SSID} is {STRAYED}, wanted is {WANTED}, since {}",
            found["since"].as_str().unwrap_or_default()
        ))?;
        self.bring_there(id).await?;
        let read = self.parameter(id, SSID).await?;
        expect(read == WANTED, || format!("the network is called {read}"))?;
        let left = self.client.get("/drift").await?;
        expect(left["items"].as_array().is_some_and(Vec::is_empty), || left.to_string())?;
        story.done("repaired, and nothing strays any more")?;
        let path = format!("/devices/{}/history?path={}", encode(id.as_str()), encode(SSID));
        let history = self.client.get(&path).await?;
        let told: Vec<&str> = history["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|change| change["after"].as_str())
            .collect();
        expect(told.starts_with(&[WANTED, STRAYED, WANTED]), || history.to_string())?;
        story.done("its history tells who did what")?;
        Ok(())
    }

    /// A firmware that is not what it says reaches a few devices, and no more.
    pub(super) async fn campaign(&mut self, story: &mut Story) -> Result<(), CliError> {
        story
            .step("A campaign brings a bad firmware to fifty devices: it halts, and rolls back")?;
        for number in 0..FLEET {
            self.join(&format!("FLEET{number:04}")).await?;
        }
        // What the devices run, what they are to run, and what the file really brings.
        for (says, is) in [(BEFORE, BEFORE), (PROMISED, "8.9.9")] {
            self.upload_firmware(says, is).await?;
        }
        story.done(&format!("{FLEET} more devices made their first contact"))?;
        let campaign = json!({
            "name": "better-firmware",
            "why": "demonstration",
            "target": {"match": "device.serial.startsWith('FLEET')"},
            "action": {"firmware": {"version": PROMISED}},
            "waves": {"canary": 5, "sizes": ["50%"]},
            "pace": {"per_minute": 60_000, "concurrency": 10},
            "attempts": {"most": 1, "patience": "1h"},
            "abort": {"failures": "10%", "minimum": 5, "rollback": "automatic"},
            "health": {"within": "5m"},
        });
        let made = self.client.send(Method::POST, "/campaigns", &campaign).await?;
        let at_most = made["at_most_harmed"].as_u64().unwrap_or(u64::MAX);
        expect(at_most <= FLEET / 2, || made.to_string())?;
        story.done(&format!("before it starts: at most {at_most} devices can be harmed"))?;
        self.client.send(Method::POST, "/campaigns/better-firmware/start", &json!({})).await?;
        let over = self.rolled_back("/campaigns/better-firmware").await?;
        let (undone, waiting) = (count(&over, "undone"), count(&over, "waiting"));
        expect(undone >= 1 && undone <= at_most && undone + waiting == FLEET, || over.to_string())?;
        story.done(&format!("halted: {undone} devices were asked, {waiting} never were"))?;
        let devices = self.client.get("/devices?q=FLEET&limit=1000").await?;
        let versions = devices["items"].as_array().into_iter().flatten();
        let same = versions.filter(|device| device["software_version"] == BEFORE).count();
        expect(same as u64 == FLEET, || format!("{same} of {FLEET} run {BEFORE}"))?;
        story.done(&format!("rolled back: all {FLEET} run {BEFORE}, as their versions tell"))?;
        Ok(())
    }

    /// A campaign when it has rolled back.
    async fn rolled_back(&self, path: &str) -> Result<Value, CliError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let campaign = self.client.get(path).await?;
            match campaign["state"].as_str() {
                Some("rolled_back") => return Ok(campaign),
                Some("running" | "halted" | "rolling_back") if Instant::now() < deadline => {
                    tokio::time::sleep(LOOK).await;
                }
                _ => return Err(not_verified(&format!("the campaign stands at {campaign}"))),
            }
        }
    }

    /// Brings a device to what is wanted of it, now.
    async fn bring_there(&self, id: &DeviceId) -> Result<(), CliError> {
        let path = format!("/devices/{}/apply?wait={}", encode(id.as_str()), PATIENCE.as_secs());
        let task = self.client.waiting(Method::POST, &path, Some(&json!({})), PATIENCE).await?;
        expect(task["state"] == "applied", || format!("it ended as {}: {task}", task["state"]))
    }
}

/// `1 SetParameterValues, 1 GetParameterValues`.
fn rpcs(counts: &Value) -> String {
    let counts = counts.as_object().into_iter().flatten();
    counts.map(|(method, count)| format!("{count} {method}")).collect::<Vec<_>>().join(", ")
}

/// How many devices of a campaign stand so.
fn count(campaign: &Value, state: &str) -> u64 {
    campaign["totals"][state].as_u64().unwrap_or_default()
}
