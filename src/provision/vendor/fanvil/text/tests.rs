//! The reader and the writer against each other and against damage.

use proptest::prelude::*;

use super::*;

const DEVICE: &[u8] = include_bytes!("../../../../../tests/fixtures/fanvil/device-x6.cfg");
const OLDER: &[u8] =
    include_bytes!("../../../../../tests/fixtures/fanvil/device-x4-without-secrets.cfg");

#[test]
fn the_first_line_has_exactly_64_bytes() {
    for version in ["2.0002", "2.0000000012", "1", &"9".repeat(34)] {
        let file = assemble(version, "").unwrap();
        assert_eq!(file.len(), 64, "{version}");
        assert!(file.ends_with(b"\r\n"));
    }
    for version in ["", "2.0\r\n", "2,0", " 2.0", &"9".repeat(35)] {
        assert!(matches!(assemble(version, ""), Err(TextError::Version(_))), "{version:?}");
    }
}

#[test]
fn what_we_write_reads_and_writes_back_the_same() {
    for file in [DEVICE, OLDER] {
        assert_eq!(Text::read(file).unwrap().write().unwrap(), file);
    }
    let text = Text::read(DEVICE).unwrap();
    assert_eq!(&*text.version, "2.0000000007");
    assert_eq!(text.value("sip config module", "sip1 register pswd"), Some("pa:ss word"));
    assert_eq!(text.value("SIP CONFIG MODULE", "STUN Server"), Some("stun.example.net:3478"));
}

#[test]
fn the_reader_is_as_lenient_as_a_phone() {
    let file = "\u{feff}<<VOIP CONFIG FILE>>Version:2.0002\n\
                row before any module:1\n\
                <SIP CONFIG MODULE>  \n\
                ## a comment:1\n\
                no colon here\n\
                :no key\n\
                --SIP Line List--  :\n\
                SIP1 Register Addr :tftp://a:69/b \r\n\
                bell\u{7}:1\n\
                <TELE CONFIG MODULE>\n\
                <<END OF FILE>>  \n\
                after the end:1\n";
    let text = Text::read(file.as_bytes()).unwrap();
    assert_eq!(&*text.version, "2.0002");
    let rows = vec![
        Row::List("--SIP Line List--".into()),
        Row::Entry("SIP1 Register Addr".into(), "tftp://a:69/b ".into()),
    ];
    assert_eq!(
        text.modules,
        [
            Module { name: "SIP CONFIG MODULE".into(), rows },
            Module { name: "TELE CONFIG MODULE".into(), rows: Vec::new() },
        ]
    );
}

#[test]
fn a_file_cut_anywhere_is_never_taken() {
    let whole = DEVICE.len() - "\r\n".len();
    for cut in 0..whole {
        let error = Text::read(&DEVICE[..cut]).unwrap_err();
        assert!(matches!(error, TextError::NoHead | TextError::Cut), "{cut}: {error}");
    }
    assert!(Text::read(&DEVICE[..whole]).is_ok());
}

#[test]
fn what_is_too_large_is_refused_early() {
    assert_eq!(Text::read(&vec![b'<'; MAX_FILE + 1]), Err(TextError::TooLarge));
    let rows = format!("{HEAD}2.1\r\n<A MODULE>\r\n{}{END}\r\n", "a:1\r\n".repeat(MAX_ROWS));
    assert_eq!(Text::read(rows.as_bytes()), Err(TextError::TooLarge));
    let long = format!("{HEAD}2.1\r\n<A MODULE>\r\na:{}\r\n{END}\r\n", "1".repeat(MAX_LINE));
    assert_eq!(Text::read(long.as_bytes()).unwrap().modules[0].rows, []);
}

#[test]
fn the_writer_refuses_what_would_read_as_something_else() {
    let write = |row: Row| {
        let module = Module { name: "A MODULE".into(), rows: vec![row] };
        Text { version: "2.1".into(), modules: vec![module] }.write()
    };
    for key in ["", " a", "a ", "a:b", "<a>", "##a", "--a--", "ä", "a\nb"] {
        assert!(
            matches!(write(Row::Entry(key.into(), "".into())), Err(TextError::Name(_))),
            "{key}"
        );
    }
    for marker in ["", "a", "----", "--a--\r\n", "--a:--"] {
        assert!(matches!(write(Row::List(marker.into())), Err(TextError::Name(_))), "{marker}");
    }
    for value in ["a\rb", "a\nb", "\0", "\u{85}", "\u{2029}", &"x".repeat(MAX_LINE)] {
        assert!(matches!(write(Row::Entry("a".into(), value.into())), Err(TextError::Value(_))));
    }
    for name in ["", "<END OF FILE>", "a\r\nb", "a:b", " a"] {
        let text = Text {
            version: "2.1".into(),
            modules: vec![Module { name: name.into(), rows: Vec::new() }],
        };
        assert!(matches!(text.write(), Err(TextError::Name(_))), "{name}");
    }
}

fn row() -> impl Strategy<Value = Row> {
    prop_oneof![
        "--[A-Za-z ]{1,12}--".prop_map(|marker| Row::List(marker.into())),
        ("[A-Za-z0-9][ -9;-~]{0,30}[!-9;-~]", "\\PC{0,40}")
            .prop_map(|(key, value)| Row::Entry(key.into(), value.into())),
    ]
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(
        version in "[0-9]\\.[0-9]{1,12}",
        modules in prop::collection::vec(
            ("[A-Z][A-Z ]{0,10}MODULE", prop::collection::vec(row(), 0..8)), 0..5),
    ) {
        let modules = modules
            .into_iter()
            .map(|(name, rows)| Module { name: name.into(), rows })
            .collect();
        let text = Text { version: version.into(), modules };
        if let Ok(written) = text.write() {
            prop_assert_eq!(Text::read(&written).unwrap(), text);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Text::read(&bytes);
    }

    /// Damage in the middle of a file gives a text that can still be written.
    #[test]
    fn a_damaged_file_is_read_or_refused(at in 0..DEVICE.len(), byte in any::<u8>()) {
        let mut damaged = DEVICE.to_vec();
        damaged[at] = byte;
        if let Ok(text) = Text::read(&damaged) {
            prop_assert_eq!(Text::read(&text.write().unwrap()).unwrap(), text);
        }
    }
}
