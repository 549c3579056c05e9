//! Each intent on each data model, as tables.

use super::*;
use crate::intent::Standing;

const DEVICE: &str = "Device.";
const GATEWAY: &str = "InternetGatewayDevice.";

/// Two radios, a network for guests, and the network of the second band before
/// that of the first.
#[allow(clippy::too_many_lines, reason = "a table")]
fn tr181() -> Tree {
    tree(
        "Device.WiFi.Radio.1.Enable = true
        Device.WiFi.Radio.1.OperatingFrequencyBand = 5GHz
        Device.WiFi.Radio.1.Channel = 36
        Device.WiFi.Radio.1.AutoChannelEnable = true
        Device.WiFi.Radio.2.Enable = true
        Device.WiFi.Radio.2.OperatingFrequencyBand = 2.4GHz
        Device.WiFi.Radio.2.Channel = 6
        Device.WiFi.SSID.1.SSID = Five
        Device.WiFi.SSID.1.Enable = true
        Device.WiFi.SSID.1.LowerLayers = Device.WiFi.Radio.1.
        Device.WiFi.SSID.2.SSID = Two
        Device.WiFi.SSID.2.Enable = true
        Device.WiFi.SSID.2.LowerLayers = Device.WiFi.Radio.2
        Device.WiFi.SSID.3.SSID = Visitors
        Device.WiFi.SSID.3.Enable = false
        Device.WiFi.SSID.3.Alias = cpe-Guest24
        Device.WiFi.SSID.3.LowerLayers = Device.WiFi.Radio.2.
        Device.WiFi.AccessPoint.1.SSIDReference = Device.WiFi.SSID.1.
        Device.WiFi.AccessPoint.1.Enable = true
        Device.WiFi.AccessPoint.1.SSIDAdvertisementEnabled = true
        !Device.WiFi.AccessPoint.1.Security.ModesSupported = None,WPA2-Personal,WPA3-Personal
        Device.WiFi.AccessPoint.1.Security.ModeEnabled = WPA2-Personal
        Device.WiFi.AccessPoint.1.Security.KeyPassphrase =
        Device.WiFi.AccessPoint.1.Security.SAEPassphrase =
        Device.WiFi.AccessPoint.2.SSIDReference = Device.WiFi.SSID.2.
        Device.WiFi.AccessPoint.2.Enable = true
        Device.WiFi.AccessPoint.2.Security.ModeEnabled = None
        Device.WiFi.AccessPoint.2.Security.KeyPassphrase =
        Device.WiFi.AccessPoint.10.SSIDReference = Device.WiFi.SSID.3.
        Device.WiFi.AccessPoint.10.Security.ModeEnabled = WPA2-Personal
        Device.WiFi.AccessPoint.10.Security.KeyPassphrase =
        Device.PPP.Interface.1.Enable = false
        Device.PPP.Interface.1.Username = old
        Device.PPP.Interface.1.Password =
        Device.PPP.Interface.2.Enable = true
        Device.PPP.Interface.2.Username = inuse
        Device.PPP.Interface.2.Password =
        Device.Ethernet.Interface.1.Upstream = true
        Device.Ethernet.Interface.2.Upstream = false
        Device.Ethernet.Link.1.LowerLayers = Device.Ethernet.Interface.1.
        Device.Ethernet.Link.2.LowerLayers = Device.Ethernet.Interface.2.
        Device.Ethernet.VLANTermination.1.Enable = true
        Device.Ethernet.VLANTermination.1.VLANID = 5
        Device.Ethernet.VLANTermination.1.LowerLayers = Device.Ethernet.Link.2.
        Device.Ethernet.VLANTermination.2.Enable = true
        Device.Ethernet.VLANTermination.2.VLANID = 7
        Device.Ethernet.VLANTermination.2.LowerLayers = Device.Ethernet.Link.1.
        Device.DHCPv4.Server.Pool.1.Enable = true
        Device.DHCPv4.Server.Pool.1.Interface = Device.IP.Interface.2
        Device.DHCPv4.Server.Pool.1.DNSServers = 192.168.1.1
        Device.DHCPv4.Server.Pool.1.MinAddress = 192.168.1.10
        Device.DHCPv4.Server.Pool.1.MaxAddress = 192.168.1.99
        Device.DHCPv4.Server.Pool.1.SubnetMask = 255.255.255.0
        Device.IP.Interface.2.IPv4Address.1.IPAddress = 192.168.1.1
        Device.IP.Interface.2.IPv4Address.1.SubnetMask = 255.255.255.0
        Device.DNS.Client.Server.1.DNSServer = 192.0.2.1
        Device.DNS.Client.Server.1.Enable = true
        Device.Time.NTPServer1 = a.example
        Device.Time.NTPServer2 = b.example
        Device.Time.LocalTimeZone = UTC0
        Device.Time.Enable = false
        Device.Users.User.1.Username = support
        Device.Users.User.1.Password =
        Device.Users.User.2.Username = admin
        Device.Users.User.2.Password =
        Device.UserInterface.RemoteAccess.Enable = true
        Device.UserInterface.RemoteAccess.Port = 8080
        Device.ManagementServer.PeriodicInformInterval = 300
        Device.ManagementServer.PeriodicInformEnable = 0
        Device.Services.VoiceService.1.CallControl.Line.1.Enable = false
        Device.Services.VoiceService.1.CallControl.Line.1.DirectoryNumber = 100
        Device.Services.VoiceService.1.CallControl.Line.1.Provider = Device.Services.VoiceService.1.SIP.Client.2
        Device.Services.VoiceService.1.SIP.Client.1.AuthUserName = other
        Device.Services.VoiceService.1.SIP.Client.2.Enable = false
        Device.Services.VoiceService.1.SIP.Client.2.AuthUserName =
        Device.Services.VoiceService.1.SIP.Client.2.AuthPassword =
        Device.Services.VoiceService.1.SIP.Client.2.Network = Device.Services.VoiceService.1.SIP.Network.1.
        Device.Services.VoiceService.1.SIP.Network.1.RegistrarServer =
        Device.Services.VoiceService.1.SIP.Network.1.RegistrarServerPort = 5060",
    )
}

fn tr098() -> Tree {
    tree(
        "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.SSID = Two
        InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.Enable = 1
        InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.Channel = 6
        InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.AutoChannelEnable = 1
        !InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.Standard = b,g,n
        InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.BeaconType = 11i
        InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.KeyPassphrase =
        InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.PreSharedKey.1.KeyPassphrase =
        InternetGatewayDevice.LANDevice.1.WLANConfiguration.5.SSID = Five
        InternetGatewayDevice.LANDevice.1.WLANConfiguration.5.Channel = 0
        !InternetGatewayDevice.LANDevice.1.WLANConfiguration.5.PossibleChannels = 36,40,44,48
        InternetGatewayDevice.LANDevice.1.WLANConfiguration.5.BeaconType = 11i
        InternetGatewayDevice.LANDevice.1.WLANConfiguration.5.KeyPassphrase =
        InternetGatewayDevice.LANDevice.1.LANHostConfigManagement.DNSServers = 192.168.1.1
        InternetGatewayDevice.LANDevice.1.LANHostConfigManagement.MinAddress = 192.168.1.2
        InternetGatewayDevice.LANDevice.1.LANHostConfigManagement.MaxAddress = 192.168.1.9
        InternetGatewayDevice.LANDevice.1.LANHostConfigManagement.SubnetMask = 255.255.255.0
        InternetGatewayDevice.LANDevice.1.LANHostConfigManagement.IPInterface.1.IPInterfaceIPAddress = 192.168.1.1
        InternetGatewayDevice.LANDevice.1.LANHostConfigManagement.IPInterface.1.IPInterfaceSubnetMask = 255.255.255.0
        InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.Enable = 1
        InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.Username = u
        InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.Password =
        InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.DNSServers =
        InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.DNSOverrideAllowed = 1
        InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.X_HW_VLAN = 100
        InternetGatewayDevice.Time.NTPServer1 = pool.example
        InternetGatewayDevice.Time.LocalTimeZone = +00:00
        InternetGatewayDevice.LANConfigSecurity.ConfigPassword =
        InternetGatewayDevice.ManagementServer.PeriodicInformInterval = 300
        InternetGatewayDevice.Services.VoiceService.1.VoiceProfile.1.SIP.RegistrarServer =
        InternetGatewayDevice.Services.VoiceService.1.VoiceProfile.1.SIP.UserAgentDomain =
        InternetGatewayDevice.Services.VoiceService.1.VoiceProfile.1.Line.1.Enable = Disabled
        InternetGatewayDevice.Services.VoiceService.1.VoiceProfile.1.Line.1.SIP.AuthUserName =
        InternetGatewayDevice.Services.VoiceService.1.VoiceProfile.1.Line.2.Enable = Disabled
        InternetGatewayDevice.Services.VoiceService.1.VoiceProfile.1.Line.2.DirectoryNumber =
        InternetGatewayDevice.Services.VoiceService.1.VoiceProfile.1.Line.2.SIP.AuthUserName =
        InternetGatewayDevice.Services.VoiceService.1.VoiceProfile.1.Line.2.SIP.AuthPassword =",
    )
}

fn check(root: &str, tree: &Tree, intent: &str, expected: &[&str]) {
    let head = |line: &str| line.strip_prefix(root).unwrap_or(line).to_owned();
    let writes: Vec<String> =
        writes(ask(intent, &known(root, tree))).iter().map(|line| head(line)).collect();
    assert_eq!(writes, expected, "{intent}");
}

#[test]
fn wifi_follows_the_references_of_tr_181() {
    let tree = tr181();
    let check = |intent: &str, expected: &[&str]| check(DEVICE, &tree, intent, expected);
    check(r#"{"intent":"wifi","band":"5GHz","name":"Home"}"#, &["WiFi.SSID.1.SSID=Home"]);
    check(r#"{"intent":"wifi","band":"2.4GHz","name":"Home"}"#, &["WiFi.SSID.2.SSID=Home"]);
    check(
        r#"{"intent":"wifi","name":"Home"}"#,
        &["WiFi.SSID.1.SSID=Home", "WiFi.SSID.2.SSID=Home"],
    );
    check(
        r#"{"intent":"wifi","network":"guest","name":"In","enabled":true}"#,
        &["WiFi.SSID.3.Enable=1", "WiFi.SSID.3.SSID=In"],
    );
    check(
        r#"{"intent":"wifi","band":"2.4GHz","network":2,"password":"12345678"}"#,
        &["WiFi.AccessPoint.10.Security.KeyPassphrase=12345678"],
    );
    check(
        r#"{"intent":"wifi","band":"5GHz","password":"12345678"}"#,
        &[
            "WiFi.AccessPoint.1.Security.KeyPassphrase=12345678",
            "WiFi.AccessPoint.1.Security.SAEPassphrase=12345678",
        ],
    );
    check(
        r#"{"intent":"wifi","band":"5GHz","channel":44,"hidden":true}"#,
        &[
            "WiFi.AccessPoint.1.SSIDAdvertisementEnabled=0",
            "WiFi.Radio.1.AutoChannelEnable=0",
            "WiFi.Radio.1.Channel=44",
        ],
    );
    check(
        r#"{"intent":"wifi","band":"2.4GHz","security":"wpa2","password":"12345678"}"#,
        &[
            "WiFi.AccessPoint.2.Security.KeyPassphrase=12345678",
            "WiFi.AccessPoint.2.Security.ModeEnabled=WPA2-Personal",
        ],
    );
}

#[test]
fn wifi_finds_the_bands_of_tr_098_by_what_tells_them() {
    let tree = tr098();
    let check = |intent: &str, expected: &[&str]| check(GATEWAY, &tree, intent, expected);
    check(
        r#"{"intent":"wifi","band":"2.4GHz","name":"Home","password":"12345678"}"#,
        &[
            "LANDevice.1.WLANConfiguration.1.PreSharedKey.1.KeyPassphrase=12345678",
            "LANDevice.1.WLANConfiguration.1.SSID=Home",
        ],
    );
    check(
        r#"{"intent":"wifi","band":"5GHz","name":"Home","password":"12345678"}"#,
        &[
            "LANDevice.1.WLANConfiguration.5.KeyPassphrase=12345678",
            "LANDevice.1.WLANConfiguration.5.SSID=Home",
        ],
    );
    check(
        r#"{"intent":"wifi","band":"2.4GHz","channel":11}"#,
        &[
            "LANDevice.1.WLANConfiguration.1.AutoChannelEnable=0",
            "LANDevice.1.WLANConfiguration.1.Channel=11",
        ],
    );
}

#[test]
fn the_other_intents_stand_in_tr_181() {
    let tree = tr181();
    let check = |intent: &str, expected: &[&str]| check(DEVICE, &tree, intent, expected);
    check(
        r#"{"intent":"pppoe","username":"u@isp","password":"p"}"#,
        &["PPP.Interface.2.Password=p", "PPP.Interface.2.Username=u@isp"],
    );
    check(r#"{"intent":"pppoe","connection":1,"username":"x"}"#, &["PPP.Interface.1.Username=x"]);
    check(r#"{"intent":"vlan","id":35}"#, &["Ethernet.VLANTermination.2.VLANID=35"]);
    check(
        r#"{"intent":"dns","lan":["192.0.2.1","192.0.2.2"]}"#,
        &["DHCPv4.Server.Pool.1.DNSServers=192.0.2.1,192.0.2.2"],
    );
    check(
        r#"{"intent":"time","servers":["ntp.example"],"zone":"Europe/Vienna","enabled":true}"#,
        &[
            "Time.Enable=1",
            "Time.LocalTimeZone=CET-1CEST,M3.5.0,M10.5.0/3",
            "Time.NTPServer1=ntp.example",
            "Time.NTPServer2=",
        ],
    );
    check(r#"{"intent":"admin-password","password":"x"}"#, &["Users.User.2.Password=x"]);
    check(
        r#"{"intent":"admin-password","user":"support","password":"x"}"#,
        &["Users.User.1.Password=x"],
    );
    check(
        r#"{"intent":"sip","registrar":"pbx.example","user":"100","password":"s","enabled":true}"#,
        &[
            "Services.VoiceService.1.CallControl.Line.1.Enable=1",
            "Services.VoiceService.1.SIP.Client.2.AuthPassword=s",
            "Services.VoiceService.1.SIP.Client.2.AuthUserName=100",
            "Services.VoiceService.1.SIP.Client.2.Enable=1",
            "Services.VoiceService.1.SIP.Network.1.RegistrarServer=pbx.example",
        ],
    );
    check(
        r#"{"intent":"lan","address":"10.0.0.1","mask":"255.0.0.0","dhcp_first":"10.0.0.2","dhcp":false}"#,
        &[
            "DHCPv4.Server.Pool.1.Enable=0",
            "DHCPv4.Server.Pool.1.MinAddress=10.0.0.2",
            "DHCPv4.Server.Pool.1.SubnetMask=255.0.0.0",
            "IP.Interface.2.IPv4Address.1.IPAddress=10.0.0.1",
            "IP.Interface.2.IPv4Address.1.SubnetMask=255.0.0.0",
        ],
    );
    check(
        r#"{"intent":"remote-access","enabled":false}"#,
        &["UserInterface.RemoteAccess.Enable=0"],
    );
    check(
        r#"{"intent":"inform","interval":900}"#,
        &["ManagementServer.PeriodicInformEnable=1", "ManagementServer.PeriodicInformInterval=900"],
    );
}

#[test]
fn the_other_intents_stand_in_tr_098() {
    let tree = tr098();
    let check = |intent: &str, expected: &[&str]| check(GATEWAY, &tree, intent, expected);
    let ppp = "WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.";
    check(
        r#"{"intent":"pppoe","username":"n","password":"p"}"#,
        &[&format!("{ppp}Password=p"), &format!("{ppp}Username=n")],
    );
    check(r#"{"intent":"vlan","id":35}"#, &[&format!("{ppp}X_HW_VLAN=35")]);
    // Each field by its own way.
    check(
        r#"{"intent":"dns","lan":"192.0.2.1","wan":"192.0.2.9"}"#,
        &[
            "LANDevice.1.LANHostConfigManagement.DNSServers=192.0.2.1",
            &format!("{ppp}DNSOverrideAllowed=0"),
            &format!("{ppp}DNSServers=192.0.2.9"),
        ],
    );
    check(
        r#"{"intent":"time","zone":"America/New_York","servers":"a.example"}"#,
        &["Time.LocalTimeZone=-05:00", "Time.NTPServer1=a.example"],
    );
    check(r#"{"intent":"admin-password","password":"x"}"#, &["LANConfigSecurity.ConfigPassword=x"]);
    let profile = "Services.VoiceService.1.VoiceProfile.1.";
    check(
        r#"{"intent":"sip","line":2,"registrar":"pbx","number":"7","password":"s","enabled":true}"#,
        &[
            &format!("{profile}Line.2.DirectoryNumber=7"),
            &format!("{profile}Line.2.Enable=Enabled"),
            &format!("{profile}Line.2.SIP.AuthPassword=s"),
            &format!("{profile}SIP.RegistrarServer=pbx"),
        ],
    );
    check(
        r#"{"intent":"lan","address":"10.0.0.1","dhcp_last":"10.0.0.9"}"#,
        &[
            "LANDevice.1.LANHostConfigManagement.IPInterface.1.IPInterfaceIPAddress=10.0.0.1",
            "LANDevice.1.LANHostConfigManagement.MaxAddress=10.0.0.9",
        ],
    );
}

#[test]
fn name_servers_of_tr_181_are_rows_of_a_table() {
    let tree = tr181();
    let answer = ask(r#"{"intent":"dns","wan":"192.0.2.1,192.0.2.2"}"#, &known(DEVICE, &tree));
    let desired = wanted(answer).desired;
    assert!(desired.values.is_empty());
    let table = &desired.tables[0];
    assert_eq!(&*table.table, "Device.DNS.Client.Server.");
    assert_eq!(table.keys, ["DNSServer".into()]);
    assert_eq!(table.rows.len(), 2);
}

#[test]
fn what_a_device_lacks_is_not_supported_and_the_answer_says_why() {
    let (new, old) = (tr181(), tr098());
    let bare = tree("Device.DeviceInfo.SerialNumber = 1");
    for (root, tree, intent, why) in [
        (DEVICE, &new, r#"{"intent":"wifi","band":"6GHz","name":"x"}"#, "no network of 6GHz"),
        (DEVICE, &new, r#"{"intent":"wifi","band":"5GHz","network":"guest","name":"x"}"#, "guests"),
        (DEVICE, &new, r#"{"intent":"wifi","network":9,"name":"x"}"#, "no network 9"),
        (
            DEVICE,
            &new,
            r#"{"intent":"wifi","band":"2.4GHz","password":"12345678"}"#,
            "security is None",
        ),
        (
            DEVICE,
            &new,
            r#"{"intent":"wifi","band":"5GHz","security":"wpa2-wpa3"}"#,
            "offers None,WPA2",
        ),
        (DEVICE, &new, r#"{"intent":"vlan","connection":3,"id":7}"#, "no connection 3"),
        (DEVICE, &new, r#"{"intent":"sip","line":2,"user":"x"}"#, "no line 2"),
        (DEVICE, &new, r#"{"intent":"sip","uri":"sip:a@b"}"#, "no Device.Services"),
        (DEVICE, &new, r#"{"intent":"time","servers":"a,b,c"}"#, "takes 2, not 3"),
        (
            DEVICE,
            &new,
            r#"{"intent":"admin-password","user":"root","password":"x"}"#,
            "no user root",
        ),
        (DEVICE, &bare, r#"{"intent":"wifi","name":"x"}"#, "no Device.WiFi."),
        (DEVICE, &bare, r#"{"intent":"pppoe","username":"x"}"#, "no Device.PPP."),
        (GATEWAY, &old, r#"{"intent":"remote-access","enabled":false}"#, "UserInterface"),
        (GATEWAY, &old, r#"{"intent":"wifi","security":"wpa3"}"#, "nothing that it can be"),
        ("Other.", &bare, r#"{"intent":"pppoe","username":"x"}"#, "data model Other."),
    ] {
        match ask(intent, &known(root, tree)) {
            Answer::NotSupported(answer) => {
                let text = answer.to_string();
                assert!(
                    text.starts_with("not supported") && text.contains(why),
                    "{intent}: {text}"
                );
            }
            other => panic!("{intent}: {other:?}"),
        }
    }
}

#[test]
fn what_a_device_calls_read_only_is_not_supported() {
    let tree = tree(
        "Device.PPP.Interface.1.Enable = true
        !Device.PPP.Interface.1.Username = fixed
        Device.PPP.Interface.1.Password =",
    );
    let Answer::NotSupported(answer) =
        ask(r#"{"intent":"pppoe","username":"x","password":"y"}"#, &known(DEVICE, &tree))
    else {
        panic!("all or nothing")
    };
    assert!(answer.why.contains("read-only"), "{answer}");
    assert_eq!(answer.field.unwrap().name, "username");
}

#[test]
fn what_was_never_asked_is_not_known_yet_and_the_answer_says_what_to_read() {
    let nothing = Tree::new();
    let informed = tree("?Device.DeviceInfo.SerialNumber");
    let unread = tree(
        "?Device.WiFi.Radio.1.OperatingFrequencyBand
        ?Device.WiFi.Radio.2.OperatingFrequencyBand
        Device.WiFi.SSID.1.SSID = a
        Device.WiFi.SSID.1.LowerLayers = Device.WiFi.Radio.1.
        Device.WiFi.SSID.2.SSID = b
        Device.WiFi.SSID.2.LowerLayers = Device.WiFi.Radio.2.
        Device.WiFi.AccessPoint.1.SSIDReference = Device.WiFi.SSID.1.
        Device.WiFi.AccessPoint.2.SSIDReference = Device.WiFi.SSID.2.",
    );
    let mut inform = Tree::new();
    let external = "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.ExternalIPAddress";
    inform.learn_value(&path(external), Value::string("192.0.2.1"), NOW);
    for (root, tree, whole, intent, paths) in [
        ("", &nothing, false, r#"{"intent":"wifi","name":"x"}"#, vec![]),
        (DEVICE, &nothing, false, r#"{"intent":"wifi","name":"x"}"#, vec!["Device.WiFi."]),
        (DEVICE, &informed, true, r#"{"intent":"inform","interval":9}"#, vec![]),
        (
            DEVICE,
            &unread,
            true,
            r#"{"intent":"wifi","band":"5GHz","name":"x"}"#,
            vec![
                "Device.WiFi.Radio.1.OperatingFrequencyBand",
                "Device.WiFi.Radio.2.OperatingFrequencyBand",
            ],
        ),
        (
            GATEWAY,
            &inform,
            false,
            r#"{"intent":"pppoe","username":"x"}"#,
            vec!["InternetGatewayDevice.WANDevice."],
        ),
    ] {
        match ask(intent, &Known { whole, ..known(root, tree) }) {
            Answer::NotKnownYet(answer) => {
                let named: Vec<&str> = answer.paths.iter().map(ParamPath::as_str).collect();
                assert_eq!(named, paths, "{intent}");
            }
            Answer::NotSupported(_) if whole && paths.is_empty() => {}
            other => panic!("{intent}: {other:?}"),
        }
    }
}

#[test]
fn one_of_several_is_not_guessed() {
    let tree = tree(
        "Device.PPP.Interface.1.Enable = true
        Device.PPP.Interface.1.Username = a
        Device.PPP.Interface.2.Enable = true
        Device.PPP.Interface.2.Username = b",
    );
    let Answer::Unclear(answer) =
        ask(r#"{"intent":"pppoe","username":"x"}"#, &known(DEVICE, &tree))
    else {
        panic!("a guess")
    };
    assert_eq!(answer.to_string(), "pppoe: say which connection: 1, 2");
}

#[test]
fn an_operators_way_goes_before_and_may_say_a_single_field() {
    let own = Ways::read(
        "[[way]]
        intent = 'wifi'
        name = 'Box'
        root = 'InternetGatewayDevice.'
        product_class = ['BOX*']
        [[way.row]]
        name = 'network'
        table = 'LANDevice.*.WLANConfiguration.'
        [way.choose]
        how = 'bands'
        guest = []
        evidence = [{ path = '{network}Channel', words = { '6' = '2.4GHz', '0' = '5GHz' } }]
        [[way.field]]
        name = 'password'
        path = ['{network}KeyPassphrase']",
    )
    .unwrap();
    let ways = own.before(Ways::core());
    let intent = r#"{"intent":"wifi","band":"2.4GHz","name":"n","password":"12345678"}"#;
    let intent = Intent::from_json(&serde_json::from_str(intent).unwrap()).unwrap();
    let tree = tr098();
    let known = known(GATEWAY, &tree);
    let resolution = wanted(ways.resolve(&intent, &known, source()));
    let touched: Vec<(&str, &str)> =
        resolution.touched.iter().map(|one| (one.field.name, one.way.as_str())).collect();
    assert_eq!(touched, [("password", "Box"), ("name", "TR-098")]);
    let other = Known { product_class: "Other", ..known };
    let resolution = wanted(ways.resolve(&intent, &other, source()));
    assert!(resolution.touched.iter().all(|one| one.way == "TR-098"));
}

#[test]
fn abilities_tell_the_present_values_by_band() {
    let tree = tr181();
    let abilities = Ways::core().abilities(&known(DEVICE, &tree));
    let wifi = &abilities[0];
    assert_eq!((wifi.intent.word, &wifi.standing), ("wifi", &Standing::Supported));
    let told: Vec<(String, Option<&str>)> = wifi
        .items
        .iter()
        .map(|item| {
            let which: Vec<&str> = item.which.iter().map(|(_, one)| one.as_str()).collect();
            let name = item.fields.iter().find(|field| field.field.name == "name").unwrap();
            (which.join(" "), name.value.as_deref())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("2.4GHz main".to_owned(), Some("Two")),
            ("2.4GHz guest".to_owned(), Some("Visitors")),
            ("5GHz main".to_owned(), Some("Five")),
        ]
    );
    let words: Vec<(&str, &str)> =
        abilities.iter().map(|one| (one.intent.word, one.standing.word())).collect();
    assert!(words.iter().all(|(_, standing)| *standing == "supported"), "{words:?}");
    let empty = Tree::new();
    for ability in Ways::core().abilities(&Known { whole: false, ..known(DEVICE, &empty) }) {
        assert_eq!(ability.standing.word(), "not_known_yet", "{}", ability.intent.word);
    }
}
