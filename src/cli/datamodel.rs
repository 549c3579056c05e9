//! `provost datamodel`: compiles data models, and looks things up in them. Works
//! on files and on what is compiled in, and needs no server.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::clean;
use super::output::{Output, cell, grid};
use super::{CliError, Global};
use crate::class::Class;
use crate::param::ParamPath;
use crate::schema::{self, Compiled, Misfit, ParameterModel};
use crate::server::{DatamodelFileError, datamodel_files, read_datamodel};

/// Data models: which parameters there are, and what their values may be
#[derive(Debug, Subcommand)]
pub(super) enum DatamodelCommand {
    /// Compile a flattened data model of the Broadband Forum, and check it
    Import {
        /// The XML file; a model in the compact form is checked
        file: PathBuf,
        /// Where to write the compact form; `-` is standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Show what the models say of an object or a parameter
    Show {
        /// As in Device.WiFi.SSID.1.SSID; row numbers do not matter
        path: String,
        #[command(flatten)]
        which: Which,
    },
    /// Find parameters and objects by parts of their names
    Search {
        /// All of them stand in what is found
        #[arg(required = true)]
        words: Vec<String>,
        #[command(flatten)]
        which: Which,
        /// How many are listed at most
        #[arg(long, default_value_t = 50, value_name = "COUNT")]
        limit: usize,
    },
    /// List the models, and under which terms they stand
    List {
        #[command(flatten)]
        which: Which,
        /// Print the notices of their owners in full
        #[arg(long)]
        notices: bool,
    },
}

/// Which models are asked.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Only this model, as in Device:2.19
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// A file or folder of models, beside those that the configuration names
    #[arg(long, value_name = "PATH")]
    from: Vec<PathBuf>,
}

/// What `provost datamodel` could not do.
#[derive(Debug, thiserror::Error)]
pub enum DatamodelError {
    /// A file is no data model.
    #[error(transparent)]
    File(#[from] DatamodelFileError),
    /// A path is known to no model.
    #[error("{path} {problem}")]
    Unknown {
        /// The path.
        path: String,
        /// What is nearest.
        problem: Misfit,
    },
    /// There is no model of that name.
    #[error("there is no model {0}; `provost datamodel list` lists them")]
    NoModel(String),
}

impl DatamodelError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::File(error) => error.class(),
            Self::Unknown { .. } | Self::NoModel(_) => Class::NotFound,
        }
    }
}

pub(super) fn run(
    command: DatamodelCommand,
    global: &Global,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        DatamodelCommand::Import { file, out } => import(&file, out.as_deref(), output),
        DatamodelCommand::Show { path, which } => {
            which.load(global)?;
            let bad = |_| CliError::BadArgument {
                argument: path.clone(),
                problem: "is no path, as in Device.WiFi.SSID.1.SSID",
            };
            let parsed = ParamPath::parse(&path).map_err(bad)?;
            let described = schema::describe(&parsed, which.model.as_deref())
                .map_err(|problem| DatamodelError::Unknown { path: clean(&path), problem })?;
            let value = serde_json::to_value(&described).unwrap_or_default();
            Ok(output.print(&value, show)?)
        }
        DatamodelCommand::Search { words, which, limit } => {
            which.load(global)?;
            let limit = limit.clamp(1, schema::MAX_FOUND);
            let mut found = schema::search(&words, which.model.as_deref(), limit + 1);
            let more = found.len() > limit;
            found.truncate(limit);
            let next = if more { json!(limit) } else { Value::Null };
            let columns =
                [("PATH", "path"), ("TYPE", "type"), ("ACCESS", "access"), ("MODEL", "model")];
            Ok(output.list(&json!({"items": found, "next": next}), &columns)?)
        }
        DatamodelCommand::List { which, notices } => {
            which.load(global)?;
            list(&which, notices, output)
        }
    }
}

impl Which {
    /// Adds the models of the configuration and of the options.
    fn load(&self, global: &Global) -> Result<(), CliError> {
        let config = global.config()?;
        let own = config.datamodels.files.iter().chain(&self.from);
        let mut models = Vec::new();
        for path in own {
            for file in datamodel_files(path).map_err(DatamodelError::from)? {
                models.push(read_datamodel(&file).map_err(DatamodelError::from)?.model);
            }
        }
        schema::add_models(models);
        match &self.model {
            Some(name) if !schema::models().any(|model| model.name() == name) => {
                Err(DatamodelError::NoModel(clean(name)).into())
            }
            _ => Ok(()),
        }
    }
}

fn import(file: &Path, out: Option<&Path>, output: &mut Output<'_>) -> Result<(), CliError> {
    let Compiled { model, left_out } = read_datamodel(file).map_err(DatamodelError::from)?;
    if out == Some(Path::new("-")) {
        return Ok(output.out.write_all(model.text().as_bytes())?);
    }
    if let Some(out) = out {
        std::fs::write(out, model.text())
            .map_err(|source| CliError::File { path: out.to_owned(), source })?;
    }
    let told = json!({
        "model": model.name(),
        "below": model.place().to_string(),
        "objects": model.object_count(),
        "parameters": model.parameter_count(),
        "types": model.types().map(|types| types.len()).unwrap_or_default(),
        "bytes": model.text().len(),
        "left_out": left_out,
    });
    Ok(output.record(&told)?)
}

fn list(which: &Which, notices: bool, output: &mut Output<'_>) -> Result<(), CliError> {
    let asked = |model: &&ParameterModel| {
        which.model.as_ref().is_none_or(|name| name.as_str() == model.name())
    };
    let models: Vec<&ParameterModel> = schema::models().filter(asked).collect();
    if notices && !output.json {
        for model in models {
            writeln!(output.out, "{} ({})\n", clean(model.name()), clean(model.source()))?;
            for line in model.notice() {
                writeln!(output.out, "  {}", clean(line))?;
            }
            writeln!(output.out)?;
        }
        return Ok(());
    }
    let one = |model: &&ParameterModel| {
        let notice: Vec<&str> = if notices { model.notice().collect() } else { Vec::new() };
        json!({
            "model": model.name(),
            "below": model.place().to_string(),
            "objects": model.object_count(),
            "parameters": model.parameter_count(),
            "source": model.source(),
            "notice": notice,
        })
    };
    let items: Vec<Value> = models.iter().map(one).collect();
    let columns = [
        ("MODEL", "model"),
        ("BELOW", "below"),
        ("OBJECTS", "objects"),
        ("PARAMETERS", "parameters"),
        ("SOURCE", "source"),
    ];
    Ok(output.list(&json!({"items": items, "next": null}), &columns)?)
}

fn show(out: &mut dyn Write, described: &Value) -> io::Result<()> {
    if described["what"] == "parameter" {
        return facts(out, described, &["what"]);
    }
    facts(out, described, &["what", "parameters", "objects"])?;
    let parameters = described["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        writeln!(out)?;
        let row = |one: &Value| {
            let path = one["path"].as_str().unwrap_or_default();
            let name = path.rsplit('.').next().unwrap_or(path);
            vec![clean(name), cell(&one["type_name"]), cell(&one["access"]), allowed(one)]
        };
        let rows: Vec<Vec<String>> = parameters.iter().map(row).collect();
        grid(out, &["PARAMETER", "TYPE", "ACCESS", "ALLOWED"], &rows)?;
    }
    let objects = described["objects"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !objects.is_empty() {
        writeln!(out, "\nOBJECTS")?;
    }
    for object in objects {
        writeln!(out, "{}", cell(object))?;
    }
    Ok(())
}

/// All facts that there are, one a line.
fn facts(out: &mut dyn Write, record: &Value, without: &[&str]) -> io::Result<()> {
    let fields = record.as_object().into_iter().flatten();
    for (name, value) in fields.filter(|(name, _)| !without.contains(&name.as_str())) {
        if *value != Value::Bool(false) {
            writeln!(out, "{:15}  {}", name.replace('_', " "), cell(value))?;
        }
    }
    Ok(())
}

/// What a value may be, in one cell.
fn allowed(parameter: &Value) -> String {
    let mut parts = Vec::new();
    if !parameter["list"].is_null() {
        parts.push("list".to_owned());
    }
    for name in ["range", "length"] {
        if let Some(text) = parameter[name].as_str() {
            parts.push(format!("{name} {text}"));
        }
    }
    let words = cell(&parameter["words"]);
    if !parameter["words"].is_null() {
        let short: String = words.chars().take(60).collect();
        let cut = if short.len() < words.len() { "…" } else { "" };
        parts.push(format!("{short}{cut}"));
    }
    if parameter["status"] != "current" {
        parts.push(cell(&parameter["status"]));
    }
    clean(&parts.join("; "))
}
