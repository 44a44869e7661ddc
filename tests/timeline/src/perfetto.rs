//! The same steps for <https://ui.perfetto.dev>, in the "trace event format"
//! that it and Chromium read.

use std::io;

use serde_json::{Value, json};

use crate::model::{Part, Step};
use crate::svg::label;

/// All steps of `part` as JSON: a track for each thread.
///
/// # Errors
/// None: it can always be written.
pub(crate) fn events(part: &Part) -> io::Result<String> {
    let process = json!({
        "name": "process_name", "ph": "M", "pid": 1,
        "args": { "name": part.server },
    });
    let threads = part.threads.iter().enumerate().map(|(index, name)| {
        json!({
            "name": "thread_name", "ph": "M", "pid": 1, "tid": index + 1,
            "args": { "name": name },
        })
    });
    let steps = part.steps.iter().map(|step| event(part, step));
    let all = [process].into_iter().chain(threads).chain(steps);
    let trace = json!({ "traceEvents": all.collect::<Vec<_>>() });
    serde_json::to_string(&trace).map_err(io::Error::other)
}

fn event(part: &Part, step: &Step) -> Value {
    let thread = part.threads.iter().position(|name| *name == step.by);
    let code = step.code.and_then(|index| part.code.get(index));
    let source = code.map(|code| format!("{}:{}", code.file, code.line));
    json!({
        "name": label(step),
        "cat": if step.waits { "waits" } else { "works" },
        "ph": "X",
        "pid": 1,
        "tid": thread.map_or(0, |index| index + 1),
        // In microseconds.
        "ts": step.begin * 1_000.0,
        "dur": (step.end - step.begin) * 1_000.0,
        "args": {
            "call": format!("{}({})", step.call, step.args),
            "result": step.result,
            "client": step.client,
            "source": source,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace() -> Value {
        let step = Step {
            by: "main".into(),
            call: "recvfrom".into(),
            result: "5".into(),
            begin: 1.5,
            end: 3.5,
            waits: true,
            times: 1,
            ..Step::default()
        };
        let threads = vec!["main".into()];
        let part = Part {
            server: "a server".into(),
            threads,
            steps: vec![step],
            ..Part::default()
        };
        serde_json::from_str(&events(&part).unwrap_or_default())
            .unwrap_or_default()
    }

    #[test]
    fn a_step_is_an_event_on_the_track_of_its_thread() {
        let trace = trace();
        let event = &trace["traceEvents"][2];
        assert_eq!(event["name"], "recv 5");
        assert_eq!(
            (&event["ts"], &event["dur"]),
            (&json!(1500.0), &json!(2000.0))
        );
        assert_eq!(event["tid"], trace["traceEvents"][1]["tid"]);
    }

    /// "Trace Event Format": complete events (X) and metadata (M).
    #[test]
    fn each_event_has_the_fields_of_the_format() {
        let trace = trace();
        let events = trace["traceEvents"].as_array();
        let events = events.map(Vec::as_slice).unwrap_or_default();
        assert_eq!(events.len(), 3);
        for event in events {
            assert!(event["name"].is_string(), "{event}");
            assert!(event["pid"].is_u64(), "{event}");
            match event["ph"].as_str() {
                Some("M") => assert!(event["args"]["name"].is_string()),
                Some("X") => {
                    assert!(event["tid"].is_u64(), "{event}");
                    for number in ["ts", "dur"] {
                        let number = event[number].as_f64();
                        assert!(number.is_some_and(|n| n >= 0.0), "{event}");
                    }
                }
                other => panic!("{other:?}: {event}"),
            }
        }
    }
}
