//! Transfers: what a device is asked to fetch, and what came of it.

use super::{Job, Work};
use crate::cwmp::{AcsRequest, CpeResponse, Download};
use crate::device::{Action, Outcome, Phase};
use crate::param::ParamPath;
use crate::plan::DownloadLink;
use crate::plan::context::{Answer, Context, failure};
use crate::plan::reader::Reader;

impl Job {
    /// Download.
    pub(super) fn transfer_request(&self) -> Result<AcsRequest, &'static str> {
        let action = &self.task.action;
        let link = self.link.as_ref().ok_or(match action {
            Action::Provision(_) => {
                "the phone is unknown or disabled, or the server has no door for phones"
            }
            _ => "the file is no longer stored, or the server has no door for files",
        })?;
        let key = self.task.command_key().into();
        Ok(AcsRequest::Download(Box::new(download(action, link, key))))
    }

    pub(super) fn after_download(&mut self, answer: Answer, root: &str, context: &mut Context<'_>) {
        match answer {
            Ok(CpeResponse::Download(response)) if response.status == 0 => {
                self.note("the device had the file and applied it at once".into());
                self.wait_for(Phase::ReadBack, context);
                self.work = Work::Version(version_reader(root));
            }
            Ok(CpeResponse::Download(_)) => {
                self.wait_for(Phase::Transfer, context);
                self.work = Work::Rest;
            }
            other => self.fail(other, context),
        }
    }

    /// The version was read: is it the one that the file was to bring?
    pub(super) fn conclude_download(&mut self, root: &str, context: &Context<'_>) {
        let version = match &self.task.action {
            Action::Download(file) => file.version.as_ref(),
            _ => None,
        };
        let found =
            context.tree.text(&format!("{root}DeviceInfo.SoftwareVersion")).unwrap_or_default();
        let outcome = match version {
            Some(wanted) if **wanted == *found => Outcome::Applied,
            Some(wanted) => Outcome::Failed(failure(format!(
                "the transfer is complete, but the device runs {found:?} and not {wanted:?}"
            ))),
            // Without a version there is nothing to compare: the device said
            // that it is done, and that is all that is known.
            None => Outcome::Accepted,
        };
        let note = format!("the device runs software version {found}");
        self.note(note.into());
        self.end(outcome, context);
    }
}

fn download(action: &Action, link: &DownloadLink, command_key: Box<str>) -> Download {
    // How large a file is that is made when it is fetched is not known before:
    // TR-069 §A.3.2.8 has 0 for that.
    let (file_type, file_size) = match action {
        Action::Download(file) => (file.file_type.clone(), file.size),
        Action::Provision(file) => (file.file_type.clone(), 0),
        _ => ("".into(), 0),
    };
    Download {
        command_key,
        file_type,
        url: link.url.clone(),
        username: link.username.clone(),
        password: link.password.clone(),
        file_size,
        target_file_name: "".into(),
        delay_seconds: 0,
    }
}

pub(super) fn version_reader(root: &str) -> Reader {
    let names = ParamPath::parse(&format!("{root}DeviceInfo.SoftwareVersion"));
    Reader::new(names.into_iter().collect())
}
