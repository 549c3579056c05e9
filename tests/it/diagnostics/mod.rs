//! A whole run with the real binary: a gateway that finds things out, and a
//! member behind it.

use provost::device::DeviceIdentity;
use provost::simulate::Blueprint;

use crate::cli::provost;
use crate::lab::Lab;

fn identity(class: &str, serial: &str) -> DeviceIdentity {
    DeviceIdentity::new("", "00D09E", class, serial).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_and_its_member_on_the_command_line() {
    let lab = Lab::start().await;
    let gateway = Blueprint::device2("HOME", 80).unwrap();
    let home = gateway.identity().clone();
    let members = vec![identity("SimGateway", "TV"), identity("STB", "GONE")];
    let _gateway = lab.run(gateway.with_members(members).with_diagnostics().with_aliases()).await;
    let _member = lab.run(Blueprint::device2("TV", 80).unwrap().behind(home)).await;
    let data = lab.data();
    let run = async |arguments: &[&str]| {
        let mut all = vec!["--data", data.to_str().unwrap()];
        all.extend(arguments);
        provost(&data, &all, "").await
    };

    let told = run(&["device", "associations", "00D09E-SimGateway-HOME", "--json"]).await.json();
    let members = told["members"].as_array().unwrap();
    assert_eq!(members.len(), 2, "{told}");
    assert_eq!(members[0]["device"], "00D09E-SimGateway-TV");
    assert_eq!(
        (&members[0]["standing"], &members[0]["known"]),
        (&"confirmed".into(), &true.into())
    );
    assert_eq!(members[1]["standing"], "claimed by the gateway");
    assert_eq!(members[1]["known"], false);
    let shown = run(&["device", "associations", "00D09E-SimGateway-TV"]).await;
    assert!(shown.out.contains("gateway  00D09E-SimGateway-HOME  yes"), "{}", shown.out);

    let diagnose = ["device", "diagnose", "00D09E-SimGateway-HOME"];
    let route = run(&[&diagnose[..], &["traceroute", "--host", "example.net"]].concat()).await;
    assert_eq!(route.code, 0, "{}{}", route.out, route.err);
    assert!(route.out.contains("RouteHops\n#  "), "{}", route.out);
    assert!(route.out.contains("hop-3.example.net"), "{}", route.out);
    let fast = ["download", "--url", "http://example.net/x", "--json"];
    let fast = run(&[&diagnose[..], &fast].concat()).await.json();
    let results = fast["results"].as_array().unwrap();
    let throughput = results.iter().find(|one| one["name"] == "Derived.Throughput").unwrap();
    assert_eq!((&throughput["value"], &throughput["unit"]), (&"8000000".into(), &"bit/s".into()));
    let failed = run(&[&diagnose[..], &["ping", "--host", "nowhere.invalid"]].concat()).await;
    assert_eq!(failed.code, 6, "{}", failed.out);
    assert!(failed.error().contains("cannot resolve the host name"), "{}", failed.err);
    let refused = run(&[&diagnose[..], &["ping", "--host=-f"]].concat()).await;
    assert!(refused.code != 0 && refused.err.contains("must be a host name"), "{}", refused.err);

    let table = "Device.NAT.PortMapping.[web].";
    let port = format!("{table}ExternalPort");
    let made = run(&["device", "add", "00D09E-SimGateway-HOME", table, "ExternalPort=80"]).await;
    assert_eq!(made.code, 0, "{}{}", made.out, made.err);
    let read = run(&["device", "get", "00D09E-SimGateway-HOME", &port]).await;
    assert!(read.out.contains("Device.NAT.PortMapping.2.ExternalPort  80"), "{}", read.out);
    let all = "Device.NAT.PortMapping.*.ExternalPort";
    let read = run(&["device", "get", "00D09E-SimGateway-HOME", all]).await;
    assert_eq!(read.out.matches("ExternalPort").count(), 2, "{}{}", read.out, read.err);
}
