//! What `docs/PROFILES.md` shows can be had: its profiles, rules and values are
//! read here, and every name that can be used stands there.

use provost::expr::{Rule, Template};
use provost::profile::Profile;

fn page() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/PROFILES.md");
    std::fs::read_to_string(path).unwrap()
}

/// The blocks of one language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let found = page.split(&opening).skip(1);
    found.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn what_the_page_shows_can_be_read() {
    let page = page();
    let profiles = blocks(&page, "toml");
    assert!(profiles.len() >= 3);
    for text in profiles {
        let profile = Profile::parse(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
        assert_eq!(Profile::parse(&profile.to_json()).as_ref(), Ok(&profile));
    }
    for rule in blocks(&page, "cel")[0].lines() {
        Rule::parse(rule).unwrap_or_else(|error| panic!("{error}: {rule}"));
    }
    for value in blocks(&page, "jinja")[0].lines() {
        Template::parse(value).unwrap_or_else(|error| panic!("{error}: {value}"));
    }
}

#[test]
fn the_page_names_all_that_there_is() {
    let page = page();
    // What is refused names all that would have been right.
    let members = |rule: &str| {
        let told = Rule::parse(rule).unwrap_err().to_string();
        let list = told.split("there are ").nth(1).unwrap_or_else(|| panic!("{told}")).to_owned();
        list.split(", ").map(str::to_owned).collect::<Vec<_>>()
    };
    let mut names = members("device.q == 1");
    names.extend(members("phone.q == 1"));
    names.extend(members("q == 1"));
    names.extend(members("q()"));
    let told = Profile::parse("qqqqqqqqq = 1").unwrap_err().problem;
    names.extend(told.split("there are ").nth(1).unwrap().split(", ").map(str::to_owned));
    assert!(names.len() > 40, "{names:?}");
    let missing: Vec<&String> = names
        .iter()
        .filter(|name| {
            ![format!("`{name}`"), format!("`{name}("), format!("`{name}.")]
                .iter()
                .any(|form| page.contains(form.as_str()))
                && !page.contains(&format!(".{name}("))
        })
        .collect();
    assert!(missing.is_empty(), "docs/PROFILES.md does not name {missing:?}");
}
