//! Several parts, one under the other, on one clock: to scale, from left to
//! right.

use crate::model::{Part, Step, Timeline};
use crate::svg::{Svg, colour, waits_for};

const WIDTH: f64 = 440.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 12.0;
const LANE: f64 = 21.0;
const BAR: f64 = 13.0;

/// Draws all parts of `timeline`.
pub(crate) fn draw(timeline: &Timeline) -> String {
    let longest = timeline.parts.iter().map(|part| part.duration);
    let scale = (WIDTH - LEFT - RIGHT) / longest.fold(1.0, f64::max);
    let mut svg = Svg::default();
    let mut y = 16.0;
    let mut first = 0;
    for part in &timeline.parts {
        svg.text("tl-head", 0.0, y, &part.server);
        y = draw_part(&mut svg, part, (scale, y + 8.0), first) + 26.0;
        first += part.steps.len();
    }
    let bottom = y - 22.0;
    axis(&mut svg, scale, bottom);
    svg.finish(WIDTH, bottom + 22.0, &timeline.story)
}

fn draw_part(
    svg: &mut Svg,
    part: &Part,
    (scale, top): (f64, f64),
    first: usize,
) -> f64 {
    let lanes: Vec<_> = part.clients.iter().chain(&part.threads).collect();
    let at = |time: f64| LEFT + time * scale;
    for (index, name) in lanes.iter().enumerate() {
        let y = top + LANE * index as f64;
        let colour = colour(part, Some(name));
        svg.text(&format!("tl-lane {colour}"), 0.0, y + 12.0, name);
        if part.clients.contains(name) {
            presence(svg, part, (name, &colour), (scale, y));
        }
    }
    for (index, step) in part.steps.iter().enumerate() {
        let lane = lanes.iter().position(|name| **name == step.by);
        let y = top + LANE * lane.unwrap_or(0) as f64;
        let colour = colour(part, step.client.as_ref());
        svg.open(first + index);
        if step.waits && step.end > step.begin {
            let width = (step.end - step.begin) * scale;
            let class = format!("tl-wait {}", waits_for(part, step));
            svg.rect(&class, at(step.begin), y + 3.0, width, BAR - 4.0);
            if !part.is_clients(step) {
                wait_label(svg, step, (at(step.begin), y), width);
            }
        }
        if !step.result.is_empty() || !step.waits {
            let class = format!("tl-work {colour}");
            svg.rect(&class, at(step.moment()) - 1.5, y + 1.0, 3.0, BAR);
        }
        svg.close();
    }
    top + LANE * lanes.len() as f64
}

/// A line for as long as the client is connected.
fn presence(
    svg: &mut Svg,
    part: &Part,
    (name, colour): (&String, &str),
    (scale, y): (f64, f64),
) {
    let own = || part.steps.iter().filter(|step| step.by == *name);
    let (Some(first), Some(last)) = (own().next(), own().next_back()) else {
        return;
    };
    let y = y + 1.0 + BAR / 2.0;
    let from = (LEFT + first.moment() * scale, y);
    let to = (LEFT + last.moment() * scale, y);
    svg.line(&format!("tl-present {colour}"), from, to);
    if own().map(|step| &step.args).eq(["SIGSTOP", "SIGCONT"]) {
        let middle = (from.0 + to.0) / 2.0;
        svg.text("tl-in", middle, y - 4.0, "the server is stopped");
    }
}

/// The name of a call that waits, where it has room.
fn wait_label(svg: &mut Svg, step: &Step, (x, y): (f64, f64), width: f64) {
    let name = step.function();
    if width > name.len() as f64 * 6.2 + 4.0 {
        svg.text("tl-in", x + width / 2.0, y + 10.7, name);
    }
}

fn axis(svg: &mut Svg, scale: f64, y: f64) {
    let end = (WIDTH - LEFT - RIGHT) / scale;
    let steps = [10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0];
    let step = steps.into_iter().find(|s| end / s <= 6.0).unwrap_or(5000.0);
    svg.line("tl-life", (LEFT, y), (WIDTH - RIGHT, y));
    let mut time = 0.0;
    while time <= end {
        let x = LEFT + time * scale;
        svg.line("tl-life", (x, y), (x, y + 4.0));
        let last = time + step > end;
        let text = if last { format!("{time} ms") } else { time.to_string() };
        svg.text("tl-tick", x, y + 16.0, &text);
        time += step;
    }
}
