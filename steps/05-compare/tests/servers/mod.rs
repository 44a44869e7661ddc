//! Bad servers. Each is a test of the program that includes this file, run by
//! its name alone, and so needs no other program.

use super::*;

fn listener() -> TcpListener {
    let port = std::env::var("PORT").expect("set by 05-compare");
    let port = port.parse().expect("a port");
    TcpListener::bind(("127.0.0.1", port)).expect("a free port")
}

/// Ends at the third connection; the first asks whether it listens.
#[test]
#[ignore = "a server for the tests above"]
fn dying() {
    let listener = listener();
    let third = listener.incoming().nth(2);
    drop(third);
    std::process::exit(3);
}

/// Sends each line back.
#[test]
#[ignore = "a server for the tests above"]
fn echo() {
    for client in listener().incoming() {
        let mut client = client.expect("a connection");
        let mut line = Vec::new();
        let _ = BufReader::new(&client).read_until(b'\n', &mut line);
        let _ = client.write_all(&line);
    }
}

/// Accepts, and never says a word.
#[test]
#[ignore = "a server for the tests above"]
fn mute() {
    let clients: Vec<_> = listener().incoming().collect();
    drop(clients);
}

/// Answers the first read of a connection, and closes. Ends at once where that
/// read holds more than one request.
#[test]
#[ignore = "a server for the tests above"]
fn parting() {
    for client in listener().incoming() {
        let mut client = client.expect("a connection");
        let mut buffer = [0; 4_096];
        let count = client.read(&mut buffer).unwrap_or_default();
        if count > b"ping\n".len() {
            std::process::exit(3);
        }
        let _ = client.write_all(b"pong\n");
    }
}
