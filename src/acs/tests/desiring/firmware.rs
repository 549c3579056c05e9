//! The firmware that a profile wants devices to run.

use super::*;

const TARGET: &str = r#""firmware":{"version":"9.9"}"#;

async fn store_image(lab: &Lab, version: &str) {
    let file = FileRecord {
        sha256: "ab".repeat(32).into(),
        name: "image.bin".into(),
        size: 1000,
        file_type: "1 Firmware Upgrade Image".into(),
        version: Some(version.into()),
        uploaded_at: lab.clock.now(),
        from: None,
        tenant: "".into(),
        shares: Vec::new(),
    };
    lab.store.commit(Record::File(file).into()).await.unwrap();
}

/// A periodic session after some time, and what the device then does by itself.
async fn live_after(lab: &mut Lab, pause: u64, image: &[u8]) -> Vec<String> {
    lab.clock.advance(seconds(pause));
    lab.cpe.raise(EventCode::Periodic, "");
    lab.live(image).await
}

fn downloads(asked: &[String]) -> usize {
    asked.iter().filter(|method| *method == "Download").count()
}

#[tokio::test]
async fn the_target_is_downloaded_once_and_nothing_is_left_to_tell() {
    let mut lab = Lab::with(false);
    store_image(&lab, "9.9").await;
    lab.wants("fw", TARGET).await;
    let image = firmware_image("9.9", 1000).unwrap();
    let asked = lab.live(&image).await;
    assert_eq!(downloads(&asked), 1, "{asked:?}");
    assert_eq!(lab.done_by().await, [("profile fw version 1".to_owned(), "applied")]);
    assert_eq!(lab.cpe.software_version(), "9.9");
    assert_eq!(lab.compliance().await, None);
    assert_eq!(downloads(&live_after(&mut lab, 90_000, &image).await), 0);
}

#[tokio::test]
async fn a_file_that_is_not_stored_is_told_and_looked_for_again() {
    let mut lab = Lab::with(false);
    lab.wants("fw", TARGET).await;
    let image = firmware_image("9.9", 1000).unwrap();
    assert_eq!(downloads(&lab.live(&image).await), 0);
    let told = lab.compliance().await.unwrap();
    assert!(told.why.contains("upload one"), "{}", told.why);
    store_image(&lab, "9.9").await;
    assert_eq!(downloads(&live_after(&mut lab, 4_000, &image).await), 1);
    assert_eq!(lab.compliance().await, None);
}

#[tokio::test]
async fn a_download_that_does_not_help_is_repeated_with_pauses_and_then_no_more() {
    let mut lab = Lab::with(false);
    store_image(&lab, "9.9").await;
    lab.wants("fw", TARGET).await;
    let image = firmware_image("9.8", 1000).unwrap();
    let mut count = downloads(&lab.live(&image).await);
    assert_eq!(count, 1);
    count += downloads(&live_after(&mut lab, 30, &image).await);
    assert_eq!(count, 1, "not before its time");
    for _ in 0..20 {
        count += downloads(&live_after(&mut lab, 86_400, &image).await);
    }
    assert_eq!(count, 5);
    let told = lab.compliance().await.unwrap();
    assert!(told.why.contains("5 downloads did not help"), "{}", told.why);
    let task = lab.shared.fleet.ask_repair(&lab.id, "anna", lab.clock.now()).await.unwrap();
    assert_eq!(downloads(&live_after(&mut lab, 60, &image).await), 1, "an operator may insist");
    assert!(lab.store.task(task.id).await.unwrap().unwrap().state.is_ended());
}

#[tokio::test]
async fn a_device_that_falls_back_each_time_is_left_after_three_upgrades() {
    let mut lab = Lab::with(false);
    store_image(&lab, "9.9").await;
    lab.wants("fw", TARGET).await;
    let image = firmware_image("9.9", 1000).unwrap();
    assert_eq!(downloads(&lab.live(&image).await), 1);
    let mut count = 0;
    for _ in 0..10 {
        let _ = lab.cpe.change("Device.DeviceInfo.SoftwareVersion", "1.0.0");
        count += downloads(&live_after(&mut lab, 1_200, &image).await);
    }
    assert_eq!(count, 3);
    let told = lab.compliance().await.unwrap();
    assert!(told.why.contains("changed it back"), "{}", told.why);
}
