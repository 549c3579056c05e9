//! What the headers of a request say of its body, and what the body says when
//! they do not.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

use super::BulkError;

/// How a body is written.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// The encoding and its layout.
    pub layout: Layout,
    charset: &'static Encoding,
}

/// The encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// JSON; pairs and hierarchy are told apart by what stands there.
    Json,
    /// CSV.
    Csv {
        /// Which layout, if it is said.
        layout: Option<CsvLayout>,
        /// Whether the first row holds names, if it is said.
        header: Option<bool>,
    },
}

/// The layouts of CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsvLayout {
    /// A row for each parameter.
    ParameterPerRow,
    /// A column for each parameter, a row for each report.
    ParameterPerColumn,
}

impl Format {
    /// How a body is written, by the headers `Content-Type` and
    /// `BBF-Report-Format`, else by its first character.
    ///
    /// # Errors
    /// [`BulkError::UnknownFormat`].
    pub fn of(
        content_type: Option<&str>,
        report_format: Option<&str>,
        body: &[u8],
    ) -> Result<Self, BulkError> {
        let content_type = content_type.unwrap_or_default();
        let (media, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        let media = media.trim().to_ascii_lowercase();
        let charset = parameter(parameters, "charset")
            .and_then(|label| Encoding::for_label_no_replacement(label.as_bytes()))
            .unwrap_or(UTF_8);
        let charset = Encoding::for_bom(body).map_or(charset, |(encoding, _)| encoding);
        let layout = match layout_named(report_format.unwrap_or_default()) {
            Some(layout) => layout,
            None if media.contains("json") => Layout::Json,
            None if media.contains("csv") => Layout::Csv { layout: None, header: None },
            None => layout_of(body, charset)?,
        };
        let layout = match layout {
            Layout::Json => Layout::Json,
            Layout::Csv { layout, .. } => Layout::Csv {
                layout,
                header: parameter(parameters, "header")
                    .map(|said| said.eq_ignore_ascii_case("present")),
            },
        };
        Ok(Self { layout, charset })
    }

    /// The body as text. What is no text of its charset becomes U+FFFD.
    pub(super) fn text<'a>(&self, body: &'a [u8]) -> Cow<'a, str> {
        self.charset.decode_with_bom_removal(body).0
    }
}

/// The layout that `BBF-Report-Format` names, with quotes or without.
fn layout_named(name: &str) -> Option<Layout> {
    let name = name.trim().trim_matches(['"', '\'']).trim();
    let csv = |layout| Some(Layout::Csv { layout: Some(layout), header: None });
    match name.to_ascii_lowercase().as_str() {
        "namevaluepair" | "objecthierarchy" => Some(Layout::Json),
        "parameterperrow" => csv(CsvLayout::ParameterPerRow),
        "parameterpercolumn" => csv(CsvLayout::ParameterPerColumn),
        _ => None,
    }
}

/// What a body without headers looks like.
fn layout_of(body: &[u8], charset: &'static Encoding) -> Result<Layout, BulkError> {
    let head = body.get(..body.len().min(1024)).unwrap_or_default();
    let text = charset.decode_with_bom_removal(head).0;
    let text = text.trim_start();
    let line = text.lines().next().unwrap_or_default();
    if text.starts_with(['{', '[']) {
        Ok(Layout::Json)
    } else if line.contains("ReportTimestamp") || line.contains("ParameterName") {
        Ok(Layout::Csv { layout: None, header: None })
    } else {
        Err(BulkError::UnknownFormat)
    }
}

/// A parameter of a media type.
fn parameter<'a>(parameters: &'a str, wanted: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case(wanted)
            .then(|| value.trim().trim_matches(['"', '\'']).trim())
    })
}
