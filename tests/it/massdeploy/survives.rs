//! What must hold for any bytes whatever; the fuzz target runs the same.

use provost::provision::astlinux::{
    Context, Entry, Mode, Phone, Server, Template, add_passwords, render_phone, rows,
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
        let add = |text: &[u8]| {
            add_passwords(text, mode, || {
                Ok::<_, provost::provision::astlinux::MassError>("p".to_owned())
            })
        };
        if let Ok(added) = add(mass)
            && mode == Mode::Right
            && let Ok(again) = add(&added.text)
        {
            assert_eq!(again.count, 0);
        }
    }
}

const SEED: &[u8] = b"# c\nt 00:15:65:00:00:01 21/A_B<5>;22 p&;q a\n t\t00:15:65:00:00:02 *9\r\n\0menu_name=x\n\
    [general]\nvendor=@MAC@\nprov_path=/mnt/kd/phoneprov/../x\nprov_file=@EXT@\nauto_account_prefix=|&\n\
    [sip]\n#<21>@ACCOUNT@\n#<!21!22!>\\[x\n[phoneprov]\n[phoneprov]\n@PASSWORD@@EXT6@\n";

#[test]
fn the_seed_cut_at_every_byte_is_survived() {
    for end in 0..=SEED.len() {
        survives(&SEED[..end]);
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>) {
        survives(&bytes);
    }

    #[test]
    fn a_spoiled_seed_is_survived(
        spoils in proptest::collection::vec((0..SEED.len(), proptest::prelude::any::<u8>()), 1..12),
    ) {
        let mut bytes = SEED.to_vec();
        for (at, byte) in spoils {
            bytes[at] = byte;
        }
        survives(&bytes);
    }

    #[test]
    fn words_in_any_order_are_survived(
        words in "(t|00:15:65:00:00:0[1-9]|21|;|/|<|>|_|\\*| |\t|\n|\r|#|@EXT@|@ACCOUNT@|&|\\||\\\\|!|p){0,60}",
        template in "(\\[general\\]|\\[sip\\]|\\[phoneprov\\]|\n|#<|!|>|21|@[A-Z]{2,8}[1-6]?@|=|prov_file|vendor|\\.\\.|/| ){0,60}",
    ) {
        survives(format!("{words}\0[general]\n{template}").as_bytes());
    }
}
