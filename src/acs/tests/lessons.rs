//! What a device taught is kept, told to its model, and overruled by operators.

use super::*;
use crate::device::{Ability, ModelKey, ModelWishes};

async fn say(lab: &Lab, revision: u32, abilities: Vec<Ability>) {
    let device = lab.store.device(&lab.id).await.unwrap().unwrap();
    let key = ModelKey::of(&device).any_firmware();
    let wishes = ModelWishes { key, revision, abilities };
    lab.store.commit(Record::ModelWishes(Box::new(wishes)).into()).await.unwrap();
}

/// A session that ends in silence after the InformResponse, which begins with
/// an XML declaration or not.
async fn silence(lab: &mut Lab) -> bool {
    lab.cpe.raise(EventCode::Periodic, "");
    let simulate::Action::Post(inform) = lab.cpe.open_session(lab.clock.now()) else { panic!() };
    let envelope = read(&inform, None, Side::Cpe, &ReadLimits::default()).unwrap().envelope;
    let opened = Driver::open(lab.shared.clone(), envelope, lab.caller(), lab.clock.now()).await;
    let (mut driver, reply) = opened.unwrap();
    driver.abandon("silence", lab.clock.now()).await;
    let failure = simulate::SessionFailure::Connection("reset".to_owned());
    lab.cpe.session_lost(failure, lab.clock.now());
    reply.starts_with(b"<?xml")
}

#[tokio::test]
async fn q28_q55_the_form_that_worked_is_a_lesson_and_an_operator_goes_before_it() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    assert!(silence(&mut lab).await);
    assert!(silence(&mut lab).await);
    let key = ModelKey::of(&lab.store.device(&lab.id).await.unwrap().unwrap());
    assert_eq!(lab.store.model(&key).await.unwrap(), None, "tried, and not yet shown");
    lab.cpe.raise(EventCode::Periodic, "");
    let _ = lab.session().await;
    let device = lab.store.device(&lab.id).await.unwrap().unwrap();
    assert_eq!(device.lessons.own[0].ability, Ability::XmlDeclaration(false));
    assert!(device.lessons.own[0].is_firm());
    let model = lab.store.model(&key).await.unwrap().unwrap();
    assert_eq!(model.lessons[0].heard.len(), 1, "one device alone teaches no model");
    assert_eq!(model.taken().count(), 0);
    assert!(!silence(&mut lab).await, "and so from now on");
    say(&lab, 1, vec![Ability::XmlDeclaration(true)]).await;
    assert!(silence(&mut lab).await);
}

#[tokio::test]
async fn q33_tables_are_read_again_after_a_boot_where_rows_move() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.cpe.raise(EventCode::Boot, "");
    assert!(lab.session().await.is_empty());
    say(&lab, 1, vec![Ability::SteadyInstances(false)]).await;
    lab.cpe.raise(EventCode::Boot, "");
    assert_eq!(lab.session().await[0], "GetParameterNames");
    lab.cpe.raise(EventCode::Periodic, "");
    assert!(lab.session().await.is_empty());
}

#[tokio::test]
async fn q47_a_slow_model_keeps_its_sessions_for_up_to_ten_minutes() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    say(&lab, 1, vec![Ability::Silence(600)]).await;
    lab.cpe.raise(EventCode::Periodic, "");
    let (driver, _) = lab.session_until(usize::MAX).await;
    assert_eq!(driver.timeout(), Duration::from_secs(600));
}
