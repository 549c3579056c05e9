//! `provost massdeploy` and `provost phoneprov-build`: AstLinux mass deployment.
//!
//! Both take the options, say the words and end with the exit codes of AstLinux's
//! `phoneprov-massdeployment` and `phoneprov-build`, so that scripts and the web
//! interface can call them in their place. What is read and rendered is
//! [`crate::provision::astlinux`]; here files are read and written, the table is
//! kept, and Asterisk is told.
//!
//! Unless `--strict-compat` is given a run is whole or nothing: everything is
//! rendered and checked, then written beside the files it is to replace, and only
//! then put in their place. See [`whole`], and [`strict`] for the other way.

mod files;
mod listed;
mod options;
mod reload;
mod stop;
mod strict;
mod system;
mod table;
mod whole;

use std::io::{self, Read as _, Write};

use base64::Engine as _;

use self::files::FileSet;
use self::options::{Asked, Options};
use self::stop::{Failure, Stop};
use self::strict::Strict;
use self::system::System;
use self::whole::Whole;
use crate::cli::CliError;
use crate::provision::astlinux::{self, MassError, Mode, Row};

/// The largest mass-deployment file that is taken, in bytes; a little more than
/// what is read, so that the reader says what is wrong.
const MAX_FILE: u64 = (16 << 20) + 1;

/// Arguments of `provost massdeploy` and `provost phoneprov-build`.
///
/// They are read as the original's `getopt` does, not by clap: wrong usage ends
/// with 1 and a usage text on standard output.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(super) struct Args {
    /// The original's options and operands; `-h` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    words: Vec<String>,
}

/// Standard output and standard error. What is said to a closed pipe is lost;
/// the work goes on.
pub(super) struct Tell<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    /// Dots that were printed since the last flush.
    dots: usize,
}

impl Tell<'_> {
    fn out(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes());
    }

    fn err(&mut self, text: &str) {
        let _ = self.out.flush();
        let _ = writeln!(self.err, "{text}");
    }

    /// A phone is done.
    fn dot(&mut self) {
        self.out(".");
        self.dots += 1;
        if self.dots.is_multiple_of(64) {
            let _ = self.out.flush();
        }
    }
}

/// Runs `provost massdeploy`.
///
/// # Errors
/// [`CliError::Ended`] with the original's exit code, all having been said.
pub(super) fn mass(args: &Args) -> Result<(), CliError> {
    ended(args, deploy)
}

/// Runs `provost phoneprov-build`.
///
/// # Errors
/// As [`mass`].
pub(super) fn build(args: &Args) -> Result<(), CliError> {
    ended(args, build_one)
}

fn ended(args: &Args, run: fn(&[String], &mut Tell<'_>) -> u8) -> Result<(), CliError> {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let mut tell = Tell { out: &mut out, err: &mut err, dots: 0 };
    let code = run(&args.words, &mut tell);
    let _ = tell.out.flush();
    if code == 0 { Ok(()) } else { Err(CliError::Ended(code)) }
}

fn deploy(words: &[String], tell: &mut Tell<'_>) -> u8 {
    let options = match Options::parse(Asked::Deployment, words) {
        Ok(options) => options,
        Err(problem) => {
            tell.err(&format!("phoneprov-massdeployment: {problem}"));
            return Failure::from(Stop::Usage(Asked::Deployment)).told(None, tell);
        }
    };
    let file = options.operands.first().map(String::as_str);
    match deploy_with(&options, tell) {
        Ok(()) => 0,
        Err(failure) => {
            let place = if options.mode == Mode::Right { file } else { None };
            let code = failure.told(place, tell);
            failure.hint(tell);
            code
        }
    }
}

fn deploy_with(options: &Options, tell: &mut Tell<'_>) -> Result<(), Failure> {
    if options.help {
        return Err(Stop::Usage(Asked::Deployment).into());
    }
    let system = System::new(options)?;
    if options.only_reload {
        return reload::reload(&system, options.mode, tell);
    }
    let Some(file) = options.operands.first() else {
        return Err(Stop::Usage(Asked::Deployment).into());
    };
    let mut text = read(file)?;
    if options.list_phones {
        tell.out(&listed::list(&system, options, &text)?);
        return Ok(());
    }
    if options.auto_pass || options.only_pass {
        tell.out("Auto-generating password(s):\n");
        let added = astlinux::add_passwords(&text, options.mode, password)?;
        if added.count > 0 {
            text = added.text;
            replace(file, &text)?;
            tell.out("Missing password(s) were added to input file.\n");
        } else {
            tell.out("No missing password(s), input file left unchanged.\n");
        }
        if options.only_pass {
            return Ok(());
        }
    }
    tell.out("Generating Phone Provisioning files:\n");
    let rows =
        astlinux::rows(&text, options.mode).map_err(|error| Stop::Mass(error.to_string()))?;
    match options.mode {
        Mode::Right => Whole::new(&system, options).deploy(&rows, tell)?,
        Mode::Original => Strict::new(&system, options).deploy(&rows, tell)?,
    }
    tell.out("Done\n");
    if options.auto_reload {
        reload::reload(&system, options.mode, tell)?;
    }
    Ok(())
}

fn build_one(words: &[String], tell: &mut Tell<'_>) -> u8 {
    let mut run = || -> Result<(), Failure> {
        let options = Options::parse(Asked::Build, words).map_err(Stop::Option)?;
        if options.help {
            return Err(Stop::Usage(Asked::Build).into());
        }
        let mut list = options.operands.iter().map(String::as_str);
        let row = Row { number: 0, words: [(); 5].map(|()| list.next()) };
        let odd = |word: &&str| word.contains(|c: char| c.is_control());
        if options.mode == Mode::Right && row.words.iter().flatten().any(odd) {
            return Err(Stop::Build("an argument holds control characters".to_owned()).into());
        }
        let system = System::new(&options)?;
        match options.mode {
            Mode::Right => Whole::new(&system, &options).build(&row),
            Mode::Original => Strict::new(&system, &options).build(&row, tell),
        }
    };
    match run() {
        Ok(()) => 0,
        Err(failure) => failure.told(None, tell),
    }
}

/// Reads the mass-deployment file.
fn read(path: &str) -> Result<Vec<u8>, Failure> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Stop::Mass(format!("file not found: {path}")).into());
        }
        Err(error) => return Err(Stop::Mass(format!("{path}: {error}")).into()),
    };
    let mut text = Vec::new();
    let read = file.take(MAX_FILE).read_to_end(&mut text);
    read.map_err(|error| Stop::Mass(format!("{path}: {error}")))?;
    Ok(text)
}

/// Puts a new text in the place of the mass-deployment file.
fn replace(path: &str, text: &[u8]) -> Result<(), Failure> {
    let mut files = FileSet::new(None);
    files.put(path.as_ref(), text)?;
    files.commit()?.keep();
    Ok(())
}

/// A new password: 12 random bytes, 16 characters of Base64.
fn password() -> Result<String, Failure> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes)
        .map_err(|error| Stop::Mass(format!("the system has no randomness: {error}")))?;
    Ok(base64::engine::general_purpose::STANDARD.encode(bytes))
}

impl From<MassError> for Failure {
    fn from(error: MassError) -> Self {
        Stop::Mass(error.to_string()).into()
    }
}
