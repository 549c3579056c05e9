//! Who may do what: a reseller's token, a client of GenieACS, and what is
//! remembered of it all.

use http::Method;
use serde_json::json;

use super::steps::{Demo, expect};
use super::story::Story;
use super::{CliError, Global};
use crate::class::Class;
use crate::cli::client::{Client, encode};

/// The reseller, and the tag that it gives its device.
const TENANT: &str = "acme";
const TAG: &str = "vip";

impl Demo {
    /// A token that sees one tenant's devices, and the other ways in and out.
    pub(super) async fn northbound(&self, story: &mut Story) -> Result<(), CliError> {
        story.step("A reseller gets a token of its own, and a client of GenieACS works with it")?;
        let gateway = self.gateway()?;
        let path = format!("/devices/{}", encode(gateway.as_str()));
        let all = self.client.get("/devices?limit=1000").await?;
        let all = all["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut another = all.iter().filter_map(|device| device["id"].as_str());
        let another = another.rfind(|id| *id != gateway.as_str()).unwrap_or_default();
        self.client.send(Method::PUT, &format!("/tenants/{TENANT}"), &json!({})).await?;
        self.client.send(Method::PATCH, &path, &json!({"tenant": TENANT})).await?;
        let draft = json!({
            "name": "reseller's portal", "role": "agent", "tenant": TENANT, "expires_in": 3600,
        });
        let token = self.client.send(Method::POST, "/tokens", &draft).await?;
        let reseller = self.holder(token["token"].as_str().unwrap_or_default())?;

        let seen = reseller.get("/devices").await?;
        let items = seen["items"].as_array().map_or(0, Vec::len);
        expect(items == 1 && seen["items"][0]["id"] == gateway.as_str(), || {
            format!("the reseller sees {items} devices")
        })?;
        let refused = reseller.get(&format!("/devices/{}", encode(another))).await;
        expect(refused.as_ref().is_err_and(|error| error.class() == Class::NotFound), || {
            format!("another's device is shown to the reseller: {refused:?}")
        })?;
        story.done(&format!(
            "of {} devices it sees 1; another's is answered as if it were not there",
            all.len()
        ))?;

        let genieacs = reseller.of_genieacs();
        let at = format!("/devices/{}/tags/{TAG}", encode(gateway.as_str()));
        genieacs.send(Method::POST, &at, &json!(null)).await?;
        let query = encode(&json!({"_tags": TAG}).to_string());
        let found = genieacs.get(&format!("/devices?query={query}&projection=_id,_tags")).await?;
        expect(found[0]["_tags"] == json!([TAG]) && found[1].is_null(), || {
            format!("the client of GenieACS sees {found}")
        })?;
        story.done("the same token by GenieACS's interface: tagged, and found by the tag")?;

        let made = self.client.get("/events?order=newest&limit=1000").await?;
        let kinds = made["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        for kind in ["device.new", "task.outcome", "drift", "campaign.state"] {
            expect(kinds.iter().any(|event| event["kind"] == kind), || {
                format!("no event of the kind {kind} was told")
            })?;
        }
        story.done(&format!("{} events were told of all this", kinds.len()))?;

        let audit = self.client.get("/audit/verify").await?;
        expect(audit["sound"] == true, || format!("the audit's chain is broken: {audit}"))?;
        let last = self.client.get("/audit?limit=1").await?;
        let last = &last["items"][0];
        expect(last["actor"] == "reseller's portal", || format!("the last entry is {last}"))?;
        let sentence = last["sentence"].as_str().unwrap_or_default();
        story.done(&format!("the audit's chain is whole; its last entry: {sentence}"))?;
        Ok(())
    }

    /// Whoever holds another token than the administrator's.
    fn holder(&self, token: &str) -> Result<Client, CliError> {
        let global: Global = super::global_for(&self.data);
        Client::new(&Global { token: Some(token.to_owned()), ..global })
    }
}
