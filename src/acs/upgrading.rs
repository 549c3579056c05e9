//! The firmware that profiles want a device to run: an ordinary Download, asked for
//! again after a pause if it did not help, and no more after some attempts.

use std::time::Duration;

use super::desiring::{Case, new_task};
use super::driver::Driver;
use super::settling::{Found, firmware_path};
use super::wanted::newest_file;
use crate::device::{Action, DownloadFile, Drift, FirmwareStanding, Outcome, Task, TaskState};
use crate::fleet::{Deed, back_off};
use crate::profile::{FirmwareTarget, Resolved};
use crate::store::{FileRecord, Record, StoreError};
use crate::time::Timestamp;

/// How often a file is looked for that is not stored.
const LOOK_FOR_FILE: Duration = Duration::from_secs(3_600);

/// `FileType` of firmware (TR-069 §A.3.2.8).
const FIRMWARE: &str = "1 Firmware Upgrade Image";

impl Driver {
    /// Asks for the Download of the firmware that is wanted, if it is time.
    pub(super) async fn upgrade(
        &mut self,
        case: &mut Case,
        resolved: &Resolved,
        found: &mut Found,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(target) = &resolved.firmware else { return Ok(()) };
        let path = firmware_path(&self.work.device.root);
        let Some((drift, deed)) = found.drifts.iter_mut().find(|(drift, _)| drift.path == path)
        else {
            return Ok(());
        };
        if *deed != Deed::Repair {
            return Ok(());
        }
        let known = case.compliance.firmware.take();
        let known = known.filter(|known| known.version == target.version && !case.asked);
        let mut standing = known.unwrap_or_else(|| FirmwareStanding {
            version: target.version.clone(),
            attempts: 0,
            retry_at: None,
            task: None,
        });
        let open = self.shared.store.open_tasks(&self.work.device.id).await?;
        let is_under_way = open.iter().any(|task| task.action.is_transfer());
        let waits = standing.retry_at.is_some_and(|at| now < at);
        if is_under_way || waits {
            case.compliance.firmware = Some(standing);
            return Ok(());
        }
        let bounds = self.bounds();
        if standing.attempts >= bounds.attempts {
            standing.retry_at = None;
            drift.held = self.why_in_vain(&standing).await?;
            *deed = Deed::Hold;
        } else {
            match newest_file(&*self.shared.store, |file| fitting(&file, target)).await? {
                None => {
                    standing.retry_at = Some(now.after(LOOK_FOR_FILE));
                    case.problems.push(no_file(target));
                }
                Some(file) => {
                    let strayed = drift.strayed;
                    let task = self.download(file, target, drift, now);
                    standing.attempts += 1;
                    standing.task = Some(task.id);
                    standing.retry_at =
                        Some(now.after(back_off(&bounds, standing.attempts, self.spread())));
                    self.shared.store.commit(Record::Task(Box::new(task)).into()).await?;
                    if strayed {
                        self.note_repair(path, now);
                    }
                }
            }
        }
        keep_drifts(case, found);
        case.compliance.firmware = Some(standing);
        Ok(())
    }

    fn download(
        &self,
        file: FileRecord,
        target: &FirmwareTarget,
        drift: &Drift,
        now: Timestamp,
    ) -> Task {
        let action = Action::Download(DownloadFile {
            sha256: file.sha256,
            file_type: file.file_type,
            name: file.name,
            size: file.size,
            version: Some(target.version.clone()),
        });
        let source = &drift.source;
        let by = format!("profile {} version {}", source.name, source.version);
        let task = new_task(&self.work.device.id, action, by.into(), now);
        Task { revision: 1, ..task }
    }

    /// How the last Download ended.
    async fn why_in_vain(&self, standing: &FirmwareStanding) -> Result<Box<str>, StoreError> {
        let last = match standing.task {
            Some(id) => self.shared.store.task(id).await?,
            None => None,
        };
        let how = match last.map(|task| task.state) {
            Some(TaskState::Ended { outcome: Outcome::Failed(fault), .. }) => {
                format!("the last failed: {} {}", fault.code, fault.text)
            }
            Some(TaskState::Ended { outcome: Outcome::Unknown(why), .. }) => {
                format!("of the last it is not known how it ended: {why}")
            }
            _ => "the device runs another version still".to_owned(),
        };
        let text = format!("{} downloads did not help; {how}", standing.attempts);
        Ok(text.chars().take(256).collect())
    }
}

/// What was held since it was compared.
fn keep_drifts(case: &mut Case, found: &Found) {
    for known in &mut case.compliance.drifts {
        if let Some((drift, _)) = found.drifts.iter().find(|(drift, _)| drift.path == known.path) {
            known.held.clone_from(&drift.held);
        }
    }
}

/// The file, if it was brought by those whose profile it is, and is the one that the
/// target names.
fn fitting(file: &FileRecord, target: &FirmwareTarget) -> Option<FileRecord> {
    file.brought_by(&target.tenant).filter(|file| fits(file, target))
}

/// Whether a stored file is the one that the target names: by its SHA-256, by its
/// name, or, if it names none, by the version that it brings.
fn fits(file: &FileRecord, target: &FirmwareTarget) -> bool {
    let brings = file.version.as_deref() == Some(&*target.version);
    if target.file.is_empty() {
        return brings && *file.file_type == *FIRMWARE;
    }
    file.sha256.eq_ignore_ascii_case(&target.file)
        || (file.name == target.file && (brings || file.version.is_none()))
}

fn no_file(target: &FirmwareTarget) -> Box<str> {
    if target.file.is_empty() {
        format!("no stored firmware file brings version {}: upload one", target.version).into()
    } else {
        format!("no stored file {} brings version {}: upload it", target.file, target.version)
            .into()
    }
}
