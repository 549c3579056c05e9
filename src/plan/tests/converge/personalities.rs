//! Bringing the simulated gateway to a state, by messages as they go over the
//! wire, in every way in which it can stray.

use super::simulate::personality::{PERSONALITIES, Personality, REFERENCE};
use super::simulate::{Action as Said, Blueprint, Cpe, Reply};
use super::*;
use crate::cwmp::{self, AcsResponse, CpeRequest, Envelope, Message, ReadLimits, Side, WriteStyle};

/// Those that do not do what they say, whatever they are asked: nobody can bring
/// them anywhere.
const HOPELESS: [&str; 3] = ["yes-man", "row-zero", "same-row"];

/// A session as the server would lead it. `None` if it broke off.
fn session(
    cpe: &mut Cpe,
    planner: &mut Planner,
    tree: &mut Tree,
    recorded: &mut Task,
) -> Option<usize> {
    let limits = ReadLimits::default();
    let mut said = cpe.open_session(NOW);
    let (mut namespace, mut sent, mut waits) = (None, 0, false);
    loop {
        let answer = match said {
            Said::Close { failure: None } => return Some(sent),
            Said::Close { failure: Some(_) } => {
                planner.abandon(tree, NOW);
                *recorded = planner.take_changes().pop().unwrap_or(recorded.clone());
                return None;
            }
            // The empty POST answers a method that it does not know (Q56).
            Said::PostEmpty => waits.then(|| Err(fault(Code::METHOD_NOT_SUPPORTED))),
            Said::Post(bytes) => {
                let envelope = cwmp::read(&bytes, None, Side::Cpe, &limits).unwrap().envelope;
                namespace = Some(envelope.namespace.clone());
                match envelope.message {
                    Message::CpeResponse(response) => Some(Ok(response)),
                    Message::Fault(fault) => Some(Err(fault)),
                    Message::CpeRequest(request) => {
                        let response = match request {
                            CpeRequest::Inform(_) => AcsResponse::Inform,
                            _ => AcsResponse::TransferComplete,
                        };
                        let message = Message::AcsResponse(response);
                        said = tell(cpe, planner, envelope.namespace, envelope.id, message);
                        continue;
                    }
                    other => panic!("{other:?}"),
                }
            }
        };
        if let Some(answer) = answer {
            planner.answer(answer, tree, NOW);
        }
        let step = planner.next(tree, NOW);
        *recorded = planner.take_changes().pop().unwrap_or(recorded.clone());
        said = match step {
            Step::Satisfied => {
                cpe.handle_reply(Reply { status: 204, charset: None, body: b"" }, NOW)
            }
            Step::Rpc { request, record_first } => {
                if let Some(task) = record_first {
                    *recorded = *task;
                }
                (sent, waits) = (sent + 1, true);
                let namespace = namespace.clone().unwrap();
                tell(cpe, planner, namespace, Some("1".into()), Message::AcsRequest(request))
            }
        };
    }
}

fn tell(
    cpe: &mut Cpe,
    planner: &Planner,
    namespace: cwmp::Namespace,
    id: Option<Box<str>>,
    message: Message,
) -> Said {
    let envelope = Envelope {
        id,
        namespace,
        hold_requests: false,
        session_timeout: None,
        supported_versions: None,
        use_version: None,
        message,
    };
    let learned = planner.learned();
    let style = WriteStyle {
        xml_declaration: learned.xml_declaration,
        next_level_words: learned.next_level_words,
    };
    let body = cwmp::write(&envelope, &style);
    cpe.handle_reply(Reply { status: 200, charset: None, body: &body }, NOW)
}

fn state() -> Desired {
    let mapping = |port: &str| {
        let values = [
            ("ExternalPort", port),
            ("Protocol", "TCP"),
            ("Enable", "true"),
            ("Description", "web"),
        ];
        row("", &values)
    };
    let table = WantedTable {
        table: "Device.NAT.PortMapping.".into(),
        keys: vec!["ExternalPort".into(), "Protocol".into()],
        rows: vec![mapping("80"), mapping("443")],
        others: OtherRows::Remove,
        source: 0,
    };
    let values = vec![
        value("Device.Time.NTPServer1", "time.example"),
        value("Device.WiFi.SSID.*.SSID", "Provost"),
        value("Device.WiFi.AccessPoint.1.Security.KeyPassphrase", "correct horse"),
    ];
    Desired { attributes: vec![notify("Device.Time.NTPServer1", 2)], ..wants(values, vec![table]) }
}

/// How a personality's task ended, in at most four sessions, and what was asked
/// of it once it had.
fn bring(personality: &'static Personality) -> (Task, Cpe, usize) {
    let mut cpe = Cpe::in_service(Blueprint::device2("GW1", 120).unwrap(), NOW);
    cpe.take_on(personality);
    let mut tree = Tree::new();
    let mut learned = Learned::assumed(64, 64);
    learned.xml_declaration = personality.name != "bare";
    let mut written = BTreeMap::new();
    let mut last = task(1, Action::Converge(Box::new(state())));
    for _ in 0..4 {
        let situation = Situation {
            survey: tree.parameter_count() < 100,
            learned: learned.clone(),
            written: memory(written.clone()),
            ..situation(vec![last.clone()])
        };
        let mut planner = Planner::new(situation, !tree.is_empty(), NOW);
        let sent = session(&mut cpe, &mut planner, &mut tree, &mut last);
        learned = planner.learned().clone();
        written = planner.take_written().unwrap_or(written);
        if sent.is_some() && last.state.is_ended() {
            break;
        }
    }
    let again = task(2, Action::Converge(Box::new(state())));
    let situation =
        Situation { learned, written: memory(written), ..situation(vec![again.clone()]) };
    let mut planner = Planner::new(situation, true, NOW);
    let sent = session(&mut cpe, &mut planner, &mut tree, &mut again.clone());
    (last, cpe, sent.unwrap_or(usize::MAX))
}

#[test]
fn every_personality_is_brought_there_or_it_is_told_why_not() {
    for personality in std::iter::once(&REFERENCE).chain(PERSONALITIES) {
        let name = personality.name;
        let (last, cpe, again) = bring(personality);
        assert!(last.state.is_ended(), "{name}: {last:?}");
        if HOPELESS.contains(&name) {
            assert_eq!(last.state.word(), "failed", "{name}: {last:?}");
            continue;
        }
        // Who lists no names cannot show that a row is gone.
        let word = if name == "mute" { "accepted" } else { "applied" };
        assert_eq!(last.state.word(), word, "{name}: {last:?}");
        assert_eq!(again, 0, "{name} is asked nothing when it has it all");
        let model = cpe.model();
        let has = |path: &str, text: &str| {
            assert_eq!(model.text(&format!("Device.{path}")), text, "{name}: {path}");
        };
        has("Time.NTPServer1", "time.example");
        has("WiFi.SSID.2.SSID", "Provost");
        has("WiFi.AccessPoint.1.Security.KeyPassphrase", "correct horse");
        has("NAT.PortMappingNumberOfEntries", "2");
    }
}
