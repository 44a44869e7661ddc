//! Bytes as the reader of a failed test wants to see them.

/// More bytes than this are not shown as a whole.
const WHOLE: usize = 120;
/// How many bytes are shown of the beginning, and of the end.
const EDGE: usize = 48;

/// `bytes` in quotes: text as text, the rest escaped, and of a long run only
/// the two ends and the number of bytes.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    if bytes.len() <= WHOLE {
        return quoted(bytes);
    }
    let start = quoted(&bytes[..EDGE]);
    let end = quoted(&bytes[bytes.len() - EDGE..]);
    format!("{start} ... {end} ({} bytes)", bytes.len())
}

fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        text.extend(chunk.valid().escape_debug());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text.push('"');
    text
}

/// What was expected and what came instead, both cut to where they part.
pub(crate) fn difference(expected: &[u8], came: &[u8]) -> (String, String) {
    let same = expected.iter().zip(came).take_while(|(a, b)| a == b).count();
    // Some bytes that are right help to find the place.
    let from = if same < WHOLE { 0 } else { same - EDGE };
    let place = if from == 0 {
        String::new()
    } else {
        format!("from byte {from} on: ")
    };
    let part = |bytes: &[u8]| {
        format!("{place}{}", shown(bytes.get(from..).unwrap_or_default()))
    };
    (part(expected), part(came))
}

#[cfg(test)]
mod tests {
    use super::{difference, shown};

    #[test]
    fn text_stands_as_text_and_the_rest_is_escaped() {
        assert_eq!(shown("受信\0\x1b\r\n".as_bytes()), r#""受信\0\u{1b}\r\n""#);
        assert_eq!(shown(b"a\xff"), r#""a\xff""#);
    }

    #[test]
    fn a_long_run_is_cut_in_the_middle() {
        let text = shown(&[b'x'; 5_000]);
        assert!(text.ends_with("(5000 bytes)"), "{text}");
        assert!(text.len() < 200, "{text}");
    }

    #[test]
    fn a_late_difference_is_shown_where_it_is() {
        let expected = [b'a'; 1_000];
        let mut came = expected;
        came[900] = b'b';
        let (_, came) = difference(&expected, &came);
        assert!(came.starts_with("from byte 852 on: "), "{came}");
    }
}
