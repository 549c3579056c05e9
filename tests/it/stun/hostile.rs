//! Those who want to misuse the STUN server: D9 of the list of hostile inputs.

use proptest::prelude::*;

use super::*;

#[tokio::test]
async fn d09_a_forged_binding_does_not_enter_the_table() {
    let stun = Stun::start(&StunConfig::default(), &Vault::ephemeral());
    let (device, forger) = (socket().await, socket().await);
    let id: DeviceId = "00D09E-1".parse().unwrap();
    stun.bind(&id, &device).await;
    let forged = Writer::new(Kind::Request, Transaction([3; 16]))
        .connection_request_binding()
        .username(id.as_str())
        .sign(b"guessed", Padding::To64);
    forger.send_to(&forged, stun.at()).await.unwrap();
    let refused = heard(&forger).await;
    assert_eq!(provost::stun::Message::parse(&refused).unwrap().error_code(), Some(431));
    assert!(refused.len() <= forged.len());
    // Another device's password is as good as none.
    let other = stun.door.accounts().password(&"00D09E-2".parse().unwrap());
    let forged = Writer::new(Kind::Request, Transaction([4; 16]))
        .connection_request_binding()
        .username(id.as_str())
        .sign(other.expose().as_bytes(), Padding::To64);
    forger.send_to(&forged, stun.at()).await.unwrap();
    heard(&forger).await;
    assert_eq!(stun.door.binding(&id, None), Some(device.local_addr().unwrap()));
}

#[tokio::test]
async fn d09_nothing_is_reflected_and_nothing_amplified() {
    let stun = Stun::start(&StunConfig::default(), &Vault::ephemeral());
    let (client, victim) = (socket().await, socket().await);
    let blank = |number| Writer::new(Kind::Request, Transaction([number; 16]));
    let elsewhere = "127.0.0.2:9".parse().unwrap();
    for (request, error) in [
        (blank(1).response_address(elsewhere), 400),
        (blank(2).change_request(true, true), 420),
        (blank(3).attribute(0x7777, b"new"), 420),
    ] {
        let request = request.finish();
        client.send_to(&request, stun.at()).await.unwrap();
        let answer = heard(&client).await;
        assert!(answer.len() <= request.len());
        assert_eq!(provost::stun::Message::parse(&answer).unwrap().error_code(), Some(error));
    }
    // Too short for any answer; no request at all; rubbish; nothing.
    for datagram in [
        blank(4).finish(),
        blank(5).change_request(false, false).finish(),
        Writer::new(Kind::Response, Transaction([6; 16])).mapped_address(elsewhere).finish(),
        Writer::new(Kind::Other(2), Transaction([7; 16])).finish(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0; 1500],
        vec![0xFF; 1400],
        Vec::new(),
    ] {
        client.send_to(&datagram, stun.at()).await.unwrap();
    }
    assert!(is_silent(&stun, &client).await);
    assert!(is_silent(&stun, &victim).await);
}

#[tokio::test]
async fn d09_a_flood_of_one_source_is_left_unanswered() {
    let stun = Stun::start(&StunConfig::default(), &Vault::ephemeral());
    let client = socket().await;
    let id: DeviceId = "00D09E-1".parse().unwrap();
    // One after the other, so that no buffer overflows.
    for _ in 0..200 {
        stun.bind(&id, &client).await;
    }
    for number in 1..100 {
        client.send_to(&stun.binding(&id, number), stun.at()).await.unwrap();
    }
    // Served one after the other: this one comes after all of those.
    let other = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    stun.bind(&id, &other).await;
    let nothing = client.try_recv(&mut [0; 100]).unwrap_err();
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
    stun.clock.advance(seconds(1));
    stun.bind(&id, &client).await;
}

#[test]
fn d09_any_bytes_are_survived() {
    let request = Writer::new(Kind::Request, Transaction([3; 16]))
        .connection_request_binding()
        .username("00D09E-1")
        .response_address("203.0.113.7:99".parse().unwrap())
        .change_request(false, false)
        .error_code(401, "Unauthorized")
        .unknown_attributes(&[1, 2, 3])
        .sign(b"secret", Padding::To64);
    for cut in 0..=request.len() {
        survives::stun(&request[..cut]);
        // The header fits the cut.
        let mut fitting = request[..cut].to_vec();
        if let Some(field) = fitting.get_mut(2..4) {
            let length = u16::try_from(cut.saturating_sub(20)).unwrap();
            field.copy_from_slice(&length.to_be_bytes());
        }
        survives::stun(&fitting);
    }
    for position in 0..request.len() {
        for bits in 1..=255 {
            let mut changed = request.clone();
            changed[position] ^= bits;
            survives::stun(&changed);
        }
    }
}

proptest! {
    #[test]
    fn d09_any_attributes_are_survived(
        attributes in prop::collection::vec(
            (prop_oneof![0_u16..0x30, 0xC000_u16..0xC004, any::<u16>()],
             prop::collection::vec(any::<u8>(), 0..40)),
            0..8,
        ),
        kind in prop_oneof![Just(Kind::Request), Just(Kind::Response), Just(Kind::Error)],
        signed in any::<bool>(),
    ) {
        let writer = attributes
            .iter()
            .fold(Writer::new(kind, Transaction([9; 16])), |w, (n, v)| w.attribute(*n, v));
        let bytes = if signed { writer.sign(b"secret", Padding::None) } else { writer.finish() };
        survives::stun(&bytes);
    }

    #[test]
    fn d09_rubbish_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives::stun(&bytes);
    }
}
