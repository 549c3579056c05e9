//! One client, from greeting to farewell.

use std::io;
use std::net::{IpAddr, SocketAddr};

use subtle::ConstantTimeEq as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tracing::debug;

use super::command::{Command, CommandError, Protection};
use super::door::Shared;
use super::wire::{NoLine, Wire};
use super::{data, path};
use crate::device::Secret;
use crate::files::{Ask, Found, Login, NotFound, Ticket};
use crate::phone::{DoorKind, Ended};

/// Wrong logins before a connection is closed.
const ATTEMPTS: u32 = 5;

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    /// From where; IPv4 as IPv4, never mapped into IPv6.
    pub(super) address: IpAddr,
    /// At which of our addresses.
    pub(super) local: IpAddr,
}

/// Serves a connection until it ends.
pub(super) async fn serve(shared: &Shared, stream: TcpStream, client: Client) {
    let mut wire = Wire::new(stream);
    let settings = &shared.settings;
    if settings.implicit {
        let Some(tls) = &settings.tls else { return };
        if wire.secure(tls, settings.handshake).await.is_err() {
            return;
        }
    }
    let mut session = Session::new(shared, client, wire);
    if timeout(settings.age, session.run()).await.is_err() {
        debug!(client.address = %client.address, "an FTP connection has reached its age");
    }
    session.give_back().await;
    session.wire.close().await;
}

struct Session<'a> {
    shared: &'a Shared,
    client: Client,
    wire: Wire,
    user: Option<Box<str>>,
    password: Option<Secret>,
    attempts: u32,
    folder: String,
    /// Where the next transfer begins.
    restart: u64,
    passive: Option<TcpListener>,
    /// EPSV ALL was said.
    extended_only: bool,
    /// Whether PBSZ was said.
    buffer_agreed: bool,
    protection: Protection,
    /// The file whose size was asked for, most likely the next to be fetched.
    held: Option<Held>,
    /// A fetch under way; told of even if the connection reaches its age.
    ticket: Option<Ticket>,
}

struct Held {
    path: String,
    door: DoorKind,
    found: Found,
}

/// Whether the session goes on.
type Flow = io::Result<bool>;

impl<'a> Session<'a> {
    fn new(shared: &'a Shared, client: Client, wire: Wire) -> Self {
        // Implicit TLS protects data from the start, as its clients expect.
        let implicit = wire.is_tls();
        Self {
            shared,
            client,
            wire,
            user: None,
            password: None,
            attempts: 0,
            folder: "/".to_owned(),
            restart: 0,
            passive: None,
            extended_only: false,
            buffer_agreed: implicit,
            protection: if implicit { Protection::Private } else { Protection::Clear },
            held: None,
            ticket: None,
        }
    }

    async fn run(&mut self) {
        if self.wire.say("220 Provost").await.is_err() {
            return;
        }
        loop {
            let line = tokio::select! {
                biased;
                () = self.shared.stop.cancelled() => Err(NoLine::Silence),
                line = self.wire.line(self.shared.settings.idle) => line,
            };
            let goes_on = match line {
                Ok(line) => match Command::parse(&line) {
                    Ok(command) => self.obey(command).await,
                    Err(CommandError::Unknown) => self.say("500 The command is unknown").await,
                    Err(CommandError::Parameter) => {
                        self.say("501 The parameter is missing or wrong").await
                    }
                },
                Err(NoLine::Silence) => self.farewell("421 Goodbye").await,
                Err(NoLine::TooLong) => self.farewell("500 The line is too long").await,
                Err(NoLine::Closed) => return,
            };
            if !goes_on.unwrap_or(false) {
                return;
            }
        }
    }

    async fn say(&mut self, answer: &str) -> Flow {
        self.wire.say(answer).await.map(|()| true)
    }

    async fn farewell(&mut self, answer: &str) -> Flow {
        self.wire.say(answer).await.map(|()| false)
    }

    async fn obey(&mut self, command: Command<'_>) -> Flow {
        match command {
            Command::User(user) => {
                // What was opened, another may have opened.
                self.give_back().await;
                self.user = Some(user.into());
                self.password = None;
                self.say("331 And the password").await
            }
            Command::Password(_) if self.user.is_none() => self.say("503 USER first").await,
            Command::Password(password) => {
                self.password = Some(password);
                self.say("230 Whether it opens a file is seen when one is asked for").await
            }
            Command::Quit => self.farewell("221 Goodbye").await,
            Command::Nothing => self.say("200 Fine").await,
            Command::System => self.say("215 UNIX Type: L8").await,
            Command::Features => self.features().await,
            Command::Utf8 => self.say("200 Always").await,
            Command::Help => self.say("214 RETR fetches a file; see FEAT").await,
            Command::Status => self.say("211 Provost").await,
            Command::Tls => self.start_tls().await,
            Command::OtherSecurity => self.say("504 AUTH TLS").await,
            Command::ProtectionBuffer if self.wire.is_tls() => {
                self.buffer_agreed = true;
                self.say("200 PBSZ=0").await
            }
            Command::ProtectionBuffer => self.say("503 AUTH TLS first").await,
            Command::Protection(protection) => self.protect(protection).await,
            Command::ClearControl => self.say("533 The connection stays protected").await,
            Command::Abort => {
                self.passive = None;
                self.say("226 Nothing is under way").await
            }
            // The rest is for who has said who he is, if only for form's sake.
            _ if self.password.is_none() => self.say("530 USER and PASS first").await,
            command => self.serve(command).await,
        }
    }

    async fn serve(&mut self, command: Command<'_>) -> Flow {
        match command {
            Command::Superfluous => self.say("202 Superfluous").await,
            // A phone that forgets TYPE I must get its firmware unharmed, so
            // that bytes leave as they are in either type.
            Command::Type => self.say("200 Bytes leave as they are").await,
            Command::AsIs => self.say("200 As always").await,
            Command::OtherForm => self.say("504 TYPE I, MODE S, STRU F").await,
            Command::WorkingFolder => {
                let answer = format!("257 {}", path::quoted(&self.folder));
                self.say(&answer).await
            }
            Command::ChangeFolder(name) => self.change_folder(name).await,
            Command::ParentFolder => self.change_folder("..").await,
            Command::Restart(offset) => {
                self.restart = offset;
                self.say("350 RETR begins there").await
            }
            Command::Passive => self.open_passive().await,
            Command::ExtendedPassive(protocol) => self.open_extended(protocol).await,
            Command::ExtendedPassiveOnly => {
                self.extended_only = true;
                self.say("200 EPSV from now on").await
            }
            Command::Active => self.say("502 PASV or EPSV: no connection is made from here").await,
            Command::Size(name) => self.size(name).await,
            Command::Retrieve(name) => self.retrieve(name).await,
            Command::List => self.say("550 Nothing is listed here").await,
            Command::Write => self.say("550 Only reading is possible").await,
            _ => self.say("500 The command is unknown").await,
        }
    }

    async fn features(&mut self) -> Flow {
        let tls = match self.shared.settings.tls {
            Some(_) => " AUTH TLS\r\n PBSZ\r\n PROT\r\n",
            None => "",
        };
        let answer =
            format!("211-Features\r\n{tls} EPSV\r\n REST STREAM\r\n SIZE\r\n UTF8\r\n211 End");
        self.say(&answer).await
    }

    async fn start_tls(&mut self) -> Flow {
        let Some(tls) = &self.shared.settings.tls else {
            return self.say("534 There is no TLS at this door").await;
        };
        if self.wire.is_tls() {
            return self.say("503 It is in force").await;
        }
        self.wire.say("234 Go ahead").await?;
        self.wire.secure(tls, self.shared.settings.handshake).await?;
        self.give_back().await;
        // What was said before could be read, and changed, on the way.
        (self.user, self.password, self.passive) = (None, None, None);
        self.folder = "/".to_owned();
        Ok(true)
    }

    async fn protect(&mut self, protection: Protection) -> Flow {
        if !self.buffer_agreed {
            return self.say("503 PBSZ first").await;
        }
        if protection == Protection::Other {
            return self.say("536 PROT C or P").await;
        }
        self.protection = protection;
        self.say("200 Agreed").await
    }

    async fn change_folder(&mut self, name: &str) -> Flow {
        match path::join(&self.folder, name) {
            // Which folders there are is not told.
            Some(folder) => {
                self.folder = folder;
                self.say("250 Fine").await
            }
            None => self.say("550 There is no such folder").await,
        }
    }

    async fn open_passive(&mut self) -> Flow {
        let IpAddr::V4(local) = self.client.local.to_canonical() else {
            return self.say("425 EPSV: PASV is for IPv4").await;
        };
        if self.extended_only {
            return self.say("503 EPSV ALL was said").await;
        }
        let Some(at) = self.listen() else {
            return self.say("425 No port is free; try again later").await;
        };
        let address = self.shared.settings.passive_address.unwrap_or(local);
        let [a, b, c, d] = address.octets();
        let [high, low] = at.port().to_be_bytes();
        let answer = format!("227 Entering Passive Mode ({a},{b},{c},{d},{high},{low})");
        self.say(&answer).await
    }

    async fn open_extended(&mut self, protocol: Option<u8>) -> Flow {
        let own = if self.client.local.to_canonical().is_ipv4() { 1 } else { 2 };
        if protocol.is_some_and(|protocol| protocol != own) {
            let answer = format!("522 Network protocol not supported, use ({own})");
            return self.say(&answer).await;
        }
        let Some(at) = self.listen() else {
            return self.say("425 No port is free; try again later").await;
        };
        let answer = format!("229 Entering Extended Passive Mode (|||{}|)", at.port());
        self.say(&answer).await
    }

    fn listen(&mut self) -> Option<SocketAddr> {
        self.passive = None;
        let listener = self.shared.settings.ports.listen(self.client.local);
        let listener =
            listener.inspect_err(|error| debug!(%error, "no port for a data connection")).ok()?;
        let at = listener.local_addr().ok()?;
        self.passive = Some(listener);
        Some(at)
    }

    async fn size(&mut self, name: &str) -> Flow {
        match self.find(name).await {
            Ok(held) => {
                let answer = format!("213 {}", held.found.content.size());
                self.held = Some(held);
                self.say(&answer).await
            }
            Err(no) => self.refuse(no).await,
        }
    }

    async fn retrieve(&mut self, name: &str) -> Flow {
        let (passive, restart) = (self.passive.take(), std::mem::take(&mut self.restart));
        let held = match self.find(name).await {
            Ok(held) => held,
            Err(no) => return self.refuse(no).await,
        };
        let Held { door, found: Found { content, ticket, .. }, .. } = held;
        self.ticket = Some(ticket);
        let (answer, ended) = if restart > content.size() {
            ("554 The file is shorter than that", Ended::Part(0))
        } else {
            match passive {
                None => ("425 PASV or EPSV first", Ended::Part(0)),
                Some(listener) => {
                    self.wire.say("150 Here it comes").await?;
                    self.transfer(&listener, content, restart, door).await
                }
            }
        };
        // The client is told first: the source's disk may be slow.
        let flow = self.say(answer).await;
        if let Some(ticket) = self.ticket.take() {
            self.shared.source.ended(ticket, ended).await;
        }
        flow
    }

    async fn transfer(
        &self,
        listener: &TcpListener,
        content: crate::files::Content,
        from: u64,
        door: DoorKind,
    ) -> (&'static str, Ended) {
        let unopened = ("425 The data connection was not opened", Ended::Broken(0));
        let Ok(mut stream) = data::accept(listener, self.client.address).await else {
            return unopened;
        };
        let settings = &self.shared.settings;
        let ended = match (&settings.tls, door) {
            (Some(tls), DoorKind::Ftps) => {
                match timeout(settings.handshake, tls.accept(stream)).await {
                    Ok(Ok(mut stream)) => data::send(&mut stream, content, from).await,
                    _ => return unopened,
                }
            }
            _ => data::send(&mut stream, content, from).await,
        };
        let answer = match ended {
            Ended::Broken(_) => "426 The data connection failed",
            _ => "226 That was it",
        };
        (answer, ended)
    }

    /// Finds a file, if the login that it needs was given.
    async fn find(&mut self, name: &str) -> Result<Held, No> {
        let path = path::join(&self.folder, name).ok_or(No::NotFound(NotFound::Nowhere))?;
        let protected = self.wire.is_tls() && self.protection == Protection::Private;
        let door = if protected { DoorKind::Ftps } else { DoorKind::Ftp };
        if let Some(held) = self.held.take() {
            if held.path == path && held.door == door {
                return Ok(held);
            }
            self.held = Some(held);
            self.give_back().await;
        }
        let mut ask = Ask {
            door,
            source: self.client.address,
            path: &path,
            agent: "",
            certificate: None,
            login: None,
        };
        let source = &self.shared.source;
        let logins = source.logins(&ask).await.map_err(No::NotFound)?;
        if !logins.is_empty() {
            let given = self.user.as_deref().zip(self.password.as_ref());
            ask.login = given.filter(|given| opens(&logins, *given)).map(|(user, _)| user);
            if ask.login.is_none() {
                return Err(No::Login);
            }
        }
        let found = source.open(&ask).await.map_err(No::NotFound)?;
        Ok(Held { path, door, found })
    }

    async fn refuse(&mut self, no: No) -> Flow {
        match no {
            No::Login => {
                self.attempts += 1;
                if self.attempts >= ATTEMPTS {
                    return self.farewell("421 Too many attempts").await;
                }
                self.say("530 The login does not open this").await
            }
            No::NotFound(NotFound::Nowhere) => self.say("550 There is no such file").await,
            No::NotFound(NotFound::TooMany | NotFound::Unavailable) => {
                self.say("450 Try again later").await
            }
        }
    }

    /// Tells the source of what was opened and not fetched.
    async fn give_back(&mut self) {
        if let Some(held) = self.held.take() {
            self.shared.source.ended(held.found.ticket, Ended::Part(0)).await;
        }
        if let Some(ticket) = self.ticket.take() {
            self.shared.source.ended(ticket, Ended::Broken(0)).await;
        }
    }
}

/// Why there is no file for this client.
enum No {
    /// The login that was given does not open it.
    Login,
    NotFound(NotFound),
}

/// Whether one of these logins was given; takes as long whichever it is.
fn opens(logins: &[Login], (user, password): (&str, &Secret)) -> bool {
    let same = |a: &str, b: &str| a.as_bytes().ct_eq(b.as_bytes());
    let mut opens = subtle::Choice::from(0);
    for login in logins {
        opens |= same(&login.user, user) & same(login.password.expose(), password.expose());
    }
    opens.into()
}
