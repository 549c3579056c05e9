//! What is written is read again, and is safe in a spreadsheet.

use proptest::prelude::*;

use super::super::change::Applier;
use super::*;
use crate::api::sheet::{Faults, guarded, unguarded};
use crate::device::Secret;
use crate::phone::{Account, Key, KeyKind, Mac, Phone, Transport, Vendor};
use crate::store::{StoreError, Vault};

/// A table of phones, with the columns that these phones need.
fn write(phones: &[Phone], vault: &Vault, secrets: bool) -> Result<Vec<u8>, StoreError> {
    let mut needs = Needs::default();
    phones.iter().for_each(|phone| needs.add(phone));
    assert!(phones.iter().all(|phone| needs.cover(phone)));
    let columns = needs.columns();
    let mut table = heading(&columns);
    for phone in phones {
        table.extend(line(&columns, phone, vault, secrets)?);
    }
    Ok(table)
}

/// Reads a table into phones that are not known yet.
fn imported(text: &[u8], vault: &Vault, like: &[Phone]) -> Vec<Phone> {
    let mut faults = Faults::default();
    let (columns, rows) = read(text, 1000, &mut faults);
    assert!(!faults.any(), "{faults:?}");
    let mut phones = Vec::new();
    for (row, cells) in rows {
        let change = change(&columns, &cells, None, row.line, &mut faults);
        assert!(!faults.any(), "{faults:?}");
        let known = like.iter().find(|phone| phone.mac == row.mac).unwrap();
        let mut phone = Phone::new(row.mac, Vendor::Fanvil, "", "default", known.token.clone());
        let mut applier = Applier::new(vault);
        applier.apply(change, &mut phone);
        assert!(applier.wrong.is_empty(), "{:?}", applier.wrong);
        phones.push(phone);
    }
    phones
}

/// A phone with its secrets opened, for comparison.
fn opened(phone: &Phone, vault: &Vault) -> (Phone, Vec<Secret>) {
    let mut plain = phone.clone();
    let mut secrets = Vec::new();
    for account in &mut plain.accounts {
        secrets.push(vault.unseal(&account.password).unwrap());
        account.password = phone.token.clone();
    }
    secrets.extend(plain.config_key.take().map(|key| vault.unseal(&key).unwrap()));
    (plain, secrets)
}

/// Texts that hurt: quotes, commas, formulas, blanks at the ends, other scripts.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[=+@'\\-][A-Z(),|!\"']{0,8}",
        "[ -~]{0,20}",
        "[ -~äöüß漢字\u{202e}]{0,12}",
    ]
}

fn word() -> impl Strategy<Value = String> {
    "[!-~]{1,20}"
}

prop_compose! {
    fn account()(
        user in word(), auth_user in text(), password in text(), display_name in text(),
        server in word(), port in 1_u16.., tls in any::<bool>(), voicemail in text(), label in text(),
    ) -> (Account, String) {
        // `***` means what is stored, and stands for no password.
        let password = if password == "***" { String::new() } else { password };
        (Account {
            line: 1,
            user: user.into(),
            auth_user: auth_user.into(),
            password: crate::device::Sealed(Vec::new()),
            display_name: display_name.into(),
            server: server.into(),
            port,
            transport: if tls { Transport::Tls } else { Transport::Tcp },
            outbound_proxy: "sbc".into(),
            voicemail: voicemail.into(),
            label: label.into(),
        }, password)
    }
}

prop_compose! {
    fn phone()(
        mac in 1_u32.., accounts in prop::collection::vec(account(), 0..3),
        keys in prop::collection::vec((word(), text()), 0..3),
        names in prop::collection::vec("[a-z]{1,4}", 0..2),
        settings in prop::collection::btree_map("[A-Z]{1,6}/[A-Z][a-z]{0,3}  ?[a-z]{1,3}", text(), 0..4),
        enabled in any::<bool>(), keyed in any::<bool>(),
    ) -> (Phone, Vec<String>, bool) {
        let [a, b, c, d] = mac.to_be_bytes();
        let mac = Mac::try_from([0x0c, 0x38, a, b, c, d]).unwrap();
        let token = crate::device::Sealed(vec![7]);
        let mut phone = Phone::new(mac, Vendor::Fanvil, "X4", "hq", token);
        let (accounts, passwords): (Vec<Account>, Vec<String>) = accounts.into_iter().unzip();
        phone.accounts = accounts;
        for (number, account) in phone.accounts.iter_mut().enumerate() {
            account.line = u8::try_from(number * 2 + 1).unwrap();
        }
        for (number, (value, label)) in keys.into_iter().enumerate() {
            phone.keys.push(Key {
                position: u16::try_from(number * 3 + 1).unwrap(),
                kind: KeyKind::Blf,
                value: value.into(),
                label: label.into(),
                line: 2,
                pickup: "*8".into(),
            });
        }
        phone.names = names.into_iter().enumerate().map(|(n, name)| format!("{name}{n}").into()).collect();
        phone.settings = settings.into_iter().filter(|(_, value)| value != "***")
            .map(|(name, value)| (name.into(), value.into())).collect();
        phone.enabled = enabled;
        (phone, passwords, keyed)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_exported_with_secrets_is_imported_as_it_was(
        phones in prop::collection::vec(phone(), 1..5),
    ) {
        let vault = Vault::ephemeral();
        let mut all: Vec<Phone> = Vec::new();
        for (mut phone, passwords, keyed) in phones {
            for (account, password) in phone.accounts.iter_mut().zip(passwords) {
                account.password = vault.seal(&Secret::new(password));
            }
            // What the vendor's formats cannot say is none of a table's business.
            let formats = crate::provision::family(phone.vendor);
            phone.accounts.retain(|account| {
                let password = vault.unseal(&account.password).unwrap();
                formats.check_account(account, Some(&password)).is_ok()
            });
            phone.settings.retain(|name, value| formats.check_setting(name, value).is_ok());
            phone.config_key = keyed.then(|| vault.seal(&Secret::new("ab".repeat(32))));
            if !all.iter().any(|other| other.mac == phone.mac) {
                all.push(phone);
            }
        }
        let table = write(&all, &vault, true).unwrap();
        let again = imported(&table, &vault, &all);
        prop_assert_eq!(again.len(), all.len());
        for (before, after) in all.iter().zip(&again) {
            prop_assert_eq!(opened(before, &vault), opened(after, &vault));
        }
        // Read again over what is stored, nothing is new.
        let mut faults = Faults::default();
        let (columns, rows) = read(&table, 1000, &mut faults);
        for ((row, cells), stored) in rows.iter().zip(&all) {
            let change = change(&columns, cells, Some(stored), row.line, &mut faults);
            let mut phone = stored.clone();
            Applier::new(&vault).apply(change, &mut phone);
            prop_assert_eq!(&phone, stored);
        }
    }

    #[test]
    fn a19_no_cell_begins_a_formula(text in ".{0,20}") {
        let cell = guarded(&text);
        prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
        prop_assert_eq!(unguarded(&cell), text);
    }

    #[test]
    fn nothing_that_is_read_is_a_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut faults = Faults::default();
        let table = [b"mac,model\n".as_slice(), &text].concat();
        let _ = read(&table, 10, &mut faults);
        let _ = read(&text, 10, &mut faults);
    }
}

#[test]
fn without_secrets_none_is_written() {
    let vault = Vault::ephemeral();
    let token = vault.seal(&Secret::new("token"));
    let mac = "0c383e07e16c".parse().unwrap();
    let mut phone = Phone::new(mac, Vendor::Fanvil, "X4", "hq", token);
    phone.config_key = Some(vault.seal(&Secret::new("c4n4ry".repeat(10))));
    phone.settings.insert("WEB/Password".into(), "c4n4ry".into());
    phone.settings.insert("AUTOUPDATE/Url".into(), "http://u:c4n4ry@h/".into());
    let table = String::from_utf8(write(&[phone], &vault, false).unwrap()).unwrap();
    assert!(!table.contains("c4n4ry"), "{table}");
    assert!(table.contains("***"), "{table}");
}

#[test]
fn fields_have_their_columns() {
    for (field, column) in [
        ("mac", "mac"),
        ("accounts[2].user", "line2_user"),
        ("accounts[2].account", "line2"),
        ("keys[12].value", "key12_value"),
        ("settings[SIP/X]", "setting:SIP/X"),
    ] {
        assert_eq!(heading_of(field), column);
    }
    for heading in ["line0_user", "line65_user", "line1_", "key0_kind", "line1_colour", "setting:"]
    {
        assert_eq!(Column::parse(heading), None, "{heading}");
    }
}
