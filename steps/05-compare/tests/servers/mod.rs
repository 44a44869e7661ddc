//! Bad servers. Each is a test of the program that includes this file, run by
//! its name alone, and so needs no other program.

use nix::time::ClockId;

use super::*;

fn listener() -> TcpListener {
    let port = std::env::var("PORT").expect("set by 05-compare");
    let port = port.parse().expect("a port");
    TcpListener::bind(("127.0.0.1", port)).expect("a free port")
}

/// Ends at the third connection; the first asks whether it listens, and the
/// second for replies too many.
#[test]
#[ignore = "a server for the tests above"]
fn dying() {
    let listener = listener();
    let third = listener.incoming().nth(2);
    drop(third);
    std::process::exit(3);
}

/// Serves each connection in a thread of its own: `reply` is called for each
/// line, and has the connection.
fn serve(reply: impl Fn(&mut TcpStream) + Clone + Send + 'static) {
    serve_on(listener(), reply);
}

fn serve_on(
    listener: TcpListener,
    reply: impl Fn(&mut TcpStream) + Clone + Send + 'static,
) {
    for client in listener.incoming() {
        let (mut client, reply) =
            (client.expect("a connection"), reply.clone());
        std::thread::spawn(move || {
            let copy = client.try_clone().expect("a descriptor");
            for line in BufReader::new(copy).lines() {
                match line {
                    Ok(line) if line == "ping" => reply(&mut client),
                    _ => break,
                }
            }
        });
    }
}

fn pong(client: &mut TcpStream) {
    let _ = client.write_all(b"pong\n");
}

fn sleep_ms(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// Needs 44 ms for a reply.
#[test]
#[ignore = "a server for the tests above"]
fn slow() {
    serve(|client| {
        sleep_ms(44);
        pong(client);
    });
}

/// Needs 20 ms for a reply, and says it twice.
#[test]
#[ignore = "a server for the tests above"]
fn twice() {
    serve(|client| {
        sleep_ms(20);
        pong(client);
        sleep_ms(1);
        pong(client);
    });
}

/// Says the reply before it was asked, and again 20 ms after.
#[test]
#[ignore = "a server for the tests above"]
fn hasty() {
    for client in listener().incoming() {
        let mut client = client.expect("a connection");
        std::thread::spawn(move || {
            pong(&mut client);
            let mut line = Vec::new();
            let _ = BufReader::new(&client).read_until(b'\n', &mut line);
            sleep_ms(20);
            pong(&mut client);
        });
    }
}

/// Stands still for 1 s, 0.7 s after the first connection.
#[test]
#[ignore = "a server for the tests above"]
fn freezing() {
    let start = std::sync::OnceLock::<Instant>::new();
    for client in listener().incoming() {
        let mut client = client.expect("a connection");
        let elapsed = start.get_or_init(Instant::now).elapsed();
        let (from, to) =
            (Duration::from_millis(700), Duration::from_millis(1_700));
        if (from..to).contains(&elapsed) {
            std::thread::sleep(to - elapsed);
        }
        let mut line = Vec::new();
        let _ = BufReader::new(&client).read_until(b'\n', &mut line);
        pong(&mut client);
    }
}

/// Does not answer every twentieth request.
#[test]
#[ignore = "a server for the tests above"]
fn mute_5() {
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    serve(move |client| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        if number % 20 != 19 {
            pong(client);
        }
    });
}

/// Answers a hundred requests, and no more. Writes the file `SIGN` when one has
/// waited for longer than a round must last to count.
#[test]
#[ignore = "a server for the tests above"]
fn falls_silent() {
    let sign = std::env::var("SIGN").expect("set by the test");
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    serve(move |client| {
        if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 100 {
            return pong(client);
        }
        sleep_ms(1_500);
        fs::write(&sign, "").expect("written");
    });
}

/// Whether it is started for the second time, the fourth, and so on.
fn is_second_start() -> bool {
    let path = std::env::var("STARTS").expect("set by the test");
    let starts = fs::read(&path).unwrap_or_default().len();
    fs::write(&path, vec![b'.'; starts + 1]).expect("written");
    !starts.is_multiple_of(2)
}

/// Answers nothing every second time that it is started.
#[test]
#[ignore = "a server for the tests above"]
fn mute_every_second_time() {
    let is_mute = is_second_start();
    serve(move |client| {
        if !is_mute {
            pong(client);
        }
    });
}

/// Needs longer for a reply than it is measured, every second time.
#[test]
#[ignore = "a server for the tests above"]
fn late_every_second_time() {
    let is_late = is_second_start();
    serve(move |client| {
        if is_late {
            sleep_ms(1_000);
        }
        pong(client);
    });
}

/// Sends sixteen replies at a time, of which the last is wrong.
#[test]
#[ignore = "a server for the tests above"]
fn one_wrong() {
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    serve(move |client| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        match number % 16 {
            // The first request of a connection comes alone.
            0 => pong(client),
            15 => {
                let right = b"pong\n".repeat(14);
                let _ = client.write_all(&[&right, &b"ping\n"[..]].concat());
            }
            _ => {}
        }
    });
}

/// Has its connections served by two other processes, in sessions of their own,
/// which take 1 ms of CPU time for each reply.
#[test]
#[ignore = "a server for the tests above"]
fn forking() {
    let listener = std::os::fd::OwnedFd::from(listener());
    let workers = [0, 1].map(|_| {
        let program = std::env::current_exe().expect("this test");
        Command::new("setsid")
            .arg(program)
            .args(["--ignored", "--exact", "servers::worker"])
            .stdin(listener.try_clone().expect("a descriptor"))
            .spawn()
            .expect("a worker")
    });
    for mut worker in workers {
        worker.wait().expect("our child");
    }
}

/// What this thread has used: a busy machine adds nothing.
fn cpu_time() -> Duration {
    let now = ClockId::CLOCK_THREAD_CPUTIME_ID.now();
    now.expect("a clock").into()
}

/// One of them: its stdin is the listener.
#[test]
#[ignore = "a server for the tests above"]
fn worker() {
    use std::os::fd::AsFd;
    let stdin = std::io::stdin();
    let listener = stdin.as_fd().try_clone_to_owned().expect("a listener");
    serve_on(listener.into(), |client| {
        let start = cpu_time();
        while cpu_time() - start < Duration::from_millis(1) {}
        pong(client);
    });
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
