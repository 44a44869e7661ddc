//! Exercise 12: a blocking `send` that takes less than it was given.
//! `cargo run -p step-01-blocking --example partial_write`

use std::error::Error;
use std::net::TcpStream;
use std::time::Duration;

use blocking::{accept, listen, local_address, send};

fn main() -> Result<(), Box<dyn Error>> {
    let listener = listen(([127, 0, 0, 1], 0).into(), 5)?;
    let _never_reads = TcpStream::connect(local_address(&listener)?)?;
    let (client, _) = accept(&listener)?;
    let client = TcpStream::from(client);
    client.set_write_timeout(Some(Duration::from_secs(1)))?; // SO_SNDTIMEO

    let message = vec![b'a'; 64 * 1_024 * 1_024];
    let mut rest = &message[..];
    loop {
        match send(&client, rest) {
            Ok(sent) => {
                println!("of {} bytes send took {sent}", rest.len());
                rest = &rest[sent..];
            }
            Err(error) => {
                println!("and then none: {error}");
                return Ok(());
            }
        }
    }
}
