//! What must hold for any bytes whatever; the fuzz target runs the same.

use provost::param::ParamPath;
use provost::schema::{Asked, Known, ModelDraft, ParameterModel, read_model};

/// A file is compiled or refused. What was compiled reads back as the same, and
/// anything can be asked of it.
pub(crate) fn datamodel(bytes: &[u8]) {
    let Ok(compiled) = read_model(bytes.to_vec()) else { return };
    let text = compiled.model.text().to_owned();
    let read =
        ParameterModel::parse(text.clone(), true).unwrap_or_else(|error| panic!("{error}: {text}"));
    let draft = ModelDraft::of(&read).unwrap_or_else(|error| panic!("{error}: {text}"));
    let written = draft.write();
    let again = ParameterModel::parse(written.clone(), true)
        .unwrap_or_else(|error| panic!("{error}: {written}"));
    let second = ModelDraft::of(&again).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(second.write(), written, "a second time it is the same");
    for object in read.objects().take(50) {
        let _ = object.facts();
        for parameter in object.parameters().take(50) {
            let _ = (parameter.kind(), parameter.facts());
            if let Ok(path) = ParamPath::parse(&format!("{}{}", object.path(), parameter.name())) {
                let _ = Known::of_root("Device.").check(&path, Asked::Value("1"));
            }
        }
    }
}
