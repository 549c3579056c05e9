//! The operator's templates, in the real program.

use super::super::lab::{Lab, PATIENCE};

/// At start a broken template keeps the server from starting, and is named with
/// its line.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_template_is_named_at_start() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("templates/fanvil");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("own.rows"), "A=1\n{% if %}\n").unwrap();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_provost"));
    command.arg("serve").arg("--data").arg(data.path()).kill_on_drop(true);
    for door in
        ["cwmp.listen", "cwmp.tls_listen", "files.listen", "files.tls_listen", "northbound.listen"]
    {
        command.arg("--set").arg(format!("{door}=127.0.0.1:0"));
    }
    let output = tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("templates/fanvil/own.rows, line 2"), "{said}");
}

/// On SIGHUP the templates are read again; a broken one leaves the old ones.
#[tokio::test(flavor = "multi_thread")]
async fn templates_are_read_again_on_a_hang_up() {
    let lab = Lab::start().await;
    let folder = lab.data().join("templates/fanvil");
    std::fs::create_dir_all(&folder).unwrap();
    for (source, said) in
        [("A=1\n{% if %}\n", "the old templates stay"), ("A=1\n", "the templates were read again")]
    {
        std::fs::write(folder.join("lobby.rows"), source).unwrap();
        lab.hang_up().await;
        let wait = async {
            while !lab.log().contains(said) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    }
}
