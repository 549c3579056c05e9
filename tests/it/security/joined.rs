//! E5: a device that says to be another tenant's phone learns nothing of it, and
//! the phone is told nothing of the device.

use axum::http::Method;
use provost::device::{Device, DeviceIdentity, Labels};
use provost::store::Record;
use serde_json::json;

use super::world::World;
use crate::api::{NOW, device};

/// A device whose serial number ends in a phone's address, as that of a tenant.
async fn named_as(world: &World, mac: &str, tenant: &str, revision: u32) -> Device {
    let serial = format!("00100400FV02001000000{mac}");
    let identity = DeviceIdentity::new("Fanvil", "0C383E", "X4", &serial).unwrap();
    let device = Device { id: identity.id(), identity, last_inform: NOW, ..device("x") };
    world.rig.put_devices([device.clone()]).await;
    let labels = Labels { revision, tenant: tenant.into(), ..Labels::default() };
    world.rig.put(Record::Labels(device.id.clone(), labels)).await;
    device
}

#[tokio::test]
async fn e05_a_device_is_no_phone_of_another_tenant() {
    let world = World::new().await;
    let template = json!({"profile": {"match": "phone.model == 'X4'",
        "parameters": {"Device.X_Y.Phone": "{{ phone.site }}"}}, "unchecked": true});
    let made = world.rig.put_json("/profiles/of-phones", template).await;
    assert_eq!(made.status, 201, "{}", made.text);
    for (revision, tenant, is_one) in [(1, "alpha", false), (2, "", false), (3, "beta_", true)] {
        let device = named_as(&world, &world.beta.mac, tenant, revision).await;
        let path = format!("/devices/{}", device.id.to_string().replace('%', "%25"));
        let explained = world.rig.get(&format!("{path}/explain")).await;
        assert_eq!(explained.status, 200, "{}", explained.text);
        assert_eq!(explained.text.contains("beta_-hq"), is_one, "{tenant}: {}", explained.text);
        let found = world.rig.get("/devices?filter=phone.model%20%3D%3D%20'X4'").await;
        assert_eq!(found.status, 200, "{}", found.text);
        assert_eq!(found.text.contains(device.id.as_str()), is_one, "{tenant}: {}", found.text);
        let plan = json!({"match": "phone.model == 'X4'"});
        let plan = world.rig.send(Method::POST, "/plans?wait=20", Some(plan)).await;
        let concerned = plan.json["summary"]["concerned"].as_u64();
        assert_eq!(concerned, Some(is_one.into()), "{tenant}: {}", plan.text);
        let aimed = json!({"name": "c", "target": {"match": "phone.model == 'X4'"},
            "action": {"reboot": {}}});
        let told = world.rig.send(Method::POST, "/campaigns?preview=true", Some(aimed)).await;
        assert_eq!(told.status == 200, is_one, "{tenant}: {}", told.text);
        let phone = world.rig.get(&format!("/phones/{}", world.beta.mac)).await;
        assert_eq!(phone.json["device"].is_object(), is_one, "{tenant}: {}", phone.text);
        let own_file = json!({"action": "provision"});
        let asked = world.rig.send(Method::POST, &format!("{path}/tasks"), Some(own_file)).await;
        let expected = if is_one { 202 } else { 400 };
        assert_eq!(asked.status, expected, "{tenant}: {}", asked.text);
    }
}
