//! What is forgotten, as the audit tells it.

use super::subject::{Place, Places, Told, brief_bulk, brief_document, told};
use crate::store::{Change, OfficeKey, Store, StoreError};

/// What a change takes away; `None` if it is no entry, or nothing was there.
pub(super) async fn of(
    change: &Change,
    store: &dyn Store,
    places: &mut Places<'_>,
) -> Result<Option<Told>, StoreError> {
    const GONE: Option<&()> = None;
    let nobody = Place::default;
    let fleet = store.fleet();
    Ok(match change {
        Change::ForgetDevice(id) => {
            let place = places.device(id, store).await?;
            told("device", id.as_str(), place, store.device(id).await?.as_ref(), GONE).map(|told| {
                Told { said: format!("forgot device {id} and all that was known of it"), ..told }
            })
        }
        Change::ForgetProfile(name, _) => {
            told("profile", name, nobody(), fleet.profile(name).await?.as_ref(), GONE)
        }
        Change::ForgetPlan(id) => {
            let before = fleet.plan(*id).await?.map(|plan| plan.why);
            let key = uuid::Uuid::from_u128(*id).hyphenated().to_string();
            told("plan", &key, nobody(), before.as_ref(), GONE)
        }
        Change::ForgetCampaign(name) => {
            let before = fleet.campaign(name).await?;
            let place = before.as_ref().map(|before| Place::of_tenant(&before.tenant));
            let text = before.map(|campaign| campaign.text);
            told("campaign", name, place.unwrap_or_default(), text.as_ref(), GONE)
        }
        Change::ForgetPreload(key) => {
            let before = fleet.preload(key).await?;
            let place = before.as_ref().map(|before| Place::of(&before.labels));
            told("preload", &key.to_string(), place.unwrap_or_default(), before.as_ref(), GONE)
        }
        Change::ForgetStranger(id) => {
            let place = places.device(id, store).await?;
            told("stranger", id.as_str(), place, fleet.stranger(id).await?.as_ref(), GONE)
        }
        Change::ForgetDeviceBackup(id, backup) => {
            let place = places.device(id, store).await?;
            let backup = uuid::Uuid::from_u128(*backup).hyphenated().to_string();
            told("backup", id.as_str(), place, Some(&backup), GONE).map(|told| Told {
                kind: "device".to_owned(),
                said: format!("removed a backup of device {id}"),
                ..told
            })
        }
        Change::ForgetModel(key) => {
            told("model", &key.to_string(), nobody(), store.model(key).await?.as_ref(), GONE)
        }
        Change::ForgetModelWishes(key) => {
            let before = store.model_wishes(key).await?;
            told("model_wishes", &key.to_string(), nobody(), before.as_ref(), GONE)
        }
        Change::ForgetPhone(mac) => {
            let before = store.phone(*mac).await?;
            let place = match &before {
                Some(phone) => places.site(&phone.site, store).await?,
                None => nobody(),
            };
            told("phone", &mac.to_string(), place, before.as_ref(), GONE)
        }
        Change::ForgetSite(name) => {
            let place = places.site(name, store).await?;
            told("site", name, place, store.site(name).await?.as_ref(), GONE)
        }
        Change::ForgetLayer(scope) => {
            let before = store.layer(scope).await?;
            told("layer", &scope.to_string(), Place::of_scope(scope), before.as_ref(), GONE)
        }
        Change::ForgetFile(sha256) => {
            told("file", sha256, nobody(), store.file(sha256).await?.as_ref(), GONE)
        }
        Change::ForgetOffice(key) => of_office(key, store).await?,
        // Housekeeping, and what the northbound enters by itself.
        Change::Put(_)
        | Change::ForgetTrace(_)
        | Change::TrimHistory(..)
        | Change::ForgetCompliance(_)
        | Change::ForgetMember(..)
        | Change::ForgetAssociation(_) => None,
    })
}

async fn of_office(key: &OfficeKey, store: &dyn Store) -> Result<Option<Told>, StoreError> {
    const GONE: Option<&()> = None;
    let office = store.office();
    Ok(match key {
        OfficeKey::Token(id) => {
            let before = office.token(id).await?;
            let place = before.as_ref().map(|token| Place::of_reach(&token.reach));
            told("token", id, place.unwrap_or_default(), before.as_ref(), GONE)
        }
        OfficeKey::User(name) => {
            let before = office.user(name).await?;
            let place = before.as_ref().map(|user| Place::of_reach(&user.reach));
            told("user", name, place.unwrap_or_default(), before.as_ref(), GONE)
        }
        OfficeKey::Tenant(name) => {
            let before = office.tenant(name).await?;
            told("tenant", name, Place::of_tenant(name), before.as_ref(), GONE)
        }
        OfficeKey::Webhook(id) => {
            let before = office.webhook(id).await?;
            let place = before.as_ref().map(|webhook| Place::of_reach(&webhook.reach));
            let place = place.unwrap_or_default();
            told("webhook", id, place, before.as_ref(), GONE)
        }
        OfficeKey::DeadLetter(webhook, number) => {
            let before = office.webhook(webhook).await?;
            let place = before.as_ref().map(|webhook| Place::of_reach(&webhook.reach));
            let place = place.unwrap_or_default();
            told("dead_letter", &format!("{webhook}/{number}"), place, Some(number), GONE)
        }
        OfficeKey::Document(collection, id) => {
            let before = office.document(collection, id).await?;
            let before = before.as_ref().map(brief_document);
            let key = format!("{collection}/{id}");
            told("document", &key, Place::default(), before.as_ref(), GONE)
        }
        OfficeKey::Bulk(id) => {
            let before = office.bulk(*id).await?;
            let place = before.as_ref().map(|bulk| Place::of_reach(&bulk.reach));
            let key = uuid::Uuid::from_u128(*id).hyphenated().to_string();
            let before = before.as_ref().map(brief_bulk);
            told("bulk", &key, place.unwrap_or_default(), before.as_ref(), GONE)
        }
        OfficeKey::Away(_) | OfficeKey::Reply(..) => None,
    })
}
