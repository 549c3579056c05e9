//! The shelf on a real folder.

use super::*;

const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

async fn put(shelf: &Arc<Shelf>, bytes: &[u8]) -> Result<Stored, FilesError> {
    let mut upload = shelf.begin(u64::MAX).await?;
    for chunk in bytes.chunks(3) {
        upload.write(chunk).await?;
    }
    upload.finish().await
}

fn incoming(data: &Path) -> usize {
    list(&data.join("files").join(INCOMING)).unwrap().len()
}

#[tokio::test]
async fn a_file_is_found_by_its_content_and_survives_reopening() {
    let data = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(data.path(), 100).unwrap();
    let stored = put(&shelf, b"hello").await.unwrap();
    assert_eq!(stored, Stored { sha256: HELLO.into(), size: 5 });
    let shelf = Shelf::open(data.path(), 100).unwrap();
    assert_eq!(shelf.used(), 5);
    assert_eq!(shelf.read(HELLO).await.unwrap().1, 5);
    assert_eq!(std::fs::read(shelf.path_of(HELLO).unwrap()).unwrap(), b"hello");
    assert_eq!(incoming(data.path()), 0);
}

#[tokio::test]
async fn the_same_content_twice_is_one_file_and_removed_once() {
    let data = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(data.path(), 100).unwrap();
    put(&shelf, b"hello").await.unwrap();
    put(&shelf, b"hello").await.unwrap();
    assert_eq!(shelf.used(), 5);
    shelf.remove(HELLO).await.unwrap();
    shelf.remove(HELLO).await.unwrap();
    assert_eq!(shelf.used(), 0);
    assert!(matches!(shelf.read(HELLO).await, Err(FilesError::NotFound)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_content_at_once_is_counted_once() {
    let data = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(data.path(), 100).unwrap();
    let uploads: Vec<_> = (0..8)
        .map(|_| {
            let shelf = Arc::clone(&shelf);
            tokio::spawn(async move { put(&shelf, b"hello").await.unwrap() })
        })
        .collect();
    for upload in uploads {
        upload.await.unwrap();
    }
    assert_eq!((shelf.used(), incoming(data.path())), (5, 0));
}

#[tokio::test]
async fn an_upload_that_is_dropped_or_refused_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(data.path(), 8).unwrap();
    let mut dropped = shelf.begin(100).await.unwrap();
    dropped.write(b"hello").await.unwrap();
    assert_eq!((shelf.used(), incoming(data.path())), (5, 1));
    // While it goes on it counts, so that two uploads cannot pass the quota
    // together.
    let second = put(&shelf, b"12345").await;
    assert!(matches!(second, Err(FilesError::Quota { quota: 8 })));
    drop(dropped);
    assert_eq!((shelf.used(), incoming(data.path())), (0, 0));
    put(&shelf, b"12345").await.unwrap();
}

#[tokio::test]
async fn an_upload_beyond_its_limit_is_refused_at_once() {
    let data = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(data.path(), 100).unwrap();
    let mut upload = shelf.begin(4).await.unwrap();
    upload.write(b"1234").await.unwrap();
    assert!(matches!(upload.write(b"5").await, Err(FilesError::TooLarge { limit: 4 })));
    drop(upload);
    assert_eq!(shelf.used(), 0);
}

#[tokio::test]
async fn what_a_crash_left_is_swept() {
    let data = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(data.path(), 100).unwrap();
    let mut upload = shelf.begin(100).await.unwrap();
    upload.write(b"half of a fi").await.unwrap();
    upload.file.flush().await.unwrap();
    // As kill -9 would: no destructor runs.
    std::mem::forget(upload);
    assert_eq!(incoming(data.path()), 1);
    let shelf = Shelf::open(data.path(), 100).unwrap();
    assert_eq!((shelf.used(), incoming(data.path())), (0, 0));
}

#[tokio::test]
async fn no_name_from_outside_becomes_a_path() {
    let data = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(data.path(), 100).unwrap();
    for name in [
        "",
        "..",
        "../../etc/passwd",
        "%2e%2e%2f",
        "/etc/passwd",
        "C:\\boot.ini",
        "incoming",
        &HELLO.to_uppercase(),
        &HELLO[1..],
        &format!("{HELLO}/"),
        &format!("{}\0", &HELLO[1..]),
        &format!("../{}", &HELLO[3..]),
        &"é".repeat(32),
    ] {
        assert!(matches!(shelf.path_of(name), Err(FilesError::BadName)), "{name:?}");
        assert!(matches!(shelf.read(name).await, Err(FilesError::BadName)), "{name:?}");
        assert!(matches!(shelf.remove(name).await, Err(FilesError::BadName)), "{name:?}");
    }
}
