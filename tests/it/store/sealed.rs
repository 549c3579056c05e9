//! Nothing that an operator keeps secret can be read from the disk.

use std::path::Path;

use provost::config::Engine;
use provost::device::{Action, Task};
use provost::param::Value;
use provost::store::{self, Batch, Record};

use super::make;

/// Every file below a folder, whole.
fn bytes_below(folder: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes_below(&path, found);
        } else {
            found.push(std::fs::read(path).unwrap());
        }
    }
}

#[tokio::test]
async fn a_canary_in_a_task_is_nowhere_on_disk() {
    const CANARY: &str = "canary-3f1c9a";
    let folder = tempfile::tempdir().unwrap();
    let store = store::open(&make::config(Engine::Sled), folder.path()).await.unwrap();
    let password = make::path("Device.WiFi.AccessPoint.1.Security.KeyPassphrase");
    let action = Action::Set(vec![(password, Value::string(CANARY))]);
    let task = Task { action, ..make::task(1, 1) };
    let mut batch = Batch::new();
    batch.put(make::put_device(1));
    batch.put(Record::Task(Box::new(task.clone())));
    store.commit(batch).await.unwrap();
    store.close().await.unwrap();

    let mut files = Vec::new();
    bytes_below(folder.path(), &mut files);
    let holds = |needle: &str| {
        files.iter().any(|file| file.windows(needle.len()).any(|w| w == needle.as_bytes()))
    };
    assert!(!holds(CANARY), "the secret lies open on the disk");
    assert!(holds("Gate-Way"), "the search itself finds what is not sealed");

    let store = store::open(&make::config(Engine::Sled), folder.path()).await.unwrap();
    assert_eq!(store.task(task.id).await.unwrap(), Some(task), "and it can be read again");
    store.close().await.unwrap();
}
