//! Exercise 5: a framing with lengths, tried with every way of cutting an
//! input in two. `cargo run -p step-00-protocol --example lengths`

/// The longest message in bytes.
const MAX_MESSAGE: usize = 1_000;
/// The bytes of a length, highest first.
const LENGTH: usize = 4;

/// What is remembered between two pieces.
#[derive(Default)]
struct Framer {
    /// The start of what is still coming: a length, or a length and the part
    /// of its message that is here. Never more than `LENGTH + MAX_MESSAGE`.
    partial: Vec<u8>,
}

impl Framer {
    /// Takes the next piece and calls `found` for each message that ends in
    /// it. An error is the end of the connection: where the next message
    /// begins, neither end can know.
    fn feed(
        &mut self,
        mut input: &[u8],
        mut found: impl FnMut(&[u8]),
    ) -> Result<(), String> {
        loop {
            self.take_up_to(LENGTH, &mut input);
            let Some(length) = self.partial.first_chunk::<LENGTH>() else {
                return Ok(()); // the length itself came in pieces
            };
            let length = u32::from_be_bytes(*length) as usize;
            // Before any memory is reserved.
            if length > MAX_MESSAGE {
                return Err(format!("a message of {length} bytes"));
            }
            self.take_up_to(LENGTH + length, &mut input);
            if self.partial.len() < LENGTH + length {
                return Ok(());
            }
            found(&self.partial[LENGTH..]);
            self.partial.clear();
        }
    }

    /// Moves bytes from `input` until `partial` has `size` of them.
    fn take_up_to(&mut self, size: usize, input: &mut &[u8]) {
        let missing = size.saturating_sub(self.partial.len());
        let (taken, rest) = input.split_at(missing.min(input.len()));
        self.partial.extend_from_slice(taken);
        *input = rest;
    }
}

fn main() -> Result<(), String> {
    let messages: [&[u8]; 4] = [b"ping", b"", b"a line\nand\0more", b"\xff"];
    let mut stream = Vec::new();
    for message in messages {
        stream.extend((message.len() as u32).to_be_bytes());
        stream.extend(message);
    }
    for cut in 0..=stream.len() {
        let (mut framer, mut got) = (Framer::default(), Vec::new());
        framer.feed(&stream[..cut], |message| got.push(message.to_vec()))?;
        framer.feed(&stream[cut..], |message| got.push(message.to_vec()))?;
        assert_eq!(got, messages, "cut after {cut} bytes");
    }
    println!("{} cuts, the same four messages each time", stream.len() + 1);
    let refused = Framer::default().feed(&[0xff; 4], |_| {});
    println!("ff ff ff ff: {refused:?}");
    Ok(())
}
