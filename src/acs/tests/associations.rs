//! Who stands behind whom: gateways and members that tell the truth, and a
//! hostile one that does not.

use super::*;
use crate::device::{DeviceIdentity, Kinship, MAX_CLAIMS, Teller};

fn identity(class: &str, serial: &str) -> DeviceIdentity {
    DeviceIdentity::new("", "00D09E", class, serial).unwrap()
}

impl Lab {
    /// Another device that calls the same server.
    fn beside(&self, blueprint: Blueprint) -> Self {
        let other = Self::of(false, blueprint);
        Self { shared: self.shared.clone(), store: self.store.clone(), ..other }
    }

    async fn words(&self) -> Vec<String> {
        let words = self.store.associations(&self.id, 1000).await.unwrap();
        let word = |one: crate::device::Association| {
            format!("{:?} {} {}", one.teller, one.gateway, one.member)
        };
        words.into_iter().map(word).collect()
    }
}

#[tokio::test]
async fn a_gateway_and_its_member_confirm_each_other() {
    let members = vec![identity("SimGateway", "M1"), identity("STB", "M2")];
    let gateway = Blueprint::device2("G1", 80).unwrap();
    let home = gateway.identity().clone();
    let mut lab = Lab::of(false, gateway.with_members(members));
    let _ = lab.live(&[]).await;
    assert_eq!(
        lab.words().await,
        [
            "Gateway 00D09E-SimGateway-G1 00D09E-STB-M2",
            "Gateway 00D09E-SimGateway-G1 00D09E-SimGateway-M1",
        ]
    );
    let mut member = lab.beside(Blueprint::device2("M1", 80).unwrap().behind(home));
    let _ = member.live(&[]).await;
    assert_eq!(
        member.words().await,
        [
            "Member 00D09E-SimGateway-G1 00D09E-SimGateway-M1",
            "Gateway 00D09E-SimGateway-G1 00D09E-SimGateway-M1",
        ]
    );
    assert_eq!(lab.words().await.len(), 3);

    // The same again writes nothing; a periodic session does not even look.
    let mut notices = lab.store.watch();
    lab.cpe.raise(EventCode::Periodic, "");
    assert!(lab.session().await.is_empty());
    let mut commits = 0;
    while notices.try_recv().is_ok() {
        commits += 1;
    }
    assert_eq!(commits, 1);

    // A member that left is forgotten when the tree is read again.
    let row = "Device.ManagementServer.ManageableDevice.2.SerialNumber";
    assert!(lab.cpe.change(row, "M3"));
    lab.ask(1, Action::Refresh(None)).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let _ = lab.session().await;
    let words = lab.words().await.join("\n");
    assert!(words.contains("STB-M3") && !words.contains("STB-M2"), "{words}");
    let own = lab.store.associations(&lab.id, 1).await.unwrap();
    assert!(own[0].teller == Teller::Gateway && own[0].kinship == Kinship::Associated);
}

#[tokio::test]
async fn a_hostile_claim_gains_nothing_and_takes_nothing() {
    let honest = Blueprint::device2("G1", 80).unwrap();
    let victim = honest.identity().clone();
    let mut lab = Lab::of(false, honest.with_members(vec![identity("SimGateway", "EVIL")]));
    let _ = lab.live(&[]).await;
    let before = lab.words().await;
    // It claims the gateway as a member of its own, as its gateway, and a crowd.
    let mut crowd = vec![victim.clone()];
    crowd.extend((0..120).map(|number| identity("STB", &number.to_string())));
    let evil = Blueprint::device2("EVIL", 80).unwrap();
    let mut evil = lab.beside(evil.with_members(crowd).behind(victim));
    let _ = evil.live(&[]).await;
    let after = lab.words().await;
    assert_eq!(after.get(..before.len()), Some(&before[..]), "its own word stands, and first");
    assert_eq!(after.len(), before.len() + 2, "the other's two words stand beside it");
    assert!(evil.words().await.len() <= MAX_CLAIMS + 2);
}
