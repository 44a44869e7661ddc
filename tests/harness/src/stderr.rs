//! What a server said of its failure, without the backtrace.

/// More lines than these are not shown.
const LINES: usize = 5;

/// The message in `stderr`: what a panic or an uncaught exception says, and not
/// the calls that led to it. Knows the backtraces of Rust, Python, Go and Node.
pub(crate) fn message(stderr: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut in_traceback = false;
    let mut place = None;
    for line in stderr.lines() {
        if line == "stack backtrace:" || line.starts_with("goroutine ") {
            break;
        }
        if line.starts_with("Traceback (most recent call last)") {
            in_traceback = true;
        } else if in_traceback && line.starts_with(' ') {
            if line.starts_with("  File ") {
                place = Some(line.trim());
            }
        } else {
            in_traceback = false;
            lines.extend(place.take());
            if is_message(line) {
                // A panic in the standard library: where is no help.
                let said = line.split_once(" at /rustc/");
                lines.push(said.map_or(line, |(said, _)| said));
            }
        }
    }
    lines.truncate(LINES);
    lines.join("\n")
}

fn is_message(line: &str) -> bool {
    let frame = line.starts_with("    at ") || line.starts_with("node:");
    let note = line.starts_with("note: run with `RUST_BACKTRACE");
    !line.trim().is_empty() && !frame && !note
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn a_panic_is_its_message() {
        let stderr = "\nthread 'main' (7) panicked at src/main.rs:3:5:\n\
                      no line\nstack backtrace:\n   0: rust_begin_unwind\n";
        let said = "thread 'main' (7) panicked at src/main.rs:3:5:\nno line";
        assert_eq!(message(stderr), said);
    }

    #[test]
    fn a_place_in_the_standard_library_is_left_out() {
        let stderr = "thread 'main' panicked at /rustc/59/library/std/io.rs:1";
        assert_eq!(message(stderr), "thread 'main' panicked");
    }

    #[test]
    fn an_exception_is_its_last_place_and_its_message() {
        let stderr = "Exception in thread Thread-1:\n\
                      Traceback (most recent call last):\n  \
                      File \"threading.py\", line 1045, in _run\n    \
                      self.run()\n  File \"server.py\", line 9, in serve\n    \
                      client.send(reply)\nBrokenPipeError: Broken pipe\n";
        let said = "Exception in thread Thread-1:\n\
                    File \"server.py\", line 9, in serve\n\
                    BrokenPipeError: Broken pipe";
        assert_eq!(message(stderr), said);
    }

    #[test]
    fn goroutines_and_node_frames_are_left_out() {
        let go = "panic: no line\n\ngoroutine 1 [running]:\nmain.main()\n";
        assert_eq!(message(go), "panic: no line");
        let node = "Error: read ECONNRESET\n    at TCP.onStreamRead (x)\n";
        assert_eq!(message(node), "Error: read ECONNRESET");
    }
}
