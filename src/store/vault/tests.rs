//! Tests of the vault.

use std::path::Path;

use super::*;

#[test]
fn what_is_sealed_can_be_unsealed_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(&folder.path().join("data")).unwrap();
    let sealed = vault.seal(&Secret::new("päss"));
    assert!(!format!("{sealed:?}").contains("p"), "{sealed:?}");
    let again = Vault::open(&folder.path().join("data")).unwrap();
    assert_eq!(again.unseal(&sealed).unwrap().expose(), "päss");
    assert_eq!(again.derive("nonces"), vault.derive("nonces"));
    assert_ne!(again.derive("nonces"), vault.derive("links"));
}

#[test]
fn sealing_twice_gives_different_bytes() {
    let vault = Vault::ephemeral();
    let secret = Secret::new("");
    assert_ne!(vault.seal(&secret), vault.seal(&secret));
    assert_eq!(vault.unseal(&vault.seal(&secret)).unwrap(), secret);
}

#[test]
fn altered_and_foreign_secrets_are_refused() {
    let vault = Vault::ephemeral();
    let sealed = vault.seal(&Secret::new("secret"));
    assert!(Vault::ephemeral().unseal(&sealed).is_err());
    for at in 0..sealed.0.len() {
        let mut altered = sealed.clone();
        altered.0[at] ^= 1;
        assert!(vault.unseal(&altered).is_err(), "byte {at}");
        assert!(vault.unseal(&Sealed(sealed.0[..at].to_vec())).is_err(), "cut at {at}");
    }
}

#[cfg(unix)]
#[test]
fn the_key_is_private_and_never_replaced() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    Vault::open(folder.path()).unwrap();
    let path = folder.path().join(KEY_FILE);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(&path, "short").unwrap();
    assert!(matches!(Vault::open(folder.path()), Err(StoreError::Damaged(_))));
    assert_eq!(std::fs::read(&path).unwrap(), b"short");
}

#[test]
fn random_texts_have_the_length_asked_for() {
    let vault = Vault::ephemeral();
    assert_eq!(vault.random_hex(16).len(), 32);
    assert_ne!(vault.random_hex(16), vault.random_hex(16));
}

/// What the first key sealed before keys had ids.
fn of_form_1(vault: &Vault, plain: &[u8]) -> Vec<u8> {
    let keys = vault.ring();
    let nonce = [7; NONCE_LEN];
    let mut body = plain.to_vec();
    keys[0]
        .sealing
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from([FIRST_FORM]),
            &mut body,
        )
        .unwrap();
    [&[FIRST_FORM][..], &nonce, &body].concat()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_rotated_key_seals_and_those_before_open() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    let old_form = of_form_1(&vault, b"oldest");
    let old = vault.seal(&Secret::new("old"));
    let derived = vault.derive("links");
    let made = vault.rotate(false).unwrap();
    assert!(made.current && !made.derives && made.number == 2);
    let new = vault.seal(&Secret::new("new"));
    assert!(vault.is_fresh(&new.0) && !vault.is_fresh(&old.0) && !vault.is_fresh(&old_form));
    assert_eq!(vault.key_of(&old_form), vault.key_of(&old.0));
    assert_eq!(vault.key_of(&new.0), Some(made.id));
    assert_eq!(names(folder.path()), ["secrets.ids", "secrets.key", "secrets.key.2"]);
    for vault in [vault, Vault::open(folder.path()).unwrap()] {
        assert_eq!(vault.unseal_bytes(&old_form).unwrap(), b"oldest");
        assert_eq!(vault.unseal(&old).unwrap().expose(), "old");
        assert_eq!(vault.unseal(&new).unwrap().expose(), "new");
        assert_eq!(vault.derive("links"), derived, "what was derived stays");
        assert_eq!(vault.keys().len(), 2);
    }
}

#[test]
fn what_is_derived_changes_only_if_asked_and_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    let derived = vault.derive("links");
    vault.rotate(true).unwrap();
    assert_eq!(vault.derive("links"), derived);
    let again = Vault::open(folder.path()).unwrap();
    assert_ne!(again.derive("links"), derived);
    let first = again.keys()[0].id;
    again.retire(first).unwrap();
    assert_eq!(names(folder.path()), ["secrets.ids", "secrets.key.2-root"]);
    let derived = again.derive("links");
    assert_eq!(Vault::open(folder.path()).unwrap().derive("links"), derived);
}

#[test]
fn a_key_that_is_missing_or_another_one_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    vault.rotate(false).unwrap();
    let ids: Vec<String> = vault.keys().iter().map(|key| key.id.to_string()).collect();
    for (file, id) in [("secrets.key.2", &ids[1]), ("secrets.key", &ids[0])] {
        let path = folder.path().join(file);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let error = Vault::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(id) && error.contains("secrets.key"), "{error}");
        std::fs::write(&path, [3; 32]).unwrap();
        let error = Vault::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(id) && error.contains("not here"), "{error}");
        std::fs::write(&path, bytes).unwrap();
        Vault::open(folder.path()).unwrap();
    }
    for file in ["secrets.key", "secrets.key.2"] {
        std::fs::remove_file(folder.path().join(file)).unwrap();
    }
    let error = Vault::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("missing"), "never made anew where secrets are: {error}");
}

#[test]
fn a_key_in_use_is_not_retired() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    vault.rotate(false).unwrap();
    vault.rotate(false).unwrap();
    let [first, second, third]: [KeyInfo; 3] = vault.keys().try_into().unwrap();
    assert!(vault.retire(first.id).is_err(), "others derive from it");
    assert!(vault.retire(third.id).is_err(), "it seals");
    vault.retire(second.id).unwrap();
    assert!(vault.retire(second.id).is_err(), "it is gone");
    assert_eq!(names(folder.path()), ["secrets.ids", "secrets.key", "secrets.key.3"]);
    assert_eq!(Vault::open(folder.path()).unwrap().rotate(false).unwrap().number, 4);
}

#[test]
fn keys_lie_where_the_settings_say() {
    let folder = tempfile::tempdir().unwrap();
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    std::fs::create_dir(&keys).unwrap();
    let sealed = Vault::open(&data).unwrap().seal(&Secret::new("s"));
    let key_file = Some(keys.join("provost"));
    let config = crate::config::StoreConfig { key_file, ..Default::default() };
    let place = || KeyPlace::of(&config, &data);
    let error = Vault::open_at(place()).unwrap_err().to_string();
    assert!(error.contains("put its file back"), "{error}");
    std::fs::rename(data.join(KEY_FILE), keys.join("provost")).unwrap();
    let vault = Vault::open_at(place()).unwrap();
    assert_eq!(vault.unseal(&sealed).unwrap().expose(), "s");
    vault.rotate(false).unwrap();
    assert_eq!(names(&keys), ["provost", "provost.2"]);
    assert_eq!(names(&data), ["secrets.ids"]);
}
