//! Events a second that reach a thousand listeners: through the hub, and through
//! real streams over a real door: `cargo bench --bench events`.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints, and ends with a panic when something is missing"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use hyper::body::Incoming;
use hyper::{Request, Response};
use provost::access::Reach;
use provost::config::{EventsConfig, LimitsConfig, StoreConfig};
use provost::device::{DeviceId, Event, EventCode, EventKind};
use provost::herald::{Heard, Hub, Listener};
use provost::http::{Body, Door, Handler, Peer};
use provost::ledger::Ledger;
use provost::store::{Batch, Record, Store};
use provost::time::{Clock as _, SystemClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Listeners and events, when it measures and when it is run as a test.
const SIZES: [(usize, usize); 2] = [(1000, 2000), (20, 100)];

/// Events that are committed together, as busy doors do.
const TOGETHER: usize = 20;

struct House {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
}

impl House {
    fn open(stop: &CancellationToken) -> Self {
        let store = provost::store::memory(&StoreConfig::default());
        store.accompany(Ledger::new(Arc::new(SystemClock)));
        let config = EventsConfig { listeners_per_token: 5000, ..EventsConfig::default() };
        let hub = Hub::new(store.clone(), [0; 32], config);
        tokio::spawn(hub.clone().run(stop.clone()));
        Self { store, hub }
    }

    /// Lets devices boot.
    async fn happen(&self, events: usize) {
        let device = DeviceId::parse("00D09E-1").unwrap();
        for _ in 0..events / TOGETHER {
            let mut batch = Batch::new();
            for _ in 0..TOGETHER {
                let kind = EventKind::Inform(vec![EventCode::Boot]);
                let at = SystemClock.now();
                batch.put(Record::Event(Event { device: device.clone(), at, kind }));
            }
            self.store.commit(batch).await.unwrap();
        }
    }
}

async fn hear(mut listener: Listener, events: usize) {
    for _ in 0..events {
        let heard = listener.next().await.unwrap().unwrap();
        let Heard::News(told) = heard else { unreachable!("the store keeps them all") };
        std::hint::black_box(told.frame(&Reach::WHOLE));
    }
}

/// Streams with nothing of the northbound around them: what `GET /events/stream`
/// costs besides the token and the filter.
struct Streams(Arc<Hub>);

impl Handler for Streams {
    async fn handle(&self, _: Peer, _: Request<Incoming>) -> Response<Body> {
        let mut listener = self.0.listen(None).await.unwrap();
        let (sender, frames) = mpsc::channel(4);
        tokio::spawn(async move {
            while let Ok(Some(Heard::News(told))) = listener.next().await {
                let mut bytes = BytesMut::from(&*told.frame(&Reach::WHOLE));
                while let Some(Heard::News(told)) = listener.try_next() {
                    bytes.extend_from_slice(&told.frame(&Reach::WHOLE));
                }
                if sender.send(bytes.freeze()).await.is_err() {
                    return;
                }
            }
        });
        Response::new(Body::stream(Frames(frames)))
    }
}

/// A body of what comes through a channel.
struct Frames(mpsc::Receiver<Bytes>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// Reads a stream until it has told so many events.
async fn read(mut stream: TcpStream, events: usize) {
    let (mut seen, mut ends, mut buffer) = (0, 0, vec![0; 64 << 10]);
    while seen < events {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the stream goes on");
        // Each event ends with an empty line; so does the head of the answer, but
        // with other line ends.
        for byte in &buffer[..read] {
            ends = if *byte == b'\n' { ends + 1 } else { 0 };
            if ends == 2 {
                seen += 1;
            }
        }
    }
}

fn tell(what: &str, listeners: usize, events: usize, took: Duration) {
    let rate = events as f64 / took.as_secs_f64();
    println!(
        "{what}: {events} events to {listeners} listeners in {took:.2?}: {rate:.0} events/s, {:.0} deliveries/s",
        rate * listeners as f64
    );
}

async fn through_the_hub(listeners: usize, events: usize) {
    let stop = CancellationToken::new();
    let house = House::open(&stop);
    let mut all = JoinSet::new();
    for _ in 0..listeners {
        all.spawn(hear(house.hub.listen(None).await.unwrap(), events));
    }
    let begun = Instant::now();
    house.happen(events).await;
    all.join_all().await;
    tell("through the hub", listeners, events, begun.elapsed());
    stop.cancel();
}

async fn through_streams(listeners: usize, events: usize) {
    let stop = CancellationToken::new();
    let house = House::open(&stop);
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let door = Door::bind("bench", at, &LimitsConfig::default(), None).unwrap();
    let at = door.local_addr();
    tokio::spawn(door.serve(Arc::new(Streams(house.hub.clone())), stop.clone()));
    let mut all = JoinSet::new();
    for _ in 0..listeners {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
        let mut head = [0; 5];
        stream.read_exact(&mut head).await.unwrap();
        all.spawn(read(stream, events));
    }
    let begun = Instant::now();
    house.happen(events).await;
    all.join_all().await;
    tell("through streams", listeners, events, begun.elapsed());
    stop.cancel();
}

fn main() {
    // `cargo bench` says so; `cargo test` runs benches as well.
    let [many, few] = SIZES;
    let measures = std::env::args().any(|argument| argument == "--bench");
    let (listeners, events) = if measures { many } else { few };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        through_the_hub(listeners, events).await;
        through_streams(listeners, events).await;
    });
}
