//! Who may have which file, over real sockets.

use provost::device::Secret;
use provost::files::{Ask, Source as _};
use provost::phone::{
    Access, Allow, DoorKind, Ended, Layer, Mac, Phone, Scope, Site, SiteLogin, Vendor,
};
use provost::store::{FileRecord, Record};
use provost::time::Clock as _;

use super::rig::{Rig, curl, raw};

const MAC: &str = "0c383e07e16c";
const COMMON: &str = "F0V00X600000.cfg";
const AGENT: &str = "User-Agent: Fanvil X6 2.4.0 0c383e07e16c";

fn mac() -> Mac {
    MAC.parse().unwrap()
}

/// A site whose files may be asked for by name alone.
fn open_site(revision: u32, access: Access) -> Site {
    let access = Access { tokenless: true, ..access };
    Site { access, plain_secrets: true, ..Rig::site(revision) }
}

fn unlocked() -> Access {
    Access { lock: false, ..Access::default() }
}

async fn with(access: Access) -> Rig {
    let rig = Rig::open().await;
    rig.put_site(open_site(1, access)).await;
    rig.put_phone(rig.phone(MAC, 1)).await;
    rig
}

async fn status(rig: &Rig, from: &str, path: &str) -> String {
    let url = rig.url(path);
    curl(&["--interface", from, "-o", "/dev/null", "-w", "%{http_code}", &url]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_is_told_by_what_it_asks_for() {
    let rig = with(unlocked()).await;
    let folder = rig.site_folder("hq");
    for path in [
        format!("/{MAC}.cfg"),
        format!("/{}.cfg", MAC.to_uppercase()),
        format!("/some/folder/{MAC}.cfg"),
        format!("/phoneprov/{MAC}.cfg"),
        format!("{folder}{MAC}.cfg"),
        format!("{folder}fanvil/{MAC}.cfg"),
    ] {
        let got = raw(rig.address, "GET", &path, &[AGENT]).await;
        assert!(got.starts_with("HTTP/1.1 200") && got.contains(":1001\r\n"), "{path}: {got}");
    }
    // What phones share needs no phone; who says which he is gets the same.
    for (path, headers) in [
        (format!("/{COMMON}"), vec![]),
        (format!("/{COMMON}"), vec![AGENT]),
        (format!("{folder}{COMMON}"), vec![]),
        (format!("{folder}{}", COMMON.to_lowercase()), vec![]),
    ] {
        let got = raw(rig.address, "GET", &path, &headers).await;
        assert!(got.starts_with("HTTP/1.1 200") && got.contains("Flash Mode"), "{path}: {got}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_the_phones_own_finds_it() {
    let rig = with(unlocked()).await;
    let names = vec!["4711.cfg".into(), "lobby/Reception.cfg".into()];
    rig.put_phone(Phone { names, ..rig.phone(MAC, 2) }).await;
    let folder = rig.folder(mac(), "own");
    for path in ["/4711.cfg", "/lobby/reception.cfg", &format!("{folder}4711.cfg")] {
        let got = raw(rig.address, "GET", path, &[]).await;
        assert!(got.starts_with("HTTP/1.1 200") && got.contains(":1001\r\n"), "{path}: {got}");
    }
    assert!(raw(rig.address, "GET", "/4712.cfg", &[]).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_given_by_name_unless_the_site_says_so() {
    let rig = Rig::open().await;
    rig.put_site(Site { access: unlocked(), ..Rig::site(1) }).await;
    rig.put_phone(rig.phone(MAC, 1)).await;
    let uniform = raw(rig.address, "GET", "/", &[]).await;
    for path in [format!("/{MAC}.cfg"), format!("/{COMMON}"), format!("/phoneprov/{MAC}.cfg")] {
        assert_eq!(raw(rig.address, "GET", &path, &[AGENT]).await, uniform, "{path}");
    }
    // The site's own folder is good: whoever has it was told it.
    let path = format!("{}{MAC}.cfg", rig.site_folder("hq"));
    assert!(raw(rig.address, "GET", &path, &[]).await.starts_with("HTTP/1.1 200"));
    let other = format!("{}{MAC}.cfg", rig.site_folder("lab"));
    assert_eq!(raw(rig.address, "GET", &other, &[]).await, uniform, "another site's folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_serves_its_networks_and_patterns() {
    for (allow, here, elsewhere) in [
        ("127.0.5.0/24", "127.0.5.7", "127.0.6.7"),
        ("127.0.50.*", "127.0.50.1", "127.0.5.1"),
        ("127.0.0.9", "127.0.0.9", "127.0.0.10"),
    ] {
        let rig = with(Access { allow: Allow::list(allow).unwrap(), ..unlocked() }).await;
        let paths = [
            format!("/{MAC}.cfg"),
            format!("/{COMMON}"),
            format!("{}{MAC}.cfg", rig.site_folder("hq")),
        ];
        for path in paths {
            assert_eq!(status(&rig, here, &path).await, "200", "{allow} {path}");
            assert_eq!(status(&rig, elsewhere, &path).await, "404", "{allow} {path}");
        }
        let own = format!("{}{MAC}.cfg", rig.folder(mac(), "own"));
        assert_eq!(status(&rig, elsewhere, &own).await, "200", "its own token is good anywhere");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_asked_for_whatever_is_asked_for() {
    let rig = with(unlocked()).await;
    let login = |user: &str, password: &str| SiteLogin {
        user: user.into(),
        password: rig.vault.seal(&Secret::new(password)),
    };
    let logins = vec![login("phones", "old one"), login("phones", "new one"), login("b", "c")];
    rig.put_site(open_site(2, Access { logins, ..unlocked() })).await;
    let code = async |arguments: &[&str], path: &str| {
        let url = rig.url(path);
        curl(&[&["-o", "/dev/null", "-w", "%{http_code}"], arguments, &[&url]].concat()).await
    };
    let own = format!("/{MAC}.cfg");
    let stranger = "/0c383e07e16d.cfg";
    for path in [&*own, stranger, "/x", &format!("{}{MAC}.cfg", rig.site_folder("hq"))] {
        assert_eq!(code(&[], path).await, "401", "{path}");
        assert_eq!(code(&["--digest", "-u", "phones:wrong"], path).await, "401", "{path}");
        assert_eq!(code(&["-u", "phones:wrong"], path).await, "401", "{path}");
        let expected = if path.contains(MAC) { "200" } else { "404" };
        for password in ["phones:old one", "phones:new one", "b:c"] {
            assert_eq!(code(&["--digest", "-u", password], path).await, expected, "{path}");
            assert_eq!(code(&["--basic", "-u", password], path).await, expected, "{path}");
        }
    }
    let token = format!("{}{MAC}.cfg", rig.folder(mac(), "own"));
    assert_eq!(code(&[], &token).await, "200", "a token needs no login");
    // The question is the same for what is there and what is not.
    let nonce = regex_free(&raw(rig.address, "GET", &own, &[]).await);
    assert_eq!(regex_free(&raw(rig.address, "GET", stranger, &[]).await), nonce);
    assert!(nonce.starts_with("HTTP/1.1 401") && !nonce.contains("Basic"), "{nonce}");
    let (address, _) = rig.open_tls();
    let over_tls = curl(&["-k", "-i", &format!("https://{address}{own}")]).await;
    assert!(over_tls.contains("Basic realm="), "{over_tls}");
}

/// An answer without its nonces.
fn regex_free(answer: &str) -> String {
    let pieces = answer.split("nonce=\"");
    pieces.map(|piece| piece.split_once("\", algorithm").map_or(piece, |(_, rest)| rest)).collect()
}

/// The first whole fetch closes the lock, the same phone may ask once more, and
/// an operator opens it again.
#[tokio::test(flavor = "multi_thread")]
async fn p03_a_second_fetch_after_the_lock_leads_nowhere() {
    let rig = with(Access::default()).await;
    let (own, common) = (format!("/{MAC}.cfg"), format!("/{COMMON}"));
    let site = format!("{}{MAC}.cfg", rig.site_folder("hq"));
    assert_eq!(status(&rig, "127.0.0.5", &common).await, "200");
    assert_eq!(status(&rig, "127.0.0.5", &own).await, "200");
    let lock = rig.eventually(async |store| store.fetch_log(mac()).await.unwrap()?.lock).await;
    assert_eq!((lock.address.to_string(), lock.unlocks), ("127.0.0.5".to_owned(), 0));
    let uniform = raw(rig.address, "GET", "/", &[]).await;
    for path in [&own, &site] {
        assert_eq!(raw(rig.address, "GET", path, &[AGENT]).await, uniform);
        assert_eq!(status(&rig, "127.0.0.5", path).await, "200", "phones ask twice");
    }
    assert_eq!(status(&rig, "127.0.0.6", &common).await, "200", "what is shared has no lock");
    rig.clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(status(&rig, "127.0.0.5", &own).await, "404");
    let token = format!("{}{MAC}.cfg", rig.folder(mac(), "own"));
    assert_eq!(
        status(&rig, "127.0.0.6", &token).await,
        "200",
        "its own token is no matter of locks"
    );
    let refused = rig
        .eventually(async |store| {
            let log = store.fetch_log(mac()).await.unwrap()?;
            log.fetches.into_iter().find(|fetch| matches!(fetch.ended, Ended::Refused(_)))
        })
        .await;
    assert_eq!(refused.ended, Ended::Refused("its first-fetch lock is closed".into()));

    rig.put_phone(Phone { unlocks: 1, ..rig.phone(MAC, 2) }).await;
    assert_eq!(status(&rig, "127.0.0.6", &own).await, "200");
    rig.eventually(async |store| {
        let lock = store.fetch_log(mac()).await.unwrap()?.lock?;
        (lock.unlocks == 1 && lock.address.to_string() == "127.0.0.6").then_some(())
    })
    .await;
    assert_eq!(status(&rig, "127.0.0.5", &own).await, "404");
}

/// Whoever has its file by its own folder needs no other way; and is not told
/// its folder by PnP any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_from_its_own_folder_closes_the_lock_too() {
    let rig = with(Access::default()).await;
    let (here, there) = ("127.0.0.1".parse().unwrap(), "192.0.2.1".parse().unwrap());
    let told = async |source| rig.supply.address_from(mac(), source).await.unwrap().is_some();
    assert!(told(there).await);
    curl(&[&rig.url(&format!("{}{MAC}.cfg", rig.folder(mac(), "own")))]).await;
    rig.eventually(async |store| store.fetch_log(mac()).await.unwrap()?.lock).await;
    assert_eq!(status(&rig, "127.0.0.6", &format!("/{MAC}.cfg")).await, "404");
    assert!(told(here).await, "phones ask twice");
    assert!(!told(there).await);
    rig.put_phone(Phone { unlocks: 1, ..rig.phone(MAC, 2) }).await;
    assert!(told(there).await);
}

/// A fetch that did not come to its end, or looked only, closes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_whole_fetch_closes_the_lock() {
    let rig = with(Access::default()).await;
    let url = rig.url(&format!("/{MAC}.cfg"));
    curl(&["-I", &url]).await;
    curl(&["-r", "0-9", &url]).await;
    rig.eventually(async |store| store.fetch_log(mac()).await.unwrap()).await;
    assert_eq!(rig.store.fetch_log(mac()).await.unwrap().unwrap().lock, None);
    assert_eq!(status(&rig, "127.0.0.6", &format!("/{MAC}.cfg")).await, "200");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_fetched_is_logged_with_its_end() {
    let (rig, path) = {
        let rig = with(unlocked()).await;
        let path = format!("{}{MAC}.cfg", rig.folder(mac(), "own"));
        (rig, path)
    };
    let url = rig.url(&path);
    let log = async |count: usize| {
        rig.eventually(async |store| {
            let log = store.fetch_log(mac()).await.unwrap()?;
            (log.fetches.len() == count).then_some(log)
        })
        .await
    };
    let answer = curl(&["-D", "-", "-o", "/dev/null", &url]).await;
    let tag = answer.lines().find_map(|line| line.strip_prefix("Etag: ")).unwrap().trim();
    log(1).await;
    let same = format!("If-None-Match: {tag}");
    assert!(raw(rig.address, "GET", &path, &[&same]).await.starts_with("HTTP/1.1 304"));
    assert_eq!(log(2).await.fetches[1].ended, Ended::Unchanged);
    curl(&["-r", "0-9", &url]).await;
    let fetched = log(3).await.fetches;
    assert_eq!(fetched[2].ended, Ended::Part(10));
    // The same again within a minute is one line; after it, another.
    curl(&["-r", "0-9", &url]).await;
    rig.clock.advance(std::time::Duration::from_secs(61));
    curl(&["-r", "0-9", &url]).await;
    let last = log(4).await.fetches.pop().unwrap();
    assert_eq!(
        (last.door, &*last.file, &*last.version),
        (DoorKind::Http, &*format!("{MAC}.cfg"), "2.0000000001")
    );
    assert_eq!((last.at, last.ended), (rig.clock.now(), Ended::Part(10)));
}

/// A phone that runs the image already closes after its head: no error.
#[tokio::test(flavor = "multi_thread")]
async fn an_early_close_on_an_image_is_no_error() {
    let rig = Rig::open().await;
    let site = Site {
        settings: [("provost:firmware.file".into(), "450HD.img".into())].into(),
        ..Rig::site(1)
    };
    rig.put_site(site).await;
    let phone =
        Phone { vendor: Vendor::AudioCodes, model: "450HD".into(), ..rig.phone("00908f123456", 1) };
    let mac = phone.mac;
    rig.put_phone(Phone { settings: [].into(), accounts: Vec::new(), ..phone }).await;
    let path = format!("{}450HD.img", rig.folder(mac, "own"));
    let url = rig.url(&path);
    let missing = curl(&["-o", "/dev/null", "-w", "%{http_code}", &url]).await;
    assert_eq!(missing, "404", "it is not uploaded");
    let image: Vec<u8> = (0..8 << 20).map(|i: u32| i.to_le_bytes()[1]).collect();
    let mut upload = rig.shelf.begin(1 << 30).await.unwrap();
    upload.write(&image).await.unwrap();
    let stored = upload.finish().await.unwrap();
    let record = FileRecord {
        sha256: stored.sha256,
        name: "450HD.img".into(),
        size: stored.size,
        file_type: "1 Firmware Upgrade Image".into(),
        version: Some("3.4.4".into()),
        uploaded_at: rig.clock.now(),
        from: None,
        tenant: "".into(),
        shares: Vec::new(),
    };
    rig.put(Record::File(record)).await;
    {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut socket = tokio::net::TcpStream::connect(rig.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0; 2048];
        socket.read_exact(&mut head).await.unwrap();
        assert!(head.starts_with(b"HTTP/1.1 200"));
    }
    let fetched = rig
        .eventually(async |store| {
            let log = store.fetch_log(mac).await.unwrap()?;
            log.fetches.into_iter().find(|fetch| fetch.version.as_ref() == "3.4.4")
        })
        .await;
    let Ended::Part(bytes) = fetched.ended else { panic!("{fetched:?}") };
    assert!(bytes > 0 && bytes < stored.size, "{bytes}");
    let part =
        curl(&["-r", "0-255", "-o", "/dev/null", "-w", "%{http_code} %{size_download}", &url])
            .await;
    assert_eq!(part, "206 256");
}

/// Global, tenant, site, model and phone: each wins over those before it, in the
/// file that is served.
#[tokio::test(flavor = "multi_thread")]
async fn layers_win_over_those_before_them() {
    let rig = Rig::open().await;
    let setting = |value: &str| [("fanvil:AUTOUPDATE/Flash Interval".into(), value.into())].into();
    let site = Site { tenant: "acme".into(), settings: [].into(), ..Rig::site(1) };
    rig.put_site(site.clone()).await;
    rig.put_phone(Phone { settings: [].into(), ..rig.phone(MAC, 1) }).await;
    let shown = async || {
        let preview = rig.supply.preview(mac(), Some(COMMON), DoorKind::Https).await.unwrap();
        let text = String::from_utf8(preview.bytes).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("Flash Interval"));
        line.map(|line| line.trim_start_matches([' ', ':']).trim().to_owned()).unwrap_or_default()
    };
    let layer = async |scope: Scope, value: &str| {
        let layer = Layer { scope, revision: 1, settings: setting(value) };
        rig.put(Record::Layer(Box::new(layer))).await;
    };
    layer(Scope::Global, "11").await;
    assert_eq!(shown().await, "11");
    layer(Scope::Tenant("other".into()), "99").await;
    layer(Scope::Tenant("acme".into()), "12").await;
    assert_eq!(shown().await, "12");
    rig.put_site(Site { revision: 2, settings: setting("13"), ..site }).await;
    assert_eq!(shown().await, "13");
    let model = Layer {
        scope: Scope::Model(Vendor::Fanvil, "X6".into()),
        revision: 1,
        settings: [("AUTOUPDATE/Flash Interval".into(), "14".into())].into(),
    };
    rig.put(Record::Layer(Box::new(model))).await;
    assert_eq!(shown().await, "14");
    let served = curl(&[&rig.url(&format!("{}{COMMON}", rig.folder(mac(), "own")))]).await;
    assert!(served.contains(":14\r\n"), "{served}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_phone_gets_nothing_by_any_way() {
    let rig = with(unlocked()).await;
    let token = format!("{}{MAC}.cfg", rig.folder(mac(), "own"));
    assert_eq!(status(&rig, "127.0.0.1", &token).await, "200");
    rig.put_phone(Phone { enabled: false, ..rig.phone(MAC, 2) }).await;
    for path in [token, format!("/{MAC}.cfg"), format!("{}{MAC}.cfg", rig.site_folder("hq"))] {
        assert_eq!(status(&rig, "127.0.0.1", &path).await, "404", "{path}");
    }
}

/// What an operator is shown raises nothing, and is what the phone gets.
#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_what_the_phone_gets() {
    let rig = with(unlocked()).await;
    let preview = rig.supply.preview(mac(), None, DoorKind::Http).await.unwrap();
    assert_eq!(
        (&*preview.version, preview.encrypted, preview.withheld),
        ("2.0000000001", false, false)
    );
    assert_eq!(rig.store.file_version("fanvil/mac/0c383e07e16c").await.unwrap(), None);
    let served = curl(&[&rig.url(&format!("{}{MAC}.cfg", rig.folder(mac(), "own")))]).await;
    assert_eq!(served.as_bytes(), preview.bytes);
    for secret in ["canary-sip", "canary-menu"] {
        assert!(preview.secrets.iter().any(|known| known == secret), "{secret}");
    }
    let files = rig.supply.files(mac()).await.unwrap();
    assert!(
        files.iter().any(
            |file| file.url == format!("http://p.example{}{MAC}.cfg", rig.folder(mac(), "own"))
        ),
        "{files:?}"
    );
    let address = rig.supply.address_for(mac()).await.unwrap().unwrap();
    assert_eq!(address, format!("http://p.example{}", rig.folder(mac(), "own")));
    let phone = rig.store.phone(mac()).await.unwrap().unwrap();
    let site = rig.store.site("hq").await.unwrap().unwrap();
    rig.supply.check(&phone, &site).await.unwrap();
    let short = Some(rig.vault.seal(&Secret::new("c0ffee")));
    let broken = Phone { config_key: short, ..phone };
    assert!(rig.supply.check(&broken, &site).await.is_err());
}

/// Templates are exchanged while the server runs.
#[tokio::test(flavor = "multi_thread")]
async fn another_template_makes_another_file() {
    let rig = with(unlocked()).await;
    let path = format!("{}{MAC}.cfg", rig.folder(mac(), "own"));
    let ask = Ask {
        door: DoorKind::Http,
        source: "127.0.0.1".parse().unwrap(),
        path: &path,
        agent: "",
        certificate: None,
        login: None,
    };
    let before = rig.supply.open(&ask).await.unwrap().tag;
    let own = "<PHONE CONFIG MODULE>\nLobby :1\n".to_owned();
    let own = [("fanvil/own.rows".to_owned(), own)];
    if let Ok(templates) = provost::provision::Templates::with(own) {
        rig.supply.set_templates(templates);
    }
    let after = rig.supply.open(&ask).await;
    assert!(after.is_err() || after.is_ok_and(|found| found.tag != before));
}

/// A phone of a mass deployment, below `/phoneprov/` as AstLinux serves it.
#[tokio::test(flavor = "multi_thread")]
async fn an_astlinux_phone_finds_its_file_below_phoneprov() {
    let rig = with(unlocked()).await;
    let template = "[general]\nvendor=yealink\n[phoneprov]\nuser=@EXT@ pass=@PASSWORD@\n";
    let own = [("astlinux/t28.conf".to_owned(), template.to_owned())];
    rig.supply.set_templates(provost::provision::Templates::with(own).unwrap());
    let phone = rig.phone("0015654aa937", 1);
    rig.put_phone(Phone {
        vendor: Vendor::AstLinux,
        template: "t28".into(),
        names: vec!["yealink/0015654aa937.cfg".into()],
        settings: [].into(),
        ..phone
    })
    .await;
    let agent = "User-Agent: Yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37";
    for path in ["/phoneprov/yealink/0015654aa937.cfg", "/0015654AA937.cfg"] {
        let got = raw(rig.address, "GET", path, &[agent]).await;
        assert!(got.ends_with("\r\n\r\nuser=1001 pass=canary-sip\n"), "{path}: {got}");
    }
    rig.put_site(Site { plain_secrets: false, ..open_site(2, unlocked()) }).await;
    let got = raw(rig.address, "GET", "/0015654AA937.cfg", &[agent]).await;
    assert!(got.ends_with("user=1001 pass=\n"), "{got}");
}

/// What is left out of a file is had over HTTPS, from a folder that the file
/// names. Where no lock keeps others from asking in the phone's name, that is the
/// site's: the phone's token would be as good as its passwords.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_leaves_in_the_clear_only_where_a_lock_guards_it() {
    for lock in [true, false] {
        let rig = Rig::open().await;
        let access = Access { tokenless: true, lock, ..Access::default() };
        rig.put_site(Site { access, plain_secrets: false, ..Rig::site(1) }).await;
        rig.put_phone(rig.phone(MAC, 1)).await;
        let got = raw(rig.address, "GET", &format!("/{MAC}.cfg"), &[AGENT]).await;
        assert!(got.starts_with("HTTP/1.1 200") && !got.contains("canary"), "{got}");
        let (own, site) = (rig.folder(mac(), "own"), rig.site_folder("hq"));
        let named = |folder: &str| got.contains(folder.trim_end_matches('/'));
        assert_eq!((named(&own), named(&site)), (lock, !lock), "{lock}: {got}");
    }
}

/// A phone whose file cannot be made looks by name like one that is not there;
/// its own token tells it that the fault is ours.
#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_cannot_be_served_is_nowhere_by_name() {
    let rig = Rig::open().await;
    rig.put_site(open_site(1, unlocked())).await;
    let unfinished = Phone {
        vendor: Vendor::AstLinux,
        template: "none".into(),
        settings: [].into(),
        accounts: Vec::new(),
        ..rig.phone(MAC, 1)
    };
    rig.put_phone(unfinished).await;
    let uniform = raw(rig.address, "GET", "/", &[]).await;
    assert_eq!(raw(rig.address, "GET", &format!("/{MAC}.cfg"), &[]).await, uniform);
    let own = format!("{}{MAC}.cfg", rig.folder(mac(), "own"));
    assert!(raw(rig.address, "GET", &own, &[]).await.starts_with("HTTP/1.1 503"));
    let why = rig
        .eventually(async |store| {
            let log = store.fetch_log(mac()).await.unwrap()?;
            log.fetches.into_iter().find_map(|fetched| match fetched.ended {
                Ended::Refused(why) => Some(why),
                _ => None,
            })
        })
        .await;
    assert!(why.contains("template"), "{why}");
}
