//! The readers and the renderer, without files.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const MAC: &str = "00:15:65:0a:0B:01";

fn row<'a>(words: &[&'a str]) -> Row<'a> {
    let mut list = words.iter().copied();
    Row { number: 1, words: [(); 5].map(|()| list.next()) }
}

fn entry(mode: Mode, words: &[&str]) -> Entry {
    Entry::new(&row(words), mode).unwrap()
}

/// A phone's own file from the lines of `[phoneprov]`.
fn file_in(mode: Mode, general: &str, body: &str, words: &[&str]) -> (String, String) {
    let text = format!("[general]\n{general}\n[phoneprov]\n{body}\n");
    let template = Template::parse_as(text.as_bytes(), mode).unwrap();
    let (entry, server) = (entry(mode, words), Server::new("10.0.0.1"));
    let phone = Phone::new(&template, &entry, &server);
    let mut out = Vec::new();
    phone.render(Context::Phoneprov, &mut out).unwrap();
    (phone.path(Context::Phoneprov), String::from_utf8(out).unwrap())
}

fn body_in(mode: Mode, body: &str, words: &[&str]) -> String {
    file_in(mode, "", body, words).1
}

fn both(general: &str, body: &str, words: &[&str]) -> (String, String) {
    let right = file_in(Mode::Right, general, body, words);
    assert_eq!(right, file_in(Mode::Original, general, body, words));
    right
}

#[test]
fn rows_are_words_and_comments_stand_in_the_first_column() {
    let text =
        b"# head\n\n  \t\nt1 m1 10 pw\n\tt2\tm2  20;21 pw;x acc more words \n # x\nt3\n#t4 m4 1 p";
    let rows = rows(text, Mode::Right).unwrap();
    assert_eq!(
        rows,
        [
            Row { number: 4, words: [Some("t1"), Some("m1"), Some("10"), Some("pw"), None] },
            Row {
                number: 5,
                words: [Some("t2"), Some("m2"), Some("20;21"), Some("pw;x"), Some("acc")]
            },
            Row { number: 6, words: [Some("#"), Some("x"), None, None, None] },
            Row { number: 7, words: [Some("t3"), None, None, None, None] },
        ]
    );
    assert!(!format!("{rows:?}").contains("pw"), "no passwords in Debug");
}

#[test]
fn carriage_returns_end_lines_except_in_the_original() {
    let text = b"\xef\xbb\xbfa m 1 pw\r\n\r\nb m 2 pw\r";
    let right = rows(text, Mode::Right).unwrap();
    assert_eq!(right.len(), 2);
    assert_eq!((right[0].words[0], right[1].words[3]), (Some("a"), Some("pw")));
    let original = rows(text, Mode::Original).unwrap();
    assert_eq!(original.len(), 3);
    assert_eq!(original[0].words[0], Some("\u{feff}a"));
    assert_eq!(original[2].words[3], Some("pw\r"));
}

#[test]
fn what_is_no_text_is_told_by_its_line() {
    assert_eq!(rows(b"a\nb \xff", Mode::Right), Err(MassError::NotText(2)));
    assert_eq!(rows(b"a\nb \x1b[2J", Mode::Right), Err(MassError::NotText(2)));
    assert_eq!(rows(b"a\0", Mode::Original), Err(MassError::NotText(1)));
    let long = [b"a\n".as_slice(), &[b'x'; 4097]].concat();
    assert_eq!(rows(&long, Mode::Right), Err(MassError::LineTooLong(2)));
    assert_eq!(rows(&b"a\n".repeat(100_001), Mode::Right), Err(MassError::TooLarge));
    assert_eq!(rows(&vec![b'\n'; (16 << 20) + 1], Mode::Right), Err(MassError::TooLarge));
}

#[test]
fn a_row_that_is_no_phone_says_why() {
    for (words, error) in [
        (vec!["t"], EntryError::TooShort),
        (vec!["t", MAC], EntryError::TooShort),
        (vec!["t", "0015650a0b01"], EntryError::TooShort),
        (vec!["t", "0015650a0b01", "1"], EntryError::Mac("0015650a0b01".into())),
        (vec!["t", "00-15-65-0a-0b-01", "1", "p"], EntryError::Mac("00-15-65-0a-0b-01".into())),
        (vec!["t", "00:15:65:0a:0b", "1", "p"], EntryError::Mac("00:15:65:0a:0b".into())),
        (vec!["t", "00:15:65:0a:0b:011", "1", "p"], EntryError::Mac("00:15:65:0a:0b:011".into())),
        (vec!["t", "../:..:..:..:../.", "1", "p"], EntryError::Mac("../:..:..:..:../.".into())),
        (vec!["t", "a/:..:..:..:..:..", "1", "p"], EntryError::Mac("a/:..:..:..:..:..".into())),
        (vec!["t", MAC, "1"], EntryError::NoPassword),
        (vec!["t", MAC, "init", "p"], EntryError::Reserved("init".into())),
    ] {
        assert_eq!(Entry::new(&row(&words), Mode::Right), Err(error), "{words:?}");
    }
    assert!(Entry::new(&row(&["t", "zz:zz:zz:zz:zz:zz", "1", "p"]), Mode::Right).is_ok());
    assert!(Entry::new(&row(&["t", MAC, "init", "p"]), Mode::Original).is_ok());
}

#[test]
fn lists_are_taken_apart_and_filled_up() {
    let words = ["t", MAC, "20/Ann_Lee<120>;;22/<*9>;23/Bo_;24/A/B;25;26", "p;q;;r", "a;;c"];
    let entry = entry(Mode::Right, &words);
    let told: Vec<_> = entry
        .lines
        .iter()
        .map(|l| {
            let account = l.account.as_deref().unwrap_or("-");
            format!("{}|{}|{}|{}|{account}", l.ext, l.cid_name, l.cid_num, l.password.expose())
        })
        .collect();
    assert_eq!(
        told,
        [
            "20|Ann Lee|120|p|a",
            // No extension: that of the first line, but not its caller's words.
            "20|20|20|q|-",
            "22|22|*9|p|c",
            "23|Bo|23|r|-",
            "24|A/B|24|p|-",
            "25|25|25|p|-",
        ]
    );
    let numbers: Vec<_> = entry.own_lines().map(|(number, _)| number).collect();
    assert_eq!(numbers, [1, 3, 4, 5, 6]);
}

#[test]
fn the_callers_number_stands_in_angle_brackets() {
    for (cid, name, number) in [
        ("X<12>", "X", "12"),
        ("X_<_12_>", "X", "12"),
        ("X<*44#>rest", "X", "*44#"),
        ("X<abc>", "X", "7"),
        ("X<abc><5>", "X", "5"),
        ("X<1>Y<2>", "X", "1"),
        ("<9>", "7", "9"),
        ("X<>", "X", "7"),
        ("X<12", "X", "7"),
        ("X__", "X ", "7"),
        ("", "7", "7"),
    ] {
        let word = format!("7/{cid}");
        let entry = entry(Mode::Right, &["t", MAC, &word, "p"]);
        let line = &entry.lines[0];
        assert_eq!((&*line.cid_name, &*line.cid_num), (name, number), "{cid}");
    }
}

#[test]
fn lines_for_some_extensions_only() {
    let body = "#<31>only 31\n#<*9>star\n#<!31!>not 31\n#<!31!32!>neither\n#<!3!>not 3\n#<3>three\n\
                ##<31>comment\n#< 31>blank\n#<31>#<32>both\n#<31>#<!33!>two\n#<31>#<!31!>none\n\
                #<31>\\#hash\n#<!32!>\\[bracket\n#<!31>open\n#<>empty\n#comment\n #kept\n\n  \nend";
    let for_31 = "only 31\nnot 3\ntwo\n#hash\n[bracket\n #kept\n  \nend\n";
    assert_eq!(both("", body, &["t", MAC, "31", "p"]).1, for_31);
    let for_32 = "not 31\nnot 3\n #kept\n  \nend\n";
    assert_eq!(both("", body, &["t", MAC, "32", "p"]).1, for_32);
    // A star in a marker repeats what stands before it, for the original.
    let star = "not 31\nneither\nnot 3\n[bracket\n #kept\n  \nend\n";
    let words = ["t", MAC, "*9;31", "p"];
    assert_eq!(body_in(Mode::Right, body, &words), format!("star\n{star}"));
    assert_eq!(body_in(Mode::Original, body, &words), star);
    assert_eq!(body_in(Mode::Original, "#<9>nine\n#<<9>both\n#<!9!>no", &words), "nine\nboth\n");
}

#[test]
fn escapes_count_at_the_begin_of_a_line_only() {
    let body = "\\#!v:1\n\\[x]\n a\\#b\\[c\n\\other\n \\#";
    assert_eq!(both("", body, &["t", MAC, "1", "p"]).1, "#!v:1\n[x]\n a\\#b\\[c\n\\other\n \\#\n");
}

#[test]
fn every_variable_is_put_in() {
    let general = "vendor=Vend\nmodel=M-1\nmacaddress_case=upper\nauto_account_prefix=p@MAC4@_\n\
                   auto_account_suffix=_@model@@MODEL@\nauto_account_case=upper\n\
                   prov_path=/x/@VENDOR@\nprov_file=@EXT@-@MAC@-@ACCOUNT@.@EXT1@";
    let body = "@TEMPLATE@ @MODEL@ @VENDOR@ @MAC_ADDR@ @MAC@ @MAC4@ @MAC6@\n\
                @EXT@ @CID_NAME@ @CID_NUM@ @PASSWORD@ @ACCOUNT@ @USERNAME@ @SIP_SERVER_IPV4@\n\
                @EXT2@ @CID_NAME2@ @CID_NUM2@ @PASSWORD2@ @ACCOUNT2@ @USERNAME2@\n\
                @EXT6@ @ACCOUNT3@ @EXT7@ @NOPE@ @ext@ @EXT@@EXT1@ @@EXT@@";
    let words = ["tpl", MAC, "20/An;21/Bo<1>", "pw;pw2", ";;c"];
    let (path, text) = both(general, body, &words);
    assert_eq!(path, "/x/Vend/20-0015650A0B01-.@EXT1@");
    assert_eq!(
        text,
        "tpl M-1 Vend 00:15:65:0a:0B:01 0015650A0B01 0B01 0A0B01\n\
         20 An 20 pw P0B01_20_@MODEL@M-1 P0B01_20_@MODEL@M-1 10.0.0.1\n\
         21 Bo 1 pw2 P0B01_21_@MODEL@M-1 P0B01_21_@MODEL@M-1\n\
         20 c @EXT7@ @NOPE@ @ext@ 2020 @20@\n"
    );
}

#[test]
fn of_overlapping_variables_the_earlier_in_the_list_is_taken() {
    assert_eq!(both("", "@EXT@MAC@", &["t", MAC, "7", "p"]).1, "@EXT0015650a0B01\n");
    assert_eq!(both("", "@MAC@EXT@", &["t", MAC, "7", "p"]).1, "0015650a0B01EXT@\n");
}

#[test]
fn values_are_literal_except_in_the_original() {
    let body = "s=@PASSWORD@ @EXT@;";
    for (password, original) in [
        ("a&b", "s=a@PASSWORD@b 7;\n"),
        ("a\\b", "s=ab 7;\n"),
        ("a\\&b", "s=a&b 7;\n"),
        ("a|b", ""),
        ("a\\", ""),
        ("x@EXT@", "s=x@EXT@ 7;\n"),
        // A variable that is put in later is found in an earlier value.
        ("x@ACCOUNT@", "s=x7 7;\n"),
    ] {
        let words = ["t", MAC, "7", password];
        assert_eq!(body_in(Mode::Right, body, &words), format!("s={password} 7;\n"));
        assert_eq!(body_in(Mode::Original, body, &words), original, "{password}");
    }
}

#[test]
fn conditions_are_read_from_the_marker_except_in_the_original() {
    let words = ["t", MAC, "31", "p"];
    let body = "#<!32!>call !31! now>\n#<!32!>a !> b";
    assert_eq!(body_in(Mode::Right, body, &words), "call !31! now>\na !> b\n");
    assert_eq!(body_in(Mode::Original, body, &words), " b\n");
    let dotted = ["t", MAC, "3.1", "p"];
    assert_eq!(body_in(Mode::Right, "#<3x1>dot\n#<!3x1!>not", &dotted), "not\n");
    assert_eq!(body_in(Mode::Original, "#<3x1>dot\n#<!3x1!>not", &dotted), "dot\n");
}

#[test]
fn general_values_end_at_a_blank_and_the_last_counts() {
    let words = ["t", MAC, "1/An_Lee", "p"];
    let path = |general: &str| both(general, "x", &words).0;
    assert_eq!(path(""), "/mnt/kd/phoneprov/t/0015650a0B01.cfg");
    assert_eq!(path("vendor  =  v  # words"), "/mnt/kd/phoneprov/v/0015650a0B01.cfg");
    assert_eq!(path("model=m"), "/mnt/kd/phoneprov/m/0015650a0B01.cfg");
    assert_eq!(path("vendor=a\n vendor=b\n#vendor=c"), "/mnt/kd/phoneprov/a/0015650a0B01.cfg");
    assert_eq!(path("vendor=a\nvendor=b"), "/mnt/kd/phoneprov/b/0015650a0B01.cfg");
    assert_eq!(path("vendor=a\nvendor="), "/mnt/kd/phoneprov/t/0015650a0B01.cfg");
    assert_eq!(path("macaddress_case=Upper"), "/mnt/kd/phoneprov/t/0015650a0B01.cfg");
    assert_eq!(path("macaddress_case=lower"), "/mnt/kd/phoneprov/t/0015650a0b01.cfg");
    let file = |mode, general: &str| file_in(mode, general, "x", &words).0;
    // A value with a blank is cut after it was put in, by the original.
    let general = "prov_file=@CID_NAME@.cfg";
    assert_eq!(file(Mode::Right, general), "/mnt/kd/phoneprov/t/An Lee.cfg");
    assert_eq!(file(Mode::Original, general), "/mnt/kd/phoneprov/t/An");
    assert_eq!(file(Mode::Right, "vendor=a\r"), "/mnt/kd/phoneprov/a/0015650a0B01.cfg");
    assert_eq!(file(Mode::Original, "vendor=a\r"), "/mnt/kd/phoneprov/a\r/0015650a0B01.cfg");
}

#[test]
fn contexts_of_one_name_are_joined() {
    let text = b"menu_name = My Phone \n[general]\n[phoneprov] words\na\n[x]\nlost\n[phoneprov]\nb\n[phoneprov]\nc\n[dialplan6]";
    let words = ["t", MAC, "1", "p"];
    for (mode, expected) in [(Mode::Right, "a\nb\nc\n"), (Mode::Original, "a\nb\n")] {
        let template = Template::parse_as(text, mode).unwrap();
        assert_eq!(template.menu_name(), Some("My Phone"));
        assert!(template.has(Context::Dialplan6) && !template.has(Context::Dialplan));
        let (entry, server) = (entry(mode, &words), Server::new(""));
        let mut out = Vec::new();
        Phone::new(&template, &entry, &server).render(Context::Phoneprov, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
    assert_eq!(Template::parse(b"# [general]\n[phoneprov]"), Err(TemplateError::NoGeneral));
    assert_eq!(Template::parse(&vec![b'#'; (256 << 10) + 1]), Err(TemplateError::TooLarge));
    assert_eq!(Template::parse(b"[general]\nvendor=\xff"), Err(TemplateError::NotText));
    assert!(Template::parse(b"[general]\n# \xff = \xff\n[sip]\n\xff").is_ok());
}

#[test]
fn rows_of_the_table_are_the_phones_own_lines() {
    let text = b"[general]\nsql_enable=YES\nsip_driver=PJSIP\nauto_account_prefix=x\n";
    let template = Template::parse(text).unwrap();
    let entry = entry(Mode::Right, &["t", MAC, "1/O'Brien;1;2;2", "p"]);
    let server = Server::new("");
    let phone = Phone::new(&template, &entry, &server);
    assert!(phone.has_rows());
    let rows: Vec<_> = phone.rows().map(|row| (row.line, row.ext, row.account)).collect();
    assert_eq!(rows, [(1, "1", "x1"), (3, "2", "x2"), (4, "2", "x2")]);
    let first = phone.rows().next().unwrap();
    assert_eq!((first.cid_name, first.sip_driver, first.mac_addr), ("O'Brien", "pjsip", MAC));
    let off = Template::parse(b"[general]\nsql_enable=off").unwrap();
    assert!(!Phone::new(&off, &entry, &server).has_rows());
}

/// Passwords that count: `pw1`, `pw2` …
fn added(text: &[u8], mode: Mode) -> (String, usize) {
    let mut count = 0;
    let added = add_passwords(text, mode, || {
        count += 1;
        Ok::<_, MassError>(format!("pw{count}"))
    });
    let added = added.unwrap();
    (String::from_utf8(added.text).unwrap(), added.count)
}

#[test]
fn missing_passwords_are_added_and_nothing_else_changes() {
    let text = b"# c\nt  m\t10/X  \nt m 101 keep acc\n\nt m 10\r\n t m 7\nt m\n#t m 8\nt m 9";
    let (right, count) = added(text, Mode::Right);
    assert_eq!(
        right,
        "# c\nt  m\t10/X pw1  \nt m 101 keep acc\n\nt m 10 pw2\r\n t m 7 pw3\nt m\n#t m 8\nt m 9 pw4"
    );
    assert_eq!(count, 4);
    assert_eq!(added(right.as_bytes(), Mode::Right), (right, 0));
}

#[test]
fn the_original_overwrites_lines_that_begin_alike() {
    let text = b"t m 10\nt   m 101 keep acc\nt m 2 keep\n t m 3\nt m2 10 keep\n";
    let (text, count) = added(text, Mode::Original);
    assert_eq!(text, "t m 10 pw1\nt m 10 pw1\nt m 2 keep\n t m 3\nt m2 10 keep\n");
    assert_eq!(count, 2, "the password for the line that begins with a blank is lost");
}

fn templates(text: &str) -> BTreeMap<Box<str>, Template> {
    BTreeMap::from([("t".into(), Template::parse(text.as_bytes()).unwrap())])
}

#[test]
fn an_import_is_whole_or_tells_the_line() {
    let known =
        templates("[general]\nvendor=v\nauto_account_prefix=a\n[phoneprov]\nu=@ACCOUNT2@\n");
    let server = Server::new("10.0.0.1");
    let phones = import(b"#\nt 00:15:65:0a:0b:01 1;2/B p\n", &known, &server).unwrap();
    let [phone] = &*phones else { panic!("{phones:?}") };
    assert_eq!((phone.number, phone.mac.to_string().as_str()), (2, "0015650a0b01"));
    assert_eq!(phone.lines.len(), 2);
    assert_eq!((&*phone.lines[1].account, &*phone.lines[1].cid_name), ("a2", "B"));
    let file = phone.file.as_ref().unwrap();
    assert_eq!((&*file.path, &*file.body), ("v/0015650a0b01.cfg", b"u=a2\n".as_slice()));
    assert!(!format!("{phones:?}").contains("\"p\""), "no password in Debug");
    for (text, told) in [
        ("t\n", "line 1: a phone needs"),
        ("\nt zz:zz:zz:zz:zz:zz 1 p", "line 2: a MAC address has twelve"),
        ("x 00:15:65:0a:0b:01 1 p", "line 1: there is no template `x`"),
        ("t 00:15:65:0a:0b:01 1", "line 1: no password"),
        (
            "t 00:15:65:0a:0b:01 1 p\nt 00:15:65:0A:0B:01 2 p",
            "line 2: the same phone or file as line 1",
        ),
    ] {
        let error = import(text.as_bytes(), &known, &server).unwrap_err().to_string();
        assert!(error.starts_with(told), "{error}");
    }
}

#[test]
fn a_phones_file_lies_below_the_base() {
    let path = |general: &str| {
        let text = format!("[general]\n{general}\n[phoneprov]\n");
        let template = Template::parse(text.as_bytes()).unwrap();
        let entry = entry(Mode::Right, &["t", MAC, "1", "p"]);
        render_phone(&template, &entry, &Server::new("")).map(|file| file.unwrap().path)
    };
    assert_eq!(&*path("prov_path=/mnt/kd//phoneprov/./a/").unwrap(), "a/0015650a0B01.cfg");
    for outside in
        ["prov_path=/mnt/kd/x", "prov_path=/mnt/kd/phoneprov/../x", "prov_path=a", "prov_file=../x"]
    {
        assert!(matches!(path(outside), Err(RenderError::Outside(_))), "{outside}");
    }
    let bare = Template::parse(b"[general]\n").unwrap();
    let entry = entry(Mode::Right, &["t", MAC, "1", "p"]);
    assert_eq!(render_phone(&bare, &entry, &Server::new("")), Ok(None));
}

#[test]
fn what_grows_beyond_measure_is_refused() {
    let text = format!("[general]\n[phoneprov]\n{}", "@PASSWORD@\n".repeat(20_000));
    for (mode, password) in [
        (Mode::Right, "x".repeat(4000)),
        // Every value holds the variable that is put in after it.
        (Mode::Original, "@ACCOUNT@@ACCOUNT@@ACCOUNT@@ACCOUNT@".repeat(8)),
    ] {
        let template = Template::parse_as(text.as_bytes(), mode).unwrap();
        let account = "@SIP_SERVER_IPV4@".repeat(40);
        let entry = entry(mode, &["t", MAC, "1", &password, &account]);
        let server = Server::new("10.0.0.1");
        let phone = Phone::new(&template, &entry, &server);
        let mut out = Vec::new();
        let result = phone.render(Context::Phoneprov, &mut out);
        assert_eq!(result, Err(RenderError::TooLarge(Context::Phoneprov)));
        assert!(out.is_empty());
    }
}

const SAMPLE: &str = "menu_name=S\n[general]\nvendor=v\nauto_account_prefix=@MAC@\nprov_file=@EXT@\n\
                      [sip]\n\\[@ACCOUNT@]\n#<10>x\n#<!10!>y\n[phoneprov]\nä@CID_NAME@ @PASSWORD6@\n";

#[test]
fn cut_at_every_byte_nothing_panics() {
    let mass = "t 00:15:65:0a:0b:01 10/Bär_Ä<1>;11/<2> p;q a;;b\n# x\nt 00:15:65:0a:0b:02 11\n";
    for mode in [Mode::Right, Mode::Original] {
        let whole = Template::parse_as(SAMPLE.as_bytes(), mode).unwrap();
        for end in 0..=mass.len() {
            for row in rows(&mass.as_bytes()[..end], mode).unwrap_or_default() {
                if let Ok(entry) = Entry::new(&row, mode) {
                    let _ = render_phone(&whole, &entry, &Server::new(""));
                }
            }
        }
        let entry = entry(mode, &["t", MAC, "10", "p"]);
        for end in 0..=SAMPLE.len() {
            if let Ok(template) = Template::parse_as(&SAMPLE.as_bytes()[..end], mode) {
                let _ = render_phone(&template, &entry, &Server::new(""));
            }
        }
    }
}

proptest! {
    #[test]
    fn any_value_is_put_in_as_it_stands(
        password in "[!-:<-~ä€]{1,20}", name in "[!-.0-:=-~]{1,10}",
    ) {
        let cid = format!("7/{name}");
        let body = body_in(Mode::Right, "@PASSWORD@\n@CID_NAME@", &["t", MAC, &cid, &password]);
        let name = name.split(';').next().unwrap_or_default().replace('_', " ");
        let name = name.strip_suffix(' ').unwrap_or(&name);
        let name = if name.is_empty() { "7" } else { name };
        prop_assert_eq!(body, format!("{password}\n{name}\n"));
    }

    #[test]
    fn without_special_characters_both_modes_agree(
        lines in prop::collection::vec("(#<[0-9]{1,2}>|#<!([0-9]{1,2}!){1,2}>|#|\\\\#|\\\\\\[|)[a-z =@EXT12]{0,20}", 0..20),
        ext in "[0-9]{1,2}", password in "[a-zA-Z0-9]{1,8}",
    ) {
        both("vendor=v", &lines.join("\n"), &["t", MAC, &ext, &password]);
    }

    #[test]
    fn adding_passwords_leaves_nothing_to_add(text in "([ab #\t]|00:15:65:0a:0b:01|[0-9;/]|\r?\n){0,60}") {
        let (once, count) = added(text.as_bytes(), Mode::Right);
        let missing = rows(text.as_bytes(), Mode::Right).unwrap();
        let missing = missing.iter().filter(|row| row.words[2].is_some() && row.words[3].is_none());
        prop_assert_eq!(missing.count(), count);
        prop_assert_eq!(added(once.as_bytes(), Mode::Right), (once, 0));
    }
}
