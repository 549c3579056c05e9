//! Transfers: what a device is asked to fetch or to send, now or in a window,
//! and what came of it.

use super::{Job, Work};
use crate::cwmp::{
    AcsRequest, CpeResponse, Download, ScheduleDownload, TimeWindow, TransferResponse, Upload,
};
use crate::device::{Action, Outcome, Phase, TransferWindow};
use crate::param::ParamPath;
use crate::plan::context::{Answer, Context, failure, mismatch};
use crate::plan::reader::Reader;
use crate::plan::{DownloadLink, check_windows};

impl Job {
    /// Download, Upload or ScheduleDownload.
    pub(super) fn transfer_request(&self) -> Result<AcsRequest, String> {
        let action = &self.task.action;
        let link = self.link.as_ref().ok_or(match action {
            Action::Provision(_) => {
                "the phone is unknown or disabled, or the server has no door for phones"
            }
            Action::Upload(_) => "the server has no door for files that devices send",
            _ => "the file is no longer stored, or the server has no door for files",
        })?;
        let command_key = self.task.command_key().into();
        // How large a file is that is made when it is fetched is not known
        // before: TR-069 §A.3.2.8 has 0 for that.
        Ok(match action {
            Action::Download(file) => {
                let file_type = file.file_type.clone();
                AcsRequest::Download(Box::new(download(link, command_key, file_type, file.size)))
            }
            Action::Provision(file) => {
                let file_type = file.file_type.clone();
                AcsRequest::Download(Box::new(download(link, command_key, file_type, 0)))
            }
            Action::Upload(wish) => AcsRequest::Upload(Box::new(Upload {
                command_key,
                file_type: wish.file_type.clone(),
                url: link.url.clone(),
                username: link.username.clone(),
                password: link.password.clone(),
                delay_seconds: wish.delay_seconds,
            })),
            Action::ScheduleDownload(file, windows) => {
                check_windows(windows).map_err(|error| error.to_string())?;
                AcsRequest::ScheduleDownload(Box::new(ScheduleDownload {
                    command_key,
                    file_type: file.file_type.clone(),
                    url: link.url.clone(),
                    username: link.username.clone(),
                    password: link.password.clone(),
                    file_size: file.size,
                    target_file_name: "".into(),
                    windows: windows.iter().map(window).collect(),
                }))
            }
            _ => return Err("it is no transfer".to_owned()),
        })
    }

    pub(super) fn after_transfer(&mut self, answer: Answer, root: &str, context: &mut Context<'_>) {
        match answer {
            Ok(CpeResponse::Download(TransferResponse { status: 0, .. }))
                if !matches!(self.task.action, Action::Upload(_)) =>
            {
                self.note("the device had the file and applied it at once".into());
                self.wait_for(Phase::ReadBack, context);
                self.work = Work::Version(version_reader(root));
            }
            // Whether the file is here is for the store to say.
            Ok(CpeResponse::Upload(TransferResponse { status: 0, .. })) => {
                self.note("the device says that it sent the file at once".into());
                self.wait_for(Phase::ReadBack, context);
                self.work = Work::Rest;
            }
            Ok(
                CpeResponse::Download(_) | CpeResponse::Upload(_) | CpeResponse::ScheduleDownload,
            ) => {
                self.wait_for(Phase::Transfer, context);
                self.work = Work::Rest;
            }
            Ok(_) => self.fail(Err(mismatch()), context),
            Err(fault) => self.fail(Err(fault), context),
        }
    }

    /// The version was read: is it the one that the file was to bring?
    pub(super) fn conclude_download(&mut self, root: &str, context: &Context<'_>) {
        let version = match &self.task.action {
            Action::Download(file) | Action::ScheduleDownload(file, _) => file.version.as_ref(),
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

fn download(
    link: &DownloadLink,
    command_key: Box<str>,
    file_type: Box<str>,
    file_size: u64,
) -> Download {
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

fn window(wish: &TransferWindow) -> TimeWindow {
    TimeWindow {
        start: wish.start,
        end: wish.end,
        mode: wish.mode.clone(),
        user_message: wish.user_message.clone(),
        max_retries: wish.max_retries,
    }
}

pub(super) fn version_reader(root: &str) -> Reader {
    let names = ParamPath::parse(&format!("{root}DeviceInfo.SoftwareVersion"));
    Reader::new(names.into_iter().collect())
}
