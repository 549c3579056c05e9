//! Each construct of the XML, hostile files, and files that are cut.

use proptest::prelude::*;

use super::*;
use crate::schema::model::{ModelDraft, ParameterAccess, ParameterFacts, Status};

/// One of each construct, in our own words.
const FIXTURE: &str = r#"<?xml version="1.0"?>
<!--
  A model for tests.

    Copyright (c) nobody
-->
<dm:document xmlns:dm="urn:broadband-forum-org:cwmp:datamodel-1-14" file="own.xml">
  <description>Left &amp; out.</description>
  <dataType name="Name"><string><size maxLength="64"/></string></dataType>
  <dataType name="ShortName" base="Name"><size maxLength="8"/></dataType>
  <dataType name="State"><string>
    <enumeration value="None" access="readOnly"/><enumeration value="Requested"/>
  </string></dataType>
  <dataType name="Pair"><list minItems="2" maxItems="2"/><int/></dataType>
  <dataType name="NeverUsed"><int/></dataType>
  <bibliography><reference id="X"><name>x</name></reference></bibliography>
  <model name="Own:1.3">
    <object name="Own." access="readOnly" minEntries="1" maxEntries="1" version="1.0">
      <parameter name="Plain" access="readWrite" version="1.0"><syntax><string/></syntax></parameter>
      <parameter name="Up" activeNotify="canDeny" forcedInform="true" version="1.2">
        <description>Gone.</description>
        <syntax><unsignedInt><range minInclusive="1" maxInclusive="500" step="25"/>
          <range minInclusive="-1" maxInclusive="-1"/><units value="seconds"/></unsignedInt>
          <default type="factory" value="25"/></syntax>
      </parameter>
      <parameter name="Label" access="readWrite"><syntax><dataType ref="ShortName"/></syntax></parameter>
      <parameter name="State" access="readWrite" status="deprecated">
        <syntax><dataType ref="State"><enumeration value="Error_Own" access="readOnly"/>
          <enumeration value="Old" status="deleted"/></dataType></syntax>
      </parameter>
      <parameter name="Pair"><syntax><dataType ref="Pair"/></syntax></parameter>
      <parameter name="Half"><syntax><decimal><range minInclusive="-1.5" maxInclusive="2.5"/></decimal></syntax></parameter>
    </object>
    <object name="Own.Row.{i}." access="readWrite" minEntries="0" maxEntries="unbounded"
        numEntriesParameter="RowNumberOfEntries" enableParameter="Enable" version="1.1">
      <uniqueKey functional="false"><parameter ref="Alias"/></uniqueKey>
      <uniqueKey><parameter ref="Name"/><parameter ref="Kind"/></uniqueKey>
      <parameter name="Secret" access="writeOnceReadOnly"><syntax hidden="true" secured="true">
        <string><pattern value=""/><pattern value="[a|b]{2}&#9;x"/></string></syntax></parameter>
      <parameter name="Go" access="readWrite"><syntax command="true" hidden="true"><boolean/></syntax></parameter>
      <parameter name="Words" access="readWrite"><syntax>
        <list maxItems="4"><size maxLength="32"/></list>
        <string><enumeration value="a|b"/><enumeration value="c d"/></string>
        <default type="object" value=""/></syntax></parameter>
      <parameter name="Below" access="readWrite"><syntax><string>
        <pathRef refType="strong" targetParent=".A. .B." targetType="row"/></string></syntax></parameter>
      <parameter name="Which" access="readWrite"><syntax><string>
        <enumerationRef targetParam="Words"/></string></syntax></parameter>
      <parameter base="Inherited"/>
    </object>
    <profile name="P:1"><object ref="Own." requirement="present"><parameter ref="Plain" requirement="readOnly"/></object></profile>
  </model>
</dm:document>
"#;

fn compiled() -> Compiled {
    compile(FIXTURE.as_bytes()).unwrap()
}

fn facts(path: &str, name: &str) -> ParameterFacts {
    let model = compiled().model;
    model.object(path).unwrap().parameter(name).unwrap().facts().unwrap()
}

#[test]
fn every_construct_comes_out_as_a_line() {
    let text = compiled().model.text().to_owned();
    let expected = [
        "provost-datamodel\t1",
        "model\tOwn:1.3",
        "source\town.xml",
        "below\tOwn.",
        "# A model for tests.",
        "#",
        "#   Copyright (c) nobody",
        "type\tPair\tint\tlist=2",
        "type\tShortName\tstring\tlength=..8",
        "type\tState\tstring\twords=Requested\tdevice-words=None",
        "Own.\tR\tsince=1.0",
        "\tHalf\tR\tdecimal\trange=-2..3",
        "\tLabel\tW\tShortName",
        "\tPair\tR\tPair",
        "\tPlain\tW\tstring",
        "\tState\tW\tState\tdevice-words=Error_Own\tstatus=deprecated",
        "\tUp\tR\tunsignedInt\trange=1..500/25|-1\tunit=seconds\tfactory-default=25\tnotify=canDeny\tforced-inform\tsince=1.2",
        "Own.Row.{i}.\tW\trows=0..\tkeys=~Alias|Name+Kind\tcount=RowNumberOfEntries\tenable=Enable\tsince=1.1",
        "\tBelow\tW\tstring\treference=.A.|.B.",
        "\tGo\tW\tboolean\thidden\tcommand",
        "\tSecret\tO\tstring\tpattern=|[a\\|b]{2}\\tx\thidden\tsecured",
        "\tWhich\tW\tstring\twords-of=Words",
        "\tWords\tW\tstring\tlist=..4\tlist-length=..32\twords=a\\|b|c d\tdefault=",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn types_are_resolved_with_all_that_they_stand_on() {
    let label = facts("Own.", "Label");
    assert_eq!(label.syntax.lengths[0].greatest, Some(8));
    let state = facts("Own.", "State");
    let words = |words: &[Box<str>]| words.join(" ");
    assert_eq!(words(&state.syntax.words), "Requested");
    assert_eq!(words(&state.syntax.device_words), "None Error_Own");
    assert_eq!(state.status, Status::Deprecated);
    let pair = compiled().model;
    let pair = pair.object("Own.").unwrap().parameter("Pair").unwrap();
    assert_eq!(pair.kind().name(), "string", "a list is a string on the wire");
    assert_eq!(pair.item_kind().name(), "int");
}

#[test]
fn secrets_switches_and_what_is_written_once_are_told_apart() {
    let secret = facts("Own.Row.{i}.", "Secret");
    assert!(secret.is_secret());
    assert_eq!(secret.access, ParameterAccess::WriteOnce);
    let go = facts("Own.Row.{i}.", "Go");
    assert!(!go.is_secret() && go.command);
}

#[test]
fn what_has_no_type_is_left_out_and_told() {
    assert_eq!(compiled().left_out, ["Own.Row.{i}.Inherited: it has no type here"]);
}

#[test]
fn a_service_stands_below_any_root() {
    let xml = r#"<document><model name="OwnService:1.0" isService="true">
        <parameter name="OwnServiceNumberOfEntries"><syntax><unsignedInt/></syntax></parameter>
        <object name="OwnService.{i}." access="readWrite" maxEntries="4">
        <parameter name="A"><syntax><string/></syntax></parameter></object></model></document>"#;
    let model = compile(xml.as_bytes()).unwrap().model;
    assert_eq!(model.place().to_string(), "*.Services.");
    assert!(model.object(".").unwrap().parameter("OwnServiceNumberOfEntries").is_some());
    assert_eq!(model.object_count(), 1);
}

#[test]
fn hostile_files_are_refused_with_the_reason() {
    let with = |inside: &str| compile(format!("<document>{inside}</document>").as_bytes());
    let said = |inside: &str| with(inside).unwrap_err().to_string();
    let doctype = "<!DOCTYPE d [<!ENTITY a 'b'>]>\n<document><model name='x'/></document>";
    assert_eq!(compile(doctype.as_bytes()).unwrap_err(), CompileError::Doctype(1));
    assert!(said("").contains("<model>"));
    assert!(said("<model/>").contains("name"));
    assert!(said("<model name='a'/><model name='b'/>").contains("second"));
    assert!(said("<model name='a'>\n<object name='no dot'/></model>").contains("line 2"));
    assert!(said("<model name='a'><object name='A B.'/></model>").contains("path"));
    let parameter = |syntax: &str| {
        said(&format!(
            "<model name='a'><object name='A.'><parameter name='P'><syntax>{syntax}</syntax></parameter></object></model>"
        ))
    };
    assert!(parameter("<dataType ref='Nowhere'/>").contains("Nowhere"));
    assert!(parameter("<int><range minInclusive='5' maxInclusive='1'/></int>").contains("max"));
    assert!(parameter("<int><range minInclusive='&unknown;'/></int>").contains("line 1"));
    assert!(parameter(&"<list>".repeat(100)).contains("inside each other"));
    assert!(compile(b"<document><a></b></document>").is_err());
    assert!(compile(b"\xff\xfe").is_err());
    assert!(matches!(compile(b"<html/>"), Err(CompileError::NoDataModel(_))));
    let ring = "<dataType name='A' base='B'/><dataType name='B' base='A'/><model name='m'>\
        <object name='O.'><parameter name='P'><syntax><dataType ref='A'/></syntax></parameter></object></model>";
    assert!(said(ring).contains("not explained"));
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let whole = FIXTURE.trim_end();
    for end in 0..whole.len() {
        assert!(compile(&whole.as_bytes()[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn the_compact_form_cut_anywhere_never_panics() {
    let text = compiled().model.text().to_owned();
    for end in 0..text.len() {
        if let Some(cut) = text.get(..end) {
            let _ = ParameterModel::parse(cut.to_owned(), true);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_file_makes_it_panic(at in 0..FIXTURE.len(), byte in any::<u8>(), drop in 0_usize..40) {
        let mut bytes = FIXTURE.as_bytes().to_vec();
        bytes[at] = byte;
        let end = (at + drop).min(bytes.len());
        if drop > 1 {
            bytes.drain(at..end);
        }
        if let Ok(compiled) = compile(&bytes) {
            let draft = ModelDraft::of(&compiled.model).unwrap();
            prop_assert_eq!(draft.write(), compiled.model.text());
        }
    }
}
