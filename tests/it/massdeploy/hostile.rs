//! Any bytes whatever for the readers of mass deployments and templates.

use super::survives::survives;

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
