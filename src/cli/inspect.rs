//! `provost inspect`: decodes CWMP messages and says what each tells, or where
//! and why it is none. Works on files alone and needs no server.
//!
//! A file is a message in XML, or a captured HTTP request or response with its
//! headers; `-` is standard input. What the messages carry is told in counts and
//! names, never in values: many of them are secret.

mod capture;
mod words;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use self::capture::Capture;
use crate::class::Class;
use crate::cwmp::{
    CpeRequest, CpeResponse, Message, Parsed, ReadError, ReadLimits, Side, read, story,
};

/// The largest file that is taken, in bytes: a message and its headers.
const MAX_FILE: u64 = (64 << 20) + (64 << 10);

/// Arguments of `provost inspect`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Messages (.xml) or captured HTTP (.http); `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the final count only
    #[arg(long)]
    summary: bool,
}

/// What `provost inspect` ends with when not all was well.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// Some files hold no message; each was told of.
    #[error("{bad} of {files} files hold no CWMP message")]
    NoMessages {
        /// How many.
        bad: usize,
        /// Of how many.
        files: usize,
    },
    /// A file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl InspectError {
    /// What it means to whoever asked.
    pub fn class(&self) -> Class {
        match self {
            Self::NoMessages { .. } => Class::Failed,
            Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Class::NotFound
            }
            Self::File { .. } | Self::Output(_) => Class::Internal,
        }
    }
}

/// What was in the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files looked at.
    pub files: usize,
    /// Messages.
    pub messages: usize,
    /// Messages about which something was odd.
    pub odd: usize,
    /// Empty posts, which are legal and mean "nothing more to say".
    pub empty: usize,
    /// Files without a message.
    pub bad: usize,
}

/// Runs the command: tells of each file, then of all. With `json`, one object a
/// line.
///
/// # Errors
/// [`InspectError::NoMessages`] when at least one file holds no message, after
/// all were told of.
pub fn run(args: &Args, json: bool, out: &mut dyn Write) -> Result<Counts, InspectError> {
    let mut counts = Counts::default();
    for path in &args.files {
        let bytes =
            load(path).map_err(|source| InspectError::File { path: path.clone(), source })?;
        let found = look(&bytes);
        counts.add(&found);
        if !args.summary {
            found.tell(&path.display().to_string(), json, out)?;
        }
    }
    counts.tell(json, out)?;
    match counts.bad {
        0 => Ok(counts),
        bad => Err(InspectError::NoMessages { bad, files: counts.files }),
    }
}

fn load(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path)?)
    };
    // One byte more than is taken, so that the reader sees that it is too much.
    source.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What was found in one file.
enum Found {
    Message(Side, Box<Parsed>),
    Empty,
    Nothing { why: String, at: Option<Place> },
}

/// A place in a body.
struct Place {
    line: usize,
    byte: u64,
}

fn look(bytes: &[u8]) -> Found {
    let nothing = |why: String| Found::Nothing { why, at: None };
    match capture::split(bytes) {
        Capture::Body { body, charset } => look_at_body(&body, charset.as_deref()),
        Capture::Bare => look_at_body(bytes, None),
        Capture::Empty => Found::Empty,
        Capture::OtherRequest(line) => nothing(format!("an HTTP request of another kind: {line}")),
        Capture::MissingBody(length) => nothing(format!(
            "only the headers were captured; the body of {length} bytes is not in the file"
        )),
        Capture::Encoded(coding) => nothing(format!("the body is encoded as {coding}")),
    }
}

fn look_at_body(body: &[u8], charset: Option<&str>) -> Found {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Found::Empty;
    }
    match read_from_either(body, charset) {
        Ok((side, parsed)) => Found::Message(side, Box::new(parsed)),
        Err(error) => {
            let before = body.get(..usize::try_from(error.at).unwrap_or(usize::MAX));
            let lines = before.unwrap_or(body).iter().filter(|&&b| b == b'\n').count();
            let place = Place { line: lines + 1, byte: error.at };
            Found::Nothing { why: error.problem.to_string(), at: Some(place) }
        }
    }
}

/// Reads a body whoever wrote it: as a device's, unless only a server has such a
/// message.
fn read_from_either(body: &[u8], charset: Option<&str>) -> Result<(Side, Parsed), ReadError> {
    let limits = ReadLimits::default();
    let device = read(body, charset, Side::Cpe, &limits)?;
    let unknown = matches!(
        device.envelope.message,
        Message::CpeRequest(CpeRequest::Unknown(_)) | Message::CpeResponse(CpeResponse::Unknown(_))
    );
    if unknown
        && let Ok(server) = read(body, charset, Side::Acs, &limits)
        && words::is_known(&server.envelope.message)
    {
        return Ok((Side::Acs, server));
    }
    Ok((Side::Cpe, device))
}

impl Found {
    fn tell(&self, file: &str, json: bool, out: &mut dyn Write) -> io::Result<()> {
        if json {
            return writeln!(out, "{}", self.as_json(file));
        }
        let file = story::printable(file);
        match self {
            Self::Message(side, parsed) => {
                let from = if *side == Side::Cpe { "device" } else { "server" };
                writeln!(out, "{file}: {} ({from})", words::about(&parsed.envelope))?;
                for warning in &parsed.warnings {
                    writeln!(out, "  odd: {warning}")?;
                }
                Ok(())
            }
            Self::Empty => writeln!(out, "{file}: empty: nothing more to say"),
            Self::Nothing { why, at: None } => {
                writeln!(out, "{file}: no message: {}", story::printable(why))
            }
            Self::Nothing { why, at: Some(place) } => {
                let Place { line, byte } = place;
                let why = story::printable(why);
                writeln!(out, "{file}: no message: {why} (line {line}, byte {byte})")
            }
        }
    }

    fn as_json(&self, file: &str) -> serde_json::Value {
        match self {
            Self::Message(side, parsed) => {
                let envelope = &parsed.envelope;
                let warnings: Vec<String> =
                    parsed.warnings.iter().map(ToString::to_string).collect();
                json!({
                    "file": file,
                    "kind": "message",
                    "from": if *side == Side::Cpe { "device" } else { "server" },
                    "message": envelope.message.element(),
                    "id": envelope.id,
                    "namespace": envelope.namespace.as_str(),
                    "about": words::about(envelope),
                    "warnings": warnings,
                })
            }
            Self::Empty => json!({ "file": file, "kind": "empty" }),
            Self::Nothing { why, at } => json!({
                "file": file,
                "kind": "none",
                "why": why,
                "line": at.as_ref().map(|place| place.line),
                "byte": at.as_ref().map(|place| place.byte),
            }),
        }
    }
}

impl Counts {
    fn add(&mut self, found: &Found) {
        self.files += 1;
        match found {
            Found::Message(_, parsed) => {
                self.messages += 1;
                self.odd += usize::from(!parsed.warnings.is_empty());
            }
            Found::Empty => self.empty += 1,
            Found::Nothing { .. } => self.bad += 1,
        }
    }

    fn tell(&self, json: bool, out: &mut dyn Write) -> io::Result<()> {
        let Self { files, messages, odd, empty, bad } = self;
        if json {
            let counts = json!({
                "kind": "summary", "files": files, "messages": messages, "odd": odd,
                "empty": empty, "none": bad,
            });
            return writeln!(out, "{counts}");
        }
        writeln!(
            out,
            "{files} files: {messages} messages ({odd} with oddities), {empty} empty, {bad} without a message"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    /// Runs over files of these names and contents.
    fn told(files: &[(&str, &str)], options: &[&str], json: bool) -> (String, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let mut line = vec!["inspect".to_owned()];
        line.extend(options.iter().map(|&option| option.to_owned()));
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            line.push(path.display().to_string());
        }
        let line = <Line as clap::Parser>::try_parse_from(line).unwrap();
        let mut out = Vec::new();
        let error = run(&line.args, json, &mut out).err().map(|error| error.to_string());
        let folder = format!("{}/", folder.path().display());
        (String::from_utf8(out).unwrap().replace(&folder, ""), error)
    }

    const INFORM: &str = include_str!("../../tests/fixtures/cwmp/inform.xml");

    #[test]
    fn tells_what_each_file_holds() {
        let http = format!(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml; charset=utf-8\r\n\r\n{INFORM}"
        );
        let (out, error) = told(
            &[
                ("a.xml", INFORM),
                ("b.http", &http),
                ("c.http", "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
                ("d.xml", "<e:Envelope>\n<e:Body>\n</e:Bdy>"),
                ("e.http", "GET /fw.bin HTTP/1.1\r\nHost: x\r\n\r\n"),
            ],
            &[],
            false,
        );
        let lines: Vec<&str> = out.lines().collect();
        let inform = "Inform of 00D09E-HG-A1 (Acme), 2 PERIODIC; 1 parameters; id 42, \
                      urn:dslforum-org:cwmp-1-0 (device)";
        assert_eq!(lines[0], format!("a.xml: {inform}"));
        assert_eq!(lines[1], format!("b.http: {inform}"));
        assert_eq!(lines[2], "c.http: empty: nothing more to say");
        assert!(lines[3].starts_with("d.xml: no message: not well-formed XML: "), "{}", lines[3]);
        assert!(lines[3].ends_with("(line 3, byte 22)"), "{}", lines[3]);
        assert_eq!(
            lines[4],
            "e.http: no message: an HTTP request of another kind: GET /fw.bin HTTP/1.1"
        );
        assert_eq!(lines[5], "5 files: 2 messages (0 with oddities), 1 empty, 2 without a message");
        assert_eq!(error.as_deref(), Some("2 of 5 files hold no CWMP message"));
    }

    #[test]
    fn a_summary_is_one_line_and_success_when_all_is_well() {
        let (out, error) = told(&[("a.xml", INFORM)], &["--summary"], false);
        assert_eq!(out, "1 files: 1 messages (0 with oddities), 0 empty, 0 without a message\n");
        assert_eq!(error, None);
    }

    #[test]
    fn json_is_one_object_a_line() {
        let (out, _) = told(&[("a.xml", INFORM), ("b.xml", "<html/>")], &[], true);
        let lines: Vec<serde_json::Value> =
            out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["message"], "Inform");
        assert_eq!(lines[1]["kind"], "none");
        assert_eq!(lines[2]["messages"], 1);
    }

    #[test]
    fn texts_of_devices_cannot_reach_the_terminal_as_commands() {
        let hostile =
            INFORM.replace("Acme", "\u{9b}31m\u{202e}").replace("2 PERIODIC", "X &#x9b;2J");
        let (out, _) = told(&[("a.xml", &hostile)], &[], false);
        assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
        assert!(!out.contains('\u{202e}'), "{out:?}");
    }

    #[test]
    fn a_missing_file_is_told() {
        let line = <Line as clap::Parser>::try_parse_from(["inspect", "/nonexistent/x"]).unwrap();
        let error = run(&line.args, false, &mut Vec::new()).unwrap_err();
        assert_eq!(error.class(), Class::NotFound);
        assert!(error.to_string().contains("/nonexistent/x"));
    }
}
