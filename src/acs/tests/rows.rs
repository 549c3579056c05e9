//! Rows by alias, by number and by wildcard, on devices that know these and on
//! devices that do not.

use super::*;
use crate::param::Tree;

const TABLE: &str = "Device.NAT.PortMapping.";
const MODE: &str = "Device.ManagementServer.InstanceMode";
const CREATES: &str = "Device.ManagementServer.AutoCreateInstances";

fn lab() -> Lab {
    Lab::of(false, Blueprint::device2("LAB1", 80).unwrap().with_aliases())
}

fn named(row: &str) -> ParamPath {
    path(&format!("{TABLE}{row}"))
}

impl Lab {
    /// Asks in a session of its own and says how it ended.
    async fn done(&mut self, number: u128, action: Action) -> (Task, Vec<String>) {
        self.ask(number, action).await;
        self.cpe.raise(EventCode::ConnectionRequest, "");
        let asked = self.session().await;
        (self.store.task(TaskId(number)).await.unwrap().unwrap(), asked)
    }

    async fn known(&self) -> Arc<Tree> {
        self.store.tree(&self.id).await.unwrap().unwrap().into()
    }
}

#[tokio::test]
async fn t20_a_row_is_made_written_read_and_deleted_by_its_alias() {
    let mut lab = lab();
    let _ = lab.session().await;
    let values = vec![("ExternalPort".into(), Value::string("8080"))];
    let (task, _) = lab.done(1, Action::AddObject { table: named("[web]."), values }).await;
    assert_eq!(task.state.word(), "applied", "{task:?}");
    assert_eq!(&*task.notes[0], "made Device.NAT.PortMapping.2.");
    assert_eq!(lab.cpe.model().text("Device.NAT.PortMapping.2.Alias"), "web");

    // The device answers by number what it is asked by alias.
    let values = vec![
        (named("[web].ExternalPort"), Value::string("8081")),
        (named("[web].Description"), Value::string("shop")),
    ];
    let (task, asked) = lab.done(2, Action::Set(values)).await;
    assert_eq!(task.state.word(), "applied", "{task:?}");
    assert_eq!(asked, ["SetParameterValues", "GetParameterValues"]);
    let tree = lab.known().await;
    assert_eq!(tree.text("Device.NAT.PortMapping.2.ExternalPort"), Some("8081"));
    assert_eq!(tree.text("Device.NAT.PortMapping.2.Alias"), Some("web"));
    assert!(tree.iter().all(|(name, _)| !name.has_alias()), "each row stands once in the tree");

    let (task, _) = lab.done(3, Action::Get(vec![named("[web].Description")])).await;
    assert_eq!(task.state.word(), "applied", "{task:?}");
    let (task, _) = lab.done(4, Action::Get(vec![named("[nobody].Description")])).await;
    assert_eq!(task.state.word(), "failed");
    let (task, _) = lab.done(5, Action::Refresh(Some(named("[web].")))).await;
    assert_eq!(task.state.word(), "applied", "{task:?}");
    assert_eq!(lab.known().await.text("Device.NAT.PortMapping.2.Description"), Some("shop"));

    let (task, _) = lab.done(6, Action::DeleteObject(named("[web]."))).await;
    assert_eq!(task.state.word(), "applied", "{task:?}");
    assert!(lab.known().await.get("Device.NAT.PortMapping.2.").is_none());
}

#[tokio::test]
async fn t20_rows_are_created_by_writing_where_the_device_does_that() {
    let mut lab = lab();
    let _ = lab.session().await;
    let write = || Action::Set(vec![(named("[new].ExternalPort"), Value::string("443"))]);
    let (task, _) = lab.done(1, write()).await;
    assert_eq!(task.state.word(), "failed", "AutoCreateInstances is off");
    let on = Action::Set(vec![(path(CREATES), Value::string("true"))]);
    assert_eq!(lab.done(2, on).await.0.state.word(), "applied");
    let (task, _) = lab.done(3, write()).await;
    assert_eq!(task.state.word(), "applied", "{task:?}");
    assert_eq!(lab.cpe.model().text("Device.NAT.PortMapping.2.ExternalPort"), "443");
}

#[tokio::test]
async fn t20_a_device_that_answers_by_alias_is_understood() {
    let mut lab = lab();
    let _ = lab.session().await;
    let mode = Action::Set(vec![(path(MODE), Value::string("InstanceAlias"))]);
    assert_eq!(lab.done(1, mode).await.0.state.word(), "applied");
    // Asked by number, answered by alias.
    let values = vec![
        (named("1.ExternalPort"), Value::string("25")),
        (named("1.Description"), Value::string("mail")),
    ];
    let (task, _) = lab.done(2, Action::Set(values)).await;
    assert_eq!(task.state.word(), "applied", "{task:?}");
    assert_eq!(lab.known().await.text("Device.NAT.PortMapping.1.Description"), Some("mail"));
    let (task, _) = lab.done(3, Action::Get(vec![named("1.Description")])).await;
    assert_eq!(task.state.word(), "applied", "{task:?}");
    // A whole tree by alias.
    let (task, _) = lab.done(4, Action::Refresh(None)).await;
    assert_eq!(task.state.word(), "applied", "{task:?}");
    let tree = lab.known().await;
    assert_eq!(tree.text("Device.NAT.PortMapping.[cpe-1].Description"), Some("mail"));
    let values = vec![(named("[cpe-1].ExternalPort"), Value::string("26"))];
    let (task, _) = lab.done(5, Action::Set(values)).await;
    assert_eq!(task.state.word(), "applied", "{task:?}");
    let (task, _) = lab.done(6, Action::Refresh(Some(named("1.")))).await;
    assert_eq!(task.state.word(), "applied", "{task:?}");
    assert_eq!(
        lab.known().await.text("Device.NAT.PortMapping.[cpe-1].ExternalPort"),
        Some("26"),
        "what was asked by number is found under the name that the device gives it"
    );
}

#[tokio::test]
async fn t20_wildcards_go_to_devices_that_know_them() {
    let mut lab = lab();
    let _ = lab.session().await;
    let pattern = path("Device.WiFi.SSID.*.SSID");
    let (task, asked) = lab.done(1, Action::Get(vec![pattern, path("Device.Time.Enable")])).await;
    assert_eq!((task.state.word(), &*asked), ("applied", &["GetParameterValues".to_owned()][..]));
    assert!(task.notes.is_empty(), "{task:?}");
    assert!(lab.cpe.change("Device.WiFi.SSID.2.SSID", "other"));
    let (task, _) = lab.done(2, Action::Refresh(Some(path("Device.WiFi.SSID.*.")))).await;
    assert_eq!(task.state.word(), "applied");
    assert_eq!(lab.known().await.text("Device.WiFi.SSID.2.SSID"), Some("other"));
    // No match is no error.
    let (task, _) = lab.done(3, Action::Get(vec![path("Device.Hosts.Host.*.HostName")])).await;
    assert_eq!(task.state.word(), "applied", "{task:?}");
}

#[tokio::test]
async fn t20_wildcards_are_spelled_out_for_all_others() {
    let mut lab = Lab::of(false, Blueprint::device2("LAB1", 80).unwrap());
    let _ = lab.session().await;
    assert!(lab.cpe.change("Device.WiFi.SSID.2.SSID", "other"));
    let (task, asked) = lab.done(1, Action::Get(vec![path("Device.WiFi.SSID.*.SSID")])).await;
    assert_eq!((task.state.word(), &*asked), ("applied", &["GetParameterValues".to_owned()][..]));
    assert_eq!(lab.known().await.text("Device.WiFi.SSID.2.SSID"), Some("other"));

    // A table of which the tree shows no rows is asked for first.
    let mut tree = Tree::clone(&*lab.known().await);
    tree.remove(&path("Device.IP."));
    lab.store.commit(Record::Tree(lab.id.clone(), tree.into()).into()).await.unwrap();
    let pattern = path("Device.IP.Interface.*.IPv4Address.*.IPAddress");
    let (task, asked) = lab.done(2, Action::Get(vec![pattern])).await;
    assert_eq!(task.state.word(), "applied", "{task:?}");
    let names = asked.iter().filter(|method| *method == "GetParameterNames").count();
    assert_eq!((names, asked.len()), (3, 4), "the interfaces, and the addresses of each");
    let tree = lab.known().await;
    assert_eq!(tree.text("Device.IP.Interface.2.IPv4Address.1.IPAddress"), Some("192.168.1.1"));
}
