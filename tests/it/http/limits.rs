//! Clients that take more than their share: each is cut off, and others are
//! served meanwhile.

use super::*;

#[tokio::test]
async fn silence_ends_by_the_first_byte_limit() {
    let mut door = open(&short(), None);
    let silent = say(door.at, "").await;
    serves(door.at).await;
    assert_eq!(hear(silent).await, "");
    assert!(door.closed.recv().await.is_some());
}

#[tokio::test]
async fn a_slow_header_ends_by_the_header_limit_however_often_bytes_come() {
    let limits = LimitsConfig { first_byte: 3600, idle: 3600, ..short() };
    let door = open(&limits, None);
    let mut slow = say(door.at, "GET / HTTP/1.1\r\nX: ").await;
    serves(door.at).await;
    // A byte now and then, until the server has closed.
    let mut heard = [0; 1];
    loop {
        tokio::select! {
            read = slow.read(&mut heard) => {
                assert_eq!(read.unwrap_or(0), 0);
                break;
            }
            () = tokio::time::sleep(std::time::Duration::from_millis(50)) => {
                if slow.write_all(b"x").await.is_err() {
                    break;
                }
            }
        }
    }
    serves(door.at).await;
}

#[tokio::test]
async fn an_idle_connection_ends_and_so_does_one_whose_answer_nobody_takes() {
    let limits = LimitsConfig { first_byte: 3600, headers: 3600, ..short() };
    let mut door = open(&limits, None);
    let mut idle = say(door.at, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    hear_one(&mut idle).await;
    assert_eq!(hear(idle).await, "");
    door.closed.recv().await.unwrap();

    // A hundred answers of 90 kB fill every buffer on the way.
    let request = format!(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n{}",
        "x".repeat(90_000)
    );
    let (reader, mut writer) = TcpStream::connect(door.at).await.unwrap().into_split();
    let writing = tokio::spawn(async move {
        for _ in 0..100 {
            if writer.write_all(request.as_bytes()).await.is_err() {
                break;
            }
        }
    });
    door.closed.recv().await.unwrap();
    writing.await.unwrap();
    drop(reader);
}

#[tokio::test]
async fn a_body_that_stands_still_ends_by_its_rate() {
    let door = open(&LimitsConfig::default(), None);
    let slow = say(door.at, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc").await;
    serves(door.at).await;
    // The grace of five seconds is real time here.
    let mut slow = slow;
    let heard = hear_one(&mut slow).await;
    assert!(heard.contains("too slowly"), "{heard}");
}

#[tokio::test]
async fn a_connection_of_age_takes_no_further_request() {
    let limits = LimitsConfig { age: 1, ..LimitsConfig::default() };
    let door = open(&limits, None);
    let mut stream = say(door.at, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    hear_one(&mut stream).await;
    assert_eq!(hear(stream).await, "");
}

#[tokio::test]
async fn headers_too_large_or_too_many_are_refused() {
    let door = open(&LimitsConfig::default(), None);
    let large = format!("GET / HTTP/1.1\r\nCookie: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(500));
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(70_000));
    for request in [large, many, long] {
        let mut stream = TcpStream::connect(door.at).await.unwrap();
        // The server need not take it all.
        let _ = stream.write_all(request.as_bytes()).await;
        let heard = hear(stream).await;
        assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 4"), "{heard}");
    }
    let fitting = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(15_000));
    let mut stream = say(door.at, fitting).await;
    assert!(hear_one(&mut stream).await.starts_with("HTTP/1.1 200"));
    let over = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(16_380));
    let heard = hear(say(door.at, over).await).await;
    assert!(heard.starts_with("HTTP/1.1 431"), "{heard}");
}

#[tokio::test]
async fn places_are_counted_and_given_back() {
    let limits = LimitsConfig { connections_per_source: 2, ..LimitsConfig::default() };
    let mut door = open(&limits, None);
    let first = say(door.at, "").await;
    let mut second = say(door.at, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    hear_one(&mut second).await;
    assert_eq!(hear(say(door.at, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").await).await, "");
    drop(first);
    door.closed.recv().await.unwrap();
    serves(door.at).await;
}

#[tokio::test]
async fn a_bomb_of_gzip_is_refused() {
    let door = open(&LimitsConfig::default(), None);
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut bomb, &vec![0; 10 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        bomb.len()
    );
    let mut stream = say(door.at, [head.as_bytes(), &bomb].concat()).await;
    assert!(hear_one(&mut stream).await.starts_with("HTTP/1.1 413"));
}
