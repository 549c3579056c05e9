//! Names and values in their plainest form are read by a shorter way; the long
//! way must come to the same.

use proptest::prelude::*;
use provost::cwmp::{ReadLimits, Side, read};

/// A response whose list holds these members, as XML.
fn response(method: &str, members: &str) -> String {
    format!(
        r#"<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><e:Body><c:{method} xmlns:c="urn:dslforum-org:cwmp-1-2"><ParameterList>{members}</ParameterList></c:{method}></e:Body></e:Envelope>"#
    )
}

/// The same document in a form that the shorter way does not take.
fn long_form(text: &str) -> String {
    ["Name", "Value", "Writable"].iter().fold(text.to_owned(), |text, name| {
        text.replace(&format!("</{name}>"), &format!("</{name} >"))
    })
}

fn agree(text: &str) -> Result<(), TestCaseError> {
    let limits = ReadLimits::default();
    let kinds = |parsed: &provost::cwmp::Parsed| {
        parsed.warnings.iter().map(|warning| (warning.what, warning.times)).collect::<Vec<_>>()
    };
    match (
        read(text.as_bytes(), None, Side::Cpe, &limits),
        read(long_form(text).as_bytes(), None, Side::Cpe, &limits),
    ) {
        (Ok(short), Ok(long)) => {
            prop_assert_eq!(kinds(&short), kinds(&long), "{}", text);
            prop_assert_eq!(short.envelope, long.envelope);
        }
        (Err(short), Err(long)) => prop_assert_eq!(short.problem, long.problem),
        (short, long) => prop_assert!(false, "{short:?}\n{long:?}\n{text}"),
    }
    Ok(())
}

/// What stands in an element: letters, and what makes them less than plain.
fn content() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[A-Za-z0-9. _-]{0,12}",
        1 => "&amp;|&lt;|&#13;|&bogus;|\r\n|\r|\n|\t|ä|<!--x-->|<b/>|<b>c</b>|\\]\\]>",
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = String> {
    let open = prop_oneof![
        4 => Just(r#"<Value xsi:type="xsd:string">"#.to_owned()),
        1 => Just(r#"<Value xsi:type="xsd:odd-type">"#.to_owned()),
        1 => Just("<Value xsi:type='xsd:int'>".to_owned()),
        1 => Just(r#"<Value type="boolean" other="x">"#.to_owned()),
        1 => Just("<Value>".to_owned()),
    ];
    (open, content()).prop_map(|(open, content)| format!("{open}{content}</Value>"))
}

proptest! {
    #[test]
    fn values_read_alike(members in proptest::collection::vec((content(), value(), "[ \n]{0,2}"), 0..6)) {
        let members: String = members
            .iter()
            .map(|(name, value, blank)| format!("<S>{blank}<Name>{name}</Name>{blank}{value}{blank}</S>{blank}"))
            .collect();
        agree(&response("GetParameterValuesResponse", &members))?;
    }

    #[test]
    fn names_read_alike(members in proptest::collection::vec((content(), "0|1|true|false|TRUE|2| 1 |", any::<bool>()), 0..6)) {
        let members: String = members
            .iter()
            .map(|(name, writable, turned)| {
                let (name, writable) = (format!("<Name>{name}</Name>"), format!("<Writable>{writable}</Writable>"));
                if *turned { format!("<S>{writable}{name}</S>") } else { format!("<S>{name}{writable}</S>") }
            })
            .collect();
        agree(&response("GetParameterNamesResponse", &members))?;
    }
}

#[test]
fn a_place_in_an_error_counts_what_was_passed_over() {
    let member = r#"<S><Name>Device.A</Name><Value xsi:type="xsd:int">1</Value></S>"#;
    let text =
        response("GetParameterValuesResponse", &format!("{}<!DOCTYPE x>", member.repeat(50)));
    let error = read(text.as_bytes(), None, Side::Cpe, &ReadLimits::default()).unwrap_err();
    let place = usize::try_from(error.at).unwrap();
    let there = text.find("<!DOCTYPE").unwrap();
    assert!((there..=there + 14).contains(&place), "{place} and not about {there}");
}
