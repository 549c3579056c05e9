//! What is run, and on what: a line each. The bodies are those of the fuzz
//! targets.

use std::path::Path;

use provost::stun::{Kind, Padding, Transaction, Writer};

use super::bodies;

/// One target.
pub(crate) struct Target {
    /// As the fuzz target is called.
    pub(crate) name: &'static str,
    /// What must hold for any bytes; panics where it does not.
    pub(crate) body: fn(&[u8]),
    /// Sound inputs.
    pub(crate) fixtures: fn() -> Vec<Vec<u8>>,
    /// What readers take note of.
    pub(crate) tokens: &'static [&'static str],
    /// Whether it stands where any device can reach it, and is run for the whole
    /// time; the others for a twelfth of it.
    pub(crate) whole: bool,
}

/// All of them.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "envelope",
        body: bodies::cwmp::survives,
        fixtures: || files("cwmp"),
        tokens: ENVELOPE,
        whole: true,
    },
    Target {
        name: "digest",
        body: bodies::http::digest,
        fixtures: || texts(DIGESTS),
        tokens: &[
            "Digest ",
            "Basic ",
            "nonce=\"",
            "algorithm=SHA-256-sess",
            "qop=\"auth\"",
            "\\\"",
        ],
        whole: true,
    },
    Target {
        name: "stun",
        body: bodies::stun::stun,
        fixtures: stun,
        tokens: &["\0\x06\0\x04", "\0\x08\0\x14", "\0\x03\0\x04\0\0\0\x06", "\0\x02\0\x08\0\x01"],
        whole: true,
    },
    Target {
        name: "xmpp_stream",
        body: bodies::xmpp::survives,
        fixtures: || texts(XMPP),
        tokens: &[
            "<iq type='get' id='1' from='a@b/c'>",
            "</iq>",
            "<stream:error>",
            "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>",
            "<ping xmlns='urn:xmpp:ping'/>",
            "<![CDATA[",
            "&amp;",
            "xmlns:a='u'",
            "i=4096",
        ],
        whole: true,
    },
    Target {
        name: "bulk_report",
        body: bodies::bulk::bulk_report,
        fixtures: || texts(BULK),
        tokens: &[
            "{\"Report\":[",
            "\"CollectionTime\":",
            "Device.",
            "ReportTimestamp,",
            "ParameterName",
            "\"\"",
            "[[[[",
            "\\ud800",
        ],
        whole: true,
    },
    Target {
        name: "lightweight",
        body: bodies::bulk::lightweight,
        fixtures: || texts(LIGHTWEIGHT),
        tokens: &["\r\n\r\n", "Signature: ", "<Param>", "<!DOCTYPE", "<![CDATA[", "&#0;"],
        whole: true,
    },
    Target {
        name: "certificate",
        body: bodies::http::certificate,
        fixtures: certificates,
        tokens: &["\x30\x03", "\x06\x03\x55\x04\x03", "\x06\x03\x55\x1d\x11", "0C383E07E16C"],
        whole: false,
    },
    Target {
        name: "sip",
        body: bodies::doors::sip,
        fixtures: || texts(SIP),
        tokens: &["\r\n", "\r\n\r\n", "Via: ", "From: <sip:", ";tag=", "Content-Length: 9"],
        whole: false,
    },
    Target {
        name: "tftp",
        body: bodies::doors::tftp,
        fixtures: || texts(&["\0\x01000fd3a1b2c3.cfg\0octet\0blksize\x001428\0tsize\x000\0"]),
        tokens: &["\0", "../", "netascii\0", "blksize\0"],
        whole: false,
    },
    Target {
        name: "ftp",
        body: bodies::doors::ftp,
        fixtures: || texts(&["USER phone", "PASS secret", "RETR a/b.cfg", "EPRT |1|192.0.2.1|5|"]),
        tokens: &["RETR ", "CWD ", "../", "\r", "|2|::1|99999|", "PORT 1,2,3,4,5,6"],
        whole: false,
    },
    Target {
        name: "fanvil_file",
        body: bodies::fanvil::file,
        fixtures: || files("fanvil"),
        tokens: &["<<VOIP CONFIG FILE>>", "<sysConf>", "<<END OF FILE>>", "&amp;", " :", "\r\n"],
        whole: false,
    },
    Target {
        name: "audiocodes_cfg",
        body: bodies::audiocodes::file,
        fixtures: || files("audiocodes"),
        tokens: &["include ", "http://", "%24", "\r\n", "voip/line/0/", "="],
        whole: false,
    },
    Target {
        name: "rule",
        body: bodies::profiles::rule,
        fixtures: || texts(RULES),
        tokens: &[
            "device.serial",
            "value(\"Device.A\")",
            " && ",
            " || ",
            "tags.all(t, ",
            ")",
            "[",
            "]",
            "!",
            "-",
            "? true : ",
            " in ",
            "subscriber",
            "phone.mac",
            ".matches(\"(a*)*\")",
            "9223372036854775807",
            "1e308",
            "bucket(\"a\", 7)",
            "'''",
            "r\"",
            "// ",
        ],
        whole: false,
    },
    Target {
        name: "template",
        body: bodies::profiles::template,
        fixtures: || texts(TEMPLATES),
        tokens: &[
            "{{ ",
            " }}",
            "{% if ",
            "{% else %}",
            "{% endif %}",
            "{# ",
            " #}",
            " | last(4)",
            "| default(\"x\")",
            "value(\"Device.A\")",
            "subscriber.",
            "[-4:]",
            " ~ ",
            "\"}}\"",
            "'",
            "\\",
            "| replace(\"a\", \"aa\")",
        ],
        whole: false,
    },
    Target {
        name: "profile",
        body: bodies::profiles::profile,
        fixtures: || texts(PROFILES),
        tokens: &[
            "[parameters]\n",
            "[[tables]]\n",
            "[[tables.rows]]\n",
            "[attributes]\n",
            "layer = ",
            "{ site = \"a\" }",
            "\"Device.A.B\" = ",
            "{ row = \"a\" }",
            "table = \"@a.B.\"\n",
            "\"7d\"",
            "[[[[",
            "{\"name\":\"a\",",
            "match = 'true'\n",
            "\"{{ device.serial }}\"",
            "1e999",
            "-0.0",
            "2026-01-02T03:04:05Z",
            "*",
        ],
        whole: false,
    },
    Target {
        name: "datamodel",
        body: bodies::datamodels::datamodel,
        fixtures: || files("datamodels"),
        tokens: &[
            "<model name='a'>",
            "<parameter name=\"P\">",
            "<syntax><dataType ref=\"A\"/>",
            "&#9;",
            "<!DOCTYPE",
            "\tA\tW\tstring\t",
            "\tlist=1..2",
            "below\t*.Services.\n",
        ],
        whole: false,
    },
    Target {
        name: "massdeploy",
        body: bodies::massdeploy::survives,
        fixtures: massdeploy,
        tokens: &["\0", "[general]\n", "${", "[regline_", "\"", "\t", "base_path="],
        whole: false,
    },
];

const ENVELOPE: &[&str] = &[
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "<![CDATA[",
    "]]>",
    "&#x1F600;",
    "&lt;",
    "<!--",
    "<soap:Envelope>",
    "<cwmp:Inform>",
    "</ParameterValueStruct>",
    "<Value xsi:type=\"xsd:dateTime\">",
    "xmlns:cwmp=\"urn:dslforum-org:cwmp-1-4\"",
    "<cwmp:ID soap:mustUnderstand=\"1\">",
    "<FaultStruct><FaultCode>",
    "\u{feff}",
];

const DIGESTS: &[&str] = &[
    "Digest realm=\"cpe\", nonce=\"abc\", qop=\"auth,auth-int\", opaque=\"o\", algorithm=SHA-256",
    "Basic realm=\"a\", Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess, stale=true",
    "Digest username=\"acs\", realm=\"provost\", nonce=\"0000000000000000abcd\", uri=\"/\", \
     response=\"6629fae49393a05397450978507c4ef1\", qop=auth, nc=00000001, cnonce=\"0a4f113b\"",
    "Basic dXNlcjpwYXNz",
];

const XMPP: &[&str] = &[
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
     xmlns:stream='http://etherx.jabber.org/streams' version='1.0'><stream:features><starttls \
     xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
     <mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism></mechanisms></stream:features>\
     <proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><challenge \
     xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>cj1hYmNkZWYscz1RUT09LGk9NDA5Ng==</challenge>",
    "<iq type='get' id='5' from='acs@example.net/a'><connectionRequest \
     xmlns='urn:broadband-forum-org:cwmp:xmppConnReq-1-0'><username>u</username><password>p\
     </password></connectionRequest></iq><iq type='error' id='6' from='cpe@example.net/r'><error \
     type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    "r=abcdef,s=QSXCR+Q6sek8bf92,i=4096",
    "acs@example.net/resource",
];

const BULK: &[&str] = &[
    "{\"Report\":[{\"CollectionTime\":1795204800,\"Device.Hosts.HostNumberOfEntries\":3},\
     {\"CollectionTime\":\"2026-11-20T20:05:00Z\",\"Device.Hosts.HostNumberOfEntries\":\"4\"}]}",
    "{\"Report\":[{\"CollectionTime\":1,\"Device\":{\"Hosts\":{\"Host\":{\"1\":{\"Active\":true}}}}}]}",
    "ReportTimestamp,ParameterName,ParameterValue,ParameterType\r\n\
     1795204800,Device.Hosts.Host.1.HostName,\"a, \"\"b\"\"\",string\r\n",
    "ReportTimestamp;Device.Hosts.HostNumberOfEntries\n2026-11-20T20:00:00Z;3\n1795205100;4\n",
];

const LIGHTWEIGHT: &[&str] = &[
    "POST /HTTPS/1.1\r\nContent-Lenght: 9\r\nSignature: 0123456789abcdef0123456789ABCDEF01234567\
     \r\n\r\n<lwn:Notification xmlns:lwn=\"urn:broadband-forum-org:cwmp:lwnotif-1-0\"><lwn:TS>1\
     </lwn:TS><lwn:UN>u</lwn:UN><CN>c</CN><OUI>00D09E</OUI><ProductClass/><SerialNumber>1\
     </SerialNumber><Param><Name>a</Name><Value>&lt;b></Value></Param></lwn:Notification>",
];

const RULES: &[&str] = &[
    "device.product_class == \"HG100\" && \"gold\" in tags",
    "version_at_least(device.software_version, \"1.10\") || in_network(device.address, [\"10.0.0.0/8\"])",
    "tags.exists(t, t.startsWith(\"go\")) ? value(\"Device.WiFi.Radio.1.Channel\") > 5 : has(subscriber.vlan)",
    "tags.map(t, t + t).filter(t, size(t) > 3).size() == 2 && phone.vendor != null",
    "device.serial.matches('^A[0-9]+$') && bucket(\"canary\", 100) < 5",
];

const TEMPLATES: &[&str] = &[
    "HG-{{ device.serial[-4:] }}-{{ device.oui | lower | first(2) }}",
    "{% if \"gold\" in tags %}{{ subscriber.vlan | int + 100 }}{% else %}{{ value(\"Device.A.B\") }}{% endif %}",
    "{{ phone.mac | mac_add(1) | mac(\":\") | upper }}{{ device.id | spread(3600, \"a\") }}{{ tags | join(\"+\") }}",
];

const PROFILES: &[&str] = &[
    "name = \"a\"\nlayer = { tenant = \"north\" }\npriority = 3\nmatch = '\"gold\" in tags'\ndrift = \"report\"\n\
     [parameters]\n\"Device.A.B\" = 7\n\"Device.A.C\" = \"{{ device.serial }}\"\n\"Device.R.*.C\" = \
     { value = true, type = \"boolean\" }\n[attributes]\n\"Device.A.\" = { notification = \"active\", \
     access_list = [] }\n[refresh]\n\"Device.A.\" = \"12h\"\n[firmware]\nversion = \"2\"\n[tags]\nset = [\"x\"]\n",
    "name = \"b\"\n[[tables]]\ntable = \"Device.T.\"\nkeys = [\"K\"]\nothers = \"remove\"\n[[tables.rows]]\n\
     name = \"r\"\nvalues = { K = 1, V = \"{{ tenant }}\" }\n[[tables]]\ntable = \"@r.U.\"\nkeys = [\"K\"]\n\
     rows = [{ values = { K = { row = \"r\" } } }]\n[[intents]]\nintent = \"time\"\nservers = \"ntp.example\"\n",
    "{\"name\":\"c\",\"parameters\":{\"Device.A\":1.5,\"Device.B\":\"x\"},\"tags\":{\"clear\":[\"y\"]}}",
];

const SIP: &[&str] = &[
    "SUBSCRIBE sip:MAC%3a000b82a1b2c3@224.0.1.75 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;\
     branch=z9hG4bKa\r\nFrom: <sip:MAC%3a000b82a1b2c3@224.0.1.75>;tag=1\r\nTo: \
     <sip:MAC%3a000b82a1b2c3@224.0.1.75>\r\nCall-ID: 1\r\nCSeq: 1 SUBSCRIBE\r\nContact: \
     <sip:000b82a1b2c3@192.0.2.9:5060>\r\nEvent: ua-profile;profile-type=\"device\";\
     vendor=\"Fanvil\";model=\"X6\";version=\"2.4.1\"\r\nExpires: 0\r\nContent-Length: 0\r\n\r\n",
    "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 192.0.2.1\r\nCSeq: 1 NOTIFY\r\n\
     WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\nContent-Length: 0\r\n\r\n",
];

/// The files in a folder of `tests/fixtures`, those in folders inside it included.
fn files(folder: &str) -> Vec<Vec<u8>> {
    fn gather(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { gather(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder), &mut found);
    // A folder is read in any order, but the inputs are to be the same each time.
    found.sort();
    found.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Requests of a device, with and without a signature, and an answer.
fn stun() -> Vec<Vec<u8>> {
    let blank = || Writer::new(Kind::Request, Transaction([7; 16]));
    let at = ([203, 0, 113, 9], 3478).into();
    vec![
        blank().connection_request_binding().username("00D09E-1").sign(b"secret", Padding::To64),
        blank().connection_request_binding().binding_change().change_request(false, true).finish(),
        blank().response_address(at).attribute(0x8022, b"name of a program").finish(),
        Writer::new(Kind::Response, Transaction([7; 16]))
            .mapped_address(at)
            .xor_mapped_address(at)
            .error_code(431, "Integrity")
            .unknown_attributes(&[3, 0x7777])
            .finish(),
    ]
}

/// A mass-deployment text, a zero byte, and a template.
fn massdeploy() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/massdeploy");
    let read = |name| std::fs::read(folder.join(name)).unwrap();
    vec![[read("massdeployment.conf"), vec![0], read("desk.conf")].concat()]
}

fn certificates() -> Vec<Vec<u8>> {
    let names = [vec!["0c383e07e16c".to_owned()], vec!["a.example".into(), "b.example".into()]];
    names.map(|names| rcgen::generate_simple_self_signed(names).unwrap().cert.der().to_vec()).into()
}
