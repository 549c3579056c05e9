//! Sentences of the audit, behind the name of who did it.

use serde_json::Value;

use crate::access::TokenRecord;
use crate::device::{Action, Decision, DeviceId, Labels, Task};

/// Names that one sentence lists at most.
const MANY: usize = 5;

/// Of a thing without words of its own.
pub(super) fn plain(verb: &str, kind: &str, key: &str, after: Option<&Value>) -> String {
    let noun = kind.replace('_', " ");
    match verb {
        "create" => format!("made the {noun} {key}"),
        "remove" => format!("removed the {noun} {key}"),
        _ => {
            let members = after.and_then(Value::as_object);
            let names: Vec<&str> = members
                .into_iter()
                .flat_map(|members| members.keys().map(String::as_str))
                .collect();
            if names.is_empty() {
                return format!("changed the {noun} {key}");
            }
            format!("changed {} of the {noun} {key}", listed(&names))
        }
    }
}

fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let shown: Vec<&str> = names.iter().take(MANY).map(AsRef::as_ref).collect();
    match names.len().checked_sub(MANY) {
        Some(more @ 1..) => format!("{} and {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}

/// What became of a device's labels. Values of a subscriber's fields are not in
/// it.
pub(super) fn labels(id: &DeviceId, before: &Labels, after: &Labels) -> String {
    let mut said = Vec::new();
    let fresh: Vec<_> = after.tags.difference(&before.tags).collect();
    let gone: Vec<_> = before.tags.difference(&after.tags).collect();
    if !fresh.is_empty() || !gone.is_empty() {
        let tags: Vec<_> = after.tags.iter().collect();
        said.push(match tags.is_empty() {
            true => "took all tags off".to_owned(),
            false => format!("set the tags to {}", listed(&tags)),
        });
    }
    for (what, was, is) in
        [("tenant", &before.tenant, &after.tenant), ("site", &before.site, &after.site)]
    {
        if was != is {
            said.push(match is.is_empty() {
                true => format!("took it from the {what} {was}"),
                false => format!("set the {what} to {is}"),
            });
        }
    }
    let fields =
        after.subscriber.iter().filter(|(name, is)| before.subscriber.get(*name) != Some(is));
    let lost = before.subscriber.keys().filter(|name| !after.subscriber.contains_key(*name));
    let fields: Vec<_> = fields.map(|(name, _)| name).chain(lost).collect();
    if !fields.is_empty() {
        said.push(format!("changed {} of the subscriber", listed(&fields)));
    }
    format!("labelled device {id}: {}", said.join("; "))
}

/// What was asked of a device, or withdrawn.
pub(super) fn task(before: Option<&Task>, task: &Task) -> String {
    let device = &task.device;
    let asked = asked(&task.action);
    match before {
        None => format!("asked device {device} to {asked}"),
        Some(before) if !before.state.is_ended() && task.state.word() == "cancelled" => {
            format!("withdrew what was asked of device {device}: to {asked}")
        }
        Some(_) => format!("changed what is asked of device {device}: to {asked}"),
    }
}

fn asked(action: &Action) -> String {
    let count = |n: usize, one: &str| {
        if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
    };
    match action {
        Action::Get(paths) => format!("tell {}: {}", count(paths.len(), "value"), named(paths)),
        Action::Set(values) => {
            let paths: Vec<_> = values.iter().map(|(path, _)| path.clone()).collect();
            format!("set {}: {}", count(values.len(), "value"), named(&paths))
        }
        Action::Refresh(None) => "tell its whole tree anew".to_owned(),
        Action::Refresh(Some(path)) => format!("tell anew what is below {path}"),
        Action::AddObject { table, .. } => format!("make a row of {table}"),
        Action::DeleteObject(path) => format!("delete {path}"),
        Action::Download(file) => format!("fetch the file {} ({})", file.name, file.file_type),
        Action::Reboot => "start anew".to_owned(),
        Action::FactoryReset => "go back to what it was at the factory".to_owned(),
        Action::GetRpcMethods => "tell which RPCs it knows".to_owned(),
        Action::Provision(file) => format!("fetch its provisioning file {}", file.name),
        Action::SetAttributes(wishes) => {
            format!("change attributes of {}", count(wishes.len(), "parameter"))
        }
        Action::GetAttributes(paths) => format!("tell the attributes of {}", named(paths)),
        Action::Upload(wish) => format!("send its {}", wish.file_type),
        Action::ScheduleInform(seconds) => format!("inform in {seconds} s"),
        Action::ScheduleDownload(file, _) => {
            format!("fetch the file {} ({}) at a set time", file.name, file.file_type)
        }
        Action::CancelTransfer(task) => format!("give up the transfer of task {task}"),
        Action::GetQueuedTransfers | Action::GetAllQueuedTransfers => {
            "tell its queue of transfers".to_owned()
        }
        Action::ChangeDuState(wishes) => {
            format!("install, update or remove {}", count(wishes.len(), "deployment unit"))
        }
        Action::SetVouchers(vouchers) => format!("take {}", count(vouchers.len(), "voucher")),
        Action::GetOptions(option) if option.is_empty() => "tell its options".to_owned(),
        Action::GetOptions(option) => format!("tell its option {option}"),
        Action::Diagnose(diagnostic) => format!("run the diagnostic {}", diagnostic.kind.word()),
        Action::Redirect(to) => format!("open its next session at {}", to.url),
        Action::Converge(desired) => {
            let rows: usize = desired.tables.iter().map(|table| table.rows.len()).sum();
            format!(
                "be brought to {}, {} and {}",
                count(desired.values.len(), "value"),
                count(rows, "row"),
                count(desired.attributes.len(), "attribute")
            )
        }
    }
}

fn named(paths: &[crate::param::ParamPath]) -> String {
    let names: Vec<&str> = paths.iter().map(crate::param::ParamPath::as_str).collect();
    listed(&names)
}

/// What was decided of an unknown device.
pub(super) fn decided(id: &DeviceId, decision: &Decision) -> String {
    match decision {
        Decision::Waiting => format!("let the unknown device {id} wait"),
        Decision::Denied(_) => format!("turned the unknown device {id} away"),
        Decision::Adopted(_) => format!("took the unknown device {id} in"),
    }
}

/// What became of a token: the word and the sentence.
pub(super) fn token(before: Option<&TokenRecord>, token: &TokenRecord) -> (String, String) {
    let TokenRecord { id, name, role, .. } = token;
    let revoked = token.revoked_at.is_some() && before.is_some_and(|old| old.revoked_at.is_none());
    match before {
        None => {
            let whose = match &token.user {
                Some(user) => format!("{user}'s token"),
                None => "the token".to_owned(),
            };
            let reach = match &token.reach.tenant {
                Some(tenant) => format!(" of tenant {tenant}"),
                None => String::new(),
            };
            ("token.create".to_owned(), format!("made {whose} {name} ({id}), {role}{reach}"))
        }
        Some(_) if revoked => {
            ("token.revoke".to_owned(), format!("revoked the token {name} ({id})"))
        }
        Some(_) => ("token.change".to_owned(), format!("changed the token {name} ({id})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_told_without_a_subscribers_values() {
        let id = DeviceId::parse("00D09E-1").unwrap();
        let before = Labels { tags: ["a".into()].into(), site: "hq".into(), ..Labels::default() };
        let after = Labels {
            tags: ["a".into(), "gold".into()].into(),
            tenant: "north".into(),
            subscriber: [("pppoe_password".into(), "s3cret".into())].into(),
            ..Labels::default()
        };
        assert_eq!(
            labels(&id, &before, &after),
            "labelled device 00D09E-1: set the tags to a, gold; set the tenant to north; took it \
             from the site hq; changed pppoe_password of the subscriber"
        );
    }

    #[test]
    fn long_lists_are_counted() {
        let names: Vec<String> = (0..9).map(|n| format!("n{n}")).collect();
        assert_eq!(listed(&names), "n0, n1, n2, n3, n4 and 4 more");
        assert_eq!(listed(&["a"]), "a");
    }
}
