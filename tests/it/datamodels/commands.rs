//! `provost datamodel`, which needs no server; and models of the operator's own.

use crate::cli::provost;

use super::fixture;

#[tokio::test]
async fn a_model_is_compiled_checked_and_asked() {
    let folder = tempfile::tempdir().unwrap();
    let xml = fixture("acme.xml").display().to_string();
    let run =
        provost(folder.path(), &["--json", "datamodel", "import", &xml, "--out", "acme.txt"], "")
            .await;
    assert_eq!(run.code, 0, "{}", run.err);
    let told = run.json();
    assert_eq!((&told["model"], &told["objects"]), (&"X_ACME:1.0".into(), &2.into()));
    assert_eq!(told["parameters"], 4);
    let again =
        provost(folder.path(), &["datamodel", "import", "acme.txt", "--out", "-"], "").await;
    assert_eq!(again.out, std::fs::read_to_string(folder.path().join("acme.txt")).unwrap());
    for from in ["acme.txt", "."] {
        let shown = provost(
            folder.path(),
            &["datamodel", "show", "Device.X_ACME_Led.Colour", "--from", from],
            "",
        )
        .await;
        assert!(shown.out.contains("Blue & White"), "{}{}", shown.out, shown.err);
    }
}

#[tokio::test]
async fn what_is_compiled_in_is_shown_and_found() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &'static [&'static str]| provost(folder.path(), arguments, "");
    let table = run(&["datamodel", "show", "Device.WiFi.SSID.1."]).await;
    assert!(table.out.contains("PARAMETER") && table.out.contains("LowerLayers"), "{}", table.out);
    assert!(table.out.contains("Device.WiFi.SSID.{i}.Stats."), "{}", table.out);
    let facts = run(&["datamodel", "show", "Device.WiFi.SSID.1.SSID"]).await;
    assert!(facts.out.contains("..32"), "{}", facts.out);
    let found =
        run(&["datamodel", "search", "periodic", "interval", "--model", "Device:2.19"]).await;
    assert!(found.out.contains("Device.ManagementServer.PeriodicInformInterval"), "{}", found.out);
    let list = run(&["datamodel", "list"]).await;
    assert!(list.out.contains("7343") && list.out.contains("FAPService:2.1"), "{}", list.out);
    let notices = run(&["datamodel", "list", "--notices", "--model", "Device:2.19"]).await;
    assert!(notices.out.contains("Redistribution"), "{}", notices.out);
    let wrong = run(&["datamodel", "show", "Device.WiFi.SSID.1.SSDI"]).await;
    assert!(wrong.error().contains("Device.WiFi.SSID.{i}.SSID"), "{}", wrong.err);
    let no_model = run(&["datamodel", "search", "x", "--model", "Device:9"]).await;
    assert!(no_model.error().contains("Device:9"), "{}", no_model.err);
}

#[tokio::test]
async fn a_file_that_is_no_model_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("bad.txt"),
        "provost-datamodel\t1\nmodel\tX:1\nbelow\tDevice.\nDevice.\tR\n\tA\tW\tnumber\n",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("bad.xml"),
        "<document>\n<model name='a'>\n<oops></document>",
    )
    .unwrap();
    for (file, says) in [("bad.txt", "line 5: the type `number`"), ("bad.xml", "line 3")] {
        let run = provost(folder.path(), &["datamodel", "import", file], "").await;
        assert_eq!(run.code, 2, "{}", run.err);
        assert!(run.error().contains(says), "{}", run.err);
        let set = format!("datamodels.files=['{file}']");
        let arguments = ["serve", "--data", "data", "--set", &set];
        let serve = provost(folder.path(), &arguments, "").await;
        assert!(serve.error().contains(says), "{}", serve.err);
        assert!(serve.error().contains("datamodels.files"), "{}", serve.err);
    }
}
