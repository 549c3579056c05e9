//! What must hold for any bytes whatever; the fuzz target runs the same.

use provost::provision::astlinux::{
    Context, Entry, MassError, Mode, Phone, Server, Template, add_passwords, render_phone, rows,
};

/// The first line ends at the first zero byte: before it stands a mass-deployment
/// text, after it a template. Both readers give an answer in both modes, what they
/// took can be rendered, a phone's file lies below the base, and passwords are
/// missing no more once they were added.
pub(crate) fn survives(bytes: &[u8]) {
    let split = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (mass, template) = (&bytes[..split], bytes.get(split + 1..).unwrap_or_default());
    for mode in [Mode::Right, Mode::Original] {
        let server = Server::new("192.0.2.1");
        let Ok(rows) = rows(mass, mode) else { continue };
        let template = Template::parse_as(template, mode);
        for row in rows.iter().take(8) {
            let (Ok(entry), Ok(template)) = (Entry::new(row, mode), &template) else { continue };
            let phone = Phone::new(template, &entry, &server);
            for context in Context::GATHERED {
                let mut out = Vec::new();
                let _ = phone.render(context, &mut out);
                let _ = (phone.path(context), phone.asterisk_context(context));
            }
            assert!(!phone.has_rows() || phone.rows().count() >= 1);
            if let Ok(Some(file)) = render_phone(template, &entry, &server) {
                assert!(file.path.split('/').all(|part| !matches!(part, "" | "." | "..")));
            }
        }
        let add = |text: &[u8]| add_passwords(text, mode, || Ok::<_, MassError>("p".to_owned()));
        if let Ok(added) = add(mass)
            && mode == Mode::Right
            && let Ok(again) = add(&added.text)
        {
            assert_eq!(again.count, 0);
        }
    }
}
