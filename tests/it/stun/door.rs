//! Devices that bind, and clients that are none.

use provost::stun::{Attribute, Message};

use super::*;

#[tokio::test]
async fn t23_a_device_is_asked_for_its_password_and_then_bound() {
    let stun = Stun::start(&StunConfig::default(), &Vault::ephemeral());
    let socket = socket().await;
    let id: DeviceId = "00D09E-SimGateway-1".parse().unwrap();
    // As a device begins (TR-069 §G.2.1.2): unsigned.
    let bare = Writer::new(Kind::Request, Transaction([5; 16])).connection_request_binding();
    socket.send_to(&bare.finish(), stun.at()).await.unwrap();
    let refused = heard(&socket).await;
    let refused = Message::parse(&refused).unwrap();
    assert_eq!((refused.kind, refused.error_code()), (Kind::Error, Some(401)));
    assert_eq!(stun.door.binding(&id, None), None);

    let request = stun.binding(&id, 6);
    socket.send_to(&request, stun.at()).await.unwrap();
    let answer = heard(&socket).await;
    assert!(answer.len() <= request.len());
    let answer = Message::parse(&answer).unwrap();
    let own = socket.local_addr().unwrap();
    assert_eq!(answer.mapped_address(), Some(own));
    assert!(answer.attributes.contains(&Attribute::SourceAddress(stun.at())));
    let password = stun.door.accounts().password(&id);
    assert_eq!(answer.verify(password.expose().as_bytes()), Some(Padding::To64));
    assert_eq!(stun.door.binding(&id, None), Some(own));
    stun.clock.advance(seconds(15 * 60));
    assert_eq!(stun.door.binding(&id, None), None);
}

#[tokio::test]
async fn t23_the_other_port_of_a_device_may_have_the_answer_and_is_not_bound() {
    let stun = Stun::start(&StunConfig::default(), &Vault::ephemeral());
    let (first, second) = (socket().await, socket().await);
    let id: DeviceId = "00D09E-1".parse().unwrap();
    let password = stun.door.accounts().password(&id);
    // Discovery of the binding's time-out (TR-069 §G.2.1.3).
    let request = Writer::new(Kind::Request, Transaction([8; 16]))
        .response_address(first.local_addr().unwrap())
        .username(id.as_str())
        .sign(password.expose().as_bytes(), Padding::To64);
    second.send_to(&request, stun.at()).await.unwrap();
    let answer = heard(&first).await;
    let mapped = Message::parse(&answer).unwrap().mapped_address();
    assert_eq!(mapped, Some(second.local_addr().unwrap()));
    assert_eq!(stun.door.binding(&id, None), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn t23_clients_of_other_makers_are_answered_where_it_is_allowed() {
    let generous = StunConfig { answer_short: true, ..StunConfig::default() };
    let stun = Stun::start(&generous, &Vault::ephemeral());
    let port = stun.at().port().to_string();
    let told = tokio::task::spawn_blocking(move || {
        (
            printed("turnutils_stunclient", &["-p", &port, "127.0.0.1"]),
            printed("stun", &[&format!("127.0.0.1:{port}"), "-v", "1"]),
        )
    });
    let (coturn, classic) = told.await.unwrap();
    assert!(coturn.contains("UDP reflexive addr: 127.0.0.1:"), "{coturn}");
    assert!(classic.contains("MappedAddress = 127.0.0.1:"), "{classic}");
}
