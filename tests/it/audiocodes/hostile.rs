//! Random and cut input.

use proptest::prelude::*;

use super::survives::file;

const OWN: &[u8] = include_bytes!("../../fixtures/audiocodes/00908F602AAC.cfg");

#[test]
fn a_file_may_be_cut_at_every_byte() {
    for at in 0..=OWN.len() {
        file(&OWN[..at]);
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        file(&bytes);
    }

    #[test]
    fn anything_of_the_files_kind(text in "(include |voip/line/0/|#|;|=|\n|\r|[a-z0-9 ]|;){0,40}") {
        file(text.as_bytes());
    }

    #[test]
    fn altered_files(at in 0..OWN.len(), to: u8) {
        let mut bytes = OWN.to_vec();
        bytes[at] = to;
        file(&bytes);
    }
}
