//! What a deployment makes when nothing goes wrong.

use super::{Box, DESK, done};

#[test]
fn phones_of_one_template() {
    let system = Box::new(&[("desk", DESK)]);
    let mass = "## phones\ndesk 00:15:65:00:00:01 21 s1\n\n\tdesk  00:15:65:00:00:02\t22/Ann_Lee<120>  s2 acc-22 # words\n";
    system.deploy(mass, "").is(0, &done(2), "");
    assert_eq!(system.dialplan(), "exten => 21,1,Dial(SIP/21)\nexten => 22,1,Dial(SIP/acc-22)\n");
    assert_eq!(system.sip(), "[21]\nsecret=s1\n\n[acc-22]\nsecret=s2\n\n");
    assert_eq!(system.read("phoneprov/desk/001565000001.cfg"), "user=21\npass=s1\n");
    assert_eq!(system.read("phoneprov/desk/001565000002.cfg"), "user=acc-22\npass=s2\n");
    assert_eq!(
        system.rows().unwrap(),
        [
            "1|21|21|21|21|1|00:15:65:00:00:01|desk|d9|desk|sip",
            "2|22|Ann Lee|120|acc-22|1|00:15:65:00:00:02|desk|d9|desk|sip",
        ]
    );
    assert_eq!(system.rows_of("phoneprov_build"), None);
    assert_eq!(system.read("mass.conf"), mass);
}

#[test]
fn case_07_templates_may_share_a_file() {
    let other = DESK.replace("vendor=desk", "vendor=other").replace("Dial(SIP", "Dial(PJSIP");
    let system = Box::new(&[("desk", DESK), ("other", &other)]);
    let mass = "other 00:15:65:00:00:01 21 s1\ndesk 00:15:65:00:00:02 22 s2\nother 00:15:65:00:00:03 23 s3\n";
    system.deploy(mass, "").is(0, &done(3), "");
    let dialplan =
        "exten => 21,1,Dial(PJSIP/21)\nexten => 22,1,Dial(SIP/22)\nexten => 23,1,Dial(PJSIP/23)\n";
    assert_eq!(system.dialplan(), dialplan);
    // A file of an earlier run is there all the same.
    let again = system.deploy(mass, "");
    assert_eq!(again.code, 2);
    system.deploy(mass, "-f").is(0, &done(3), "");
    assert_eq!(system.dialplan(), dialplan);
}

#[test]
fn templates_with_contexts_of_their_own_may_share_a_file() {
    let in_context = |name: &str| DESK.replace("model=d9", &format!("dialplan_context={name}"));
    let system = Box::new(&[("a", &in_context("ctx-a")), ("b", &in_context("ctx-b"))]);
    let mass = "a 00:15:65:00:00:01 1 s\na 00:15:65:00:00:02 2 s\nb 00:15:65:00:00:03 3 s\na 00:15:65:00:00:04 4 s\n";
    system.deploy(mass, "").is(0, &done(4), "");
    let line = |ext: u8| format!("exten => {ext},1,Dial(SIP/{ext})\n");
    let expected =
        format!("[ctx-a]\n{}{}[ctx-b]\n{}[ctx-a]\n{}", line(1), line(2), line(3), line(4));
    assert_eq!(system.dialplan(), expected);
}

#[test]
fn case_15_every_variable_has_its_value() {
    let template = "[general]\nvendor=V\nmodel=M\nmacaddress_case=lower\nauto_account_prefix=x@MAC6@-\n\
        auto_account_suffix=-@VENDOR@\nauto_account_case=lower\nprov_path=/mnt/kd/phoneprov/@MODEL@/@VENDOR@\n\
        prov_file=@MAC4@.@EXT@.@TEMPLATE@\n[phoneprov]\n@TEMPLATE@,@MODEL@,@VENDOR@,@MAC_ADDR@,@MAC@,@MAC4@,@MAC6@\n\
        @EXT@,@CID_NAME@,@CID_NUM@,@PASSWORD@,@ACCOUNT@,@USERNAME@,@SIP_SERVER_IPV4@\n\
        @EXT1@,@CID_NAME1@,@CID_NUM1@,@PASSWORD1@,@ACCOUNT1@,@USERNAME1@\n\
        @EXT2@,@CID_NAME2@,@CID_NUM2@,@PASSWORD2@,@ACCOUNT2@,@USERNAME2@\n\
        @EXT3@,@CID_NAME3@,@CID_NUM3@,@PASSWORD3@,@ACCOUNT3@,@USERNAME3@\n\
        @EXT4@,@CID_NAME4@,@CID_NUM4@,@PASSWORD4@,@ACCOUNT4@,@USERNAME4@\n\
        @EXT5@,@CID_NAME5@,@CID_NUM5@,@PASSWORD5@,@ACCOUNT5@,@USERNAME5@\n\
        @EXT6@,@CID_NAME6@,@CID_NUM6@,@PASSWORD6@,@ACCOUNT6@,@USERNAME6@\n\
        @EXT7@ @nope@ @EXT@@EXT@\n";
    let system = Box::new(&[("full", template)]);
    let mass =
        "full 00:15:65:AB:CD:EF 31/Eve_Fox<77>;32/Bo;;34/<9>;35/X_Y_Z;36;37 p;;r;s q1;;;q4\n";
    for mode in ["", "-f --strict-compat"] {
        system.deploy(mass, mode).is(0, &done(1), "");
        assert_eq!(
            system.read("phoneprov/M/V/cdef.31.full"),
            "full,M,V,00:15:65:AB:CD:EF,001565abcdef,cdef,abcdef\n\
             31,Eve Fox,77,p,q1,q1,192.168.7.1\n\
             31,Eve Fox,77,p,q1,q1\n\
             32,Bo,32,p,xabcdef-32-v,xabcdef-32-v\n\
             31,31,31,r,xabcdef-31-v,xabcdef-31-v\n\
             34,34,9,s,q4,q4\n\
             35,X Y Z,35,p,xabcdef-35-v,xabcdef-35-v\n\
             36,36,36,p,xabcdef-36-v,xabcdef-36-v\n\
             @EXT7@ @nope@ 3131\n"
        );
        assert_eq!(
            system.rows().unwrap(),
            [
                "1|31|Eve Fox|77|q1|1|00:15:65:AB:CD:EF|full|M|V|sip",
                "2|32|Bo|32|xabcdef-32-v|2|00:15:65:AB:CD:EF|full|M|V|sip",
                "3|34|34|9|q4|4|00:15:65:AB:CD:EF|full|M|V|sip",
                "4|35|X Y Z|35|xabcdef-35-v|5|00:15:65:AB:CD:EF|full|M|V|sip",
                "5|36|36|36|xabcdef-36-v|6|00:15:65:AB:CD:EF|full|M|V|sip",
            ]
        );
    }
}

#[test]
fn case_16_lines_for_some_extensions_and_escapes() {
    let template = "[general]\n[phoneprov] words are allowed here\n#none\n #kept\n\n\\#!v:1\n\\[part]\nx\\#y\n\
        #<51>only 51\n#<!51!>not 51\n#<!52!53!>neither 52 nor 53\n#<!5!>not 5\n##<51>none\n#<51>\\[in 51]\n\
        #<!51>open\n#<>none\n  \nend  \n[unknown]\nlost\n[phoneprov]\nsecond\n";
    let system = Box::new(&[("cond", template)]);
    let mass = "cond 00:15:65:00:00:51 51 s\ncond 00:15:65:00:00:52 52 s\n";
    for mode in ["", "-f --strict-compat"] {
        system.deploy(mass, mode).is(0, &done(2), "");
        assert_eq!(
            system.read("phoneprov/cond/001565000051.cfg"),
            " #kept\n#!v:1\n[part]\nx\\#y\nonly 51\nneither 52 nor 53\nnot 5\n[in 51]\n  \nend  \nsecond\n"
        );
        assert_eq!(
            system.read("phoneprov/cond/001565000052.cfg"),
            " #kept\n#!v:1\n[part]\nx\\#y\nnot 51\nnot 5\n  \nend  \nsecond\n"
        );
    }
}

#[test]
fn case_17_pjsip_and_templates_without_rows() {
    let quiet =
        "[general]\nvendor=q\nsql_enable=No\nsip_driver=PJSIP\n[pjsip]\n\\[@ACCOUNT@]\ntype=aor\n";
    let loud = "[general]\nvendor=l\nsql_enable=Yes\nsip_driver=PjSip\npjsip_file=own.conf\n\
                pjsip_path=/mnt/kd/pj/@VENDOR@\n[pjsip]\n\\[@USERNAME@]\n[phoneprov]\n";
    let system = Box::new(&[("quiet", quiet), ("loud", loud)]);
    for mode in ["-f", "-f --strict-compat"] {
        system.deploy("quiet 00:15:65:00:00:01 1 s\n", mode).is(0, &done(1), "");
        assert_eq!(system.rows(), None, "no table without rows");
        let file = "asterisk/includes/astlinux-phoneprov-pjsip.conf";
        assert_eq!(system.body(file), "\n[1]\ntype=aor\n\n");
        system.deploy("loud 00:15:65:00:00:02 2;3/X s\n", mode).is(0, &done(1), "");
        let rows = [
            "1|2|2|2|2|1|00:15:65:00:00:02|loud|loud|l|pjsip",
            "2|3|X|3|3|2|00:15:65:00:00:02|loud|loud|l|pjsip",
        ];
        assert_eq!(system.rows().unwrap(), rows);
        assert_eq!(system.body("pj/l/own.conf"), "\n[2]\n\n");
        assert_eq!(system.read("phoneprov/l/001565000002.cfg"), "");
        let mass = "quiet 00:15:65:00:00:01 1 s\nloud 00:15:65:00:00:02 2 s\n";
        system.deploy(mass, mode).is(0, &done(2), "");
        assert_eq!(system.rows().unwrap(), &rows[..1]);
        system.deploy("quiet 00:15:65:00:00:01 1 s\n", mode).is(0, &done(1), "");
        assert_eq!(system.rows(), None, "the table holds what this run made");
    }
}

#[test]
fn case_26_six_dialplans() {
    let template = "[general]\ndialplan_path=/mnt/kd/plans\ndialplan_file=one.conf\ndialplan_context=c1\n\
        dialplan2_context=c2\ndialplan5_file=five.conf\n[dialplan]\n1 @EXT@\n[dialplan2]\n2 @EXT@\n[dialplan3]\n3 @EXT@\n\
        [dialplan4]\n4 @EXT@\n[dialplan5]\n5 @EXT@\n[dialplan6]";
    let system = Box::new(&[("plans", template)]);
    for mode in ["", "-f --strict-compat"] {
        let mass = "plans 00:15:65:00:00:01 21 s\nplans 00:15:65:00:00:02 22 s\n";
        system.deploy(mass, mode).is(0, &done(2), "");
        assert_eq!(system.body("plans/one.conf"), "[c1]\n1 21\n1 22\n");
        assert_eq!(system.body("plans/astlinux-phoneprov-exten2.conf"), "[c2]\n2 21\n2 22\n");
        assert_eq!(system.body("plans/astlinux-phoneprov-exten3.conf"), "3 21\n3 22\n");
        assert_eq!(system.body("plans/astlinux-phoneprov-exten4.conf"), "4 21\n4 22\n");
        assert_eq!(system.body("plans/five.conf"), "5 21\n5 22\n");
        assert_eq!(system.body("plans/astlinux-phoneprov-exten6.conf"), "");
    }
}

#[test]
fn case_14_a_part_is_added_to_what_is_there() {
    let system = Box::new(&[("desk", DESK)]);
    let first = "desk 00:15:65:00:00:01 21 s1\ndesk 00:15:65:00:00:02 22 s2\n";
    system.deploy(first, "").is(0, &done(2), "");
    system.deploy("desk 00:15:65:00:00:03 23 s3\n", "-p").is(0, &done(1), "");
    let line = |ext: u8| format!("exten => {ext},1,Dial(SIP/{ext})\n");
    assert_eq!(system.dialplan(), [line(21), line(22), line(23)].concat());
    assert_eq!(system.sip(), "[21]\nsecret=s1\n\n[22]\nsecret=s2\n\n[23]\nsecret=s3\n\n");
    assert_eq!(system.rows().unwrap().len(), 3, "the table is not lost");
    // A phone that is there already gets new rows in the place of its own.
    system.deploy("desk 00:15:65:00:00:01 31;32 s1\n", "-p -f").is(0, &done(1), "");
    let rows = system.rows().unwrap();
    let exts: Vec<_> = rows.iter().map(|row| row.split('|').nth(1).unwrap()).collect();
    assert_eq!(exts, ["22", "23", "31", "32"]);
    // What is there may lack its last line end.
    let file = "asterisk/includes/astlinux-phoneprov-exten.conf";
    system.write(file, system.read(file).trim_end());
    system.deploy("desk 00:15:65:00:00:04 24 s4\n", "-p").is(0, &done(1), "");
    assert!(system.dialplan().ends_with(&[line(21), line(24)].concat().replace("21", "31")));
    // Without files it begins them as a whole run does.
    let fresh = Box::new(&[("desk", DESK)]);
    fresh.deploy("desk 00:15:65:00:00:03 23 s3\n", "-p").is(0, &done(1), "");
    assert_eq!(fresh.dialplan(), line(23));
    assert_eq!(fresh.rows().unwrap().len(), 1);
}

#[test]
fn values_are_inserted_as_they_stand() {
    let system = Box::new(&[("desk", DESK)]);
    for password in ["a&b", "a|b", "a\\b", "a/b+c=", "x@EXT@", "$HOME`id`\"'", "ä€"] {
        let mass = format!("desk 00:15:65:00:00:01 21 {password}\n");
        system.deploy(&mass, "-f").is(0, &done(1), "");
        let file = format!("user=21\npass={password}\n");
        assert_eq!(system.read("phoneprov/desk/001565000001.cfg"), file);
        assert_eq!(system.sip(), format!("[21]\nsecret={password}\n\n"));
    }
}

#[test]
fn case_23_quotes_are_values_too() {
    let system = Box::new(&[("desk", DESK)]);
    let mass = "desk 00:15:65:00:00:01 21/Pat_O'Brien s\ndesk 00:15:65:00:00:02 22/x',1)_-- s\n";
    system.deploy(mass, "").is(0, &done(2), "");
    let rows = system.rows().unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows[0].contains("|Pat O'Brien|") && rows[1].contains("|x',1) --|"), "{rows:?}");
}

#[test]
fn line_ends_of_another_system_are_no_part_of_values() {
    let system = Box::new(&[("desk", &DESK.replace("d9\n", "d9\r\n"))]);
    system.deploy("\u{feff}desk 00:15:65:00:00:01 21 s\r\n\r\n", "").is(0, &done(1), "");
    assert_eq!(system.read("phoneprov/desk/001565000001.cfg"), "user=21\npass=s\n");
    assert!(system.rows().unwrap()[0].ends_with("|desk|d9|desk|sip"));
}

#[test]
fn case_30_contexts_of_one_name_follow_each_other() {
    let template = "[general]\n[phoneprov]\none\n[phoneprov]\ntwo\n";
    let system = Box::new(&[("t", template)]);
    system.deploy("t 00:15:65:00:00:01 21 s\n", "").is(0, &done(1), "");
    assert_eq!(system.read("phoneprov/t/001565000001.cfg"), "one\ntwo\n");
}

#[test]
fn one_phone_is_built_and_added() {
    let system = Box::new(&[("desk", DESK)]);
    system.deploy("desk 00:15:65:00:00:01 21 s1\n", "").is(0, &done(1), "");
    let words = ["desk", "00:15:65:00:00:02", "22/Ann Lee", "s 2", "acc"];
    system.run_words("phoneprov-build", &words).is(0, "", "");
    assert_eq!(system.dialplan(), "exten => 21,1,Dial(SIP/21)\nexten => 22,1,Dial(SIP/acc)\n");
    assert_eq!(system.read("phoneprov/desk/001565000002.cfg"), "user=acc\npass=s 2\n");
    assert!(system.rows().unwrap()[1].starts_with("2|22|Ann Lee|22|acc|1|00:15:65:00:00:02|"));
    let again = system.run_words("phoneprov-build", &words);
    again.is(2, "", "phoneprov-build: File \"/mnt/kd/phoneprov/desk/001565000002.cfg\" exists.\n");
    // The heads alone; the table stays.
    system.run("phoneprov-build", "-f desk 00:00:00:00:00:00 init-dialplan").is(0, "", "");
    assert_eq!(system.dialplan(), "");
    assert!(system.sip().contains("secret=s1"));
    system.run("phoneprov-build", "-f desk 00:00:00:00:00:00 init").is(0, "", "");
    assert_eq!((system.sip().as_str(), system.rows().unwrap().len()), ("", 2));
    system.run_words("phoneprov-build", &["desk", "00:15:65:00:00:03", "23", "a\nsecret=b"]).is(
        1,
        "",
        "phoneprov-build: an argument holds control characters\n",
    );
}
