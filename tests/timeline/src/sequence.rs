//! A part call by call: time runs down, a row for each step. Not to scale, so
//! that a call of ten microseconds can be read beside a wait of a second.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::model::{Kernel, Part, Step};
use crate::svg::{Svg, colour, label, waits_for};

const ROW: f64 = 20.0;
const TOP: f64 = 44.0;
const TIME: f64 = 40.0;
const LETTER: f64 = 6.3;
const BAR: f64 = 11.0;
const BAND: f64 = 12.0;

const COLUMNS: [&str; 4] =
    ["accept queue", "unread", "ready list", "sent, unread"];

/// Whether `name` is in a column of the kernel's.
fn holds(column: &str, state: &Kernel, name: &String) -> bool {
    match column {
        "accept queue" => state.queue.contains(name),
        "unread" => {
            state.unread.contains_key(name)
                || state.fin.contains(name)
                || state.reset.contains(name)
        }
        "ready list" => state.ready.contains(name),
        // A reply that is read at once is no news.
        "sent, unread" => {
            state.sent.get(name).is_some_and(|bytes| *bytes > 65_536)
        }
        more => state.more.get(more).is_some_and(|n| n.contains(name)),
    }
}

struct Layout<'a> {
    part: &'a Part,
    /// The height of each step.
    rows: Vec<f64>,
    /// Where each lane begins.
    lanes: BTreeMap<&'a String, f64>,
    kernel: Vec<(&'a str, f64)>,
    width: f64,
}

/// Draws `part`, whose steps are numbered from `first`.
pub(crate) fn draw(part: &Part, first: usize, text: &str) -> String {
    let layout = Layout::new(part);
    let mut svg = Svg::default();
    let bottom = layout.rows.last().copied().unwrap_or(TOP) + ROW / 2.0;
    layout.heads(&mut svg, bottom);
    layout.kernel_bands(&mut svg, bottom);
    layout.links(&mut svg);
    let mut shown = String::new();
    for (index, step) in part.steps.iter().enumerate() {
        let y = layout.rows[index];
        svg.open(first + index);
        svg.rect("tl-row", 0.0, y - ROW / 2.0, layout.width, ROW);
        let moment = time(step.moment());
        if moment != shown {
            svg.text("tl-time", TIME - 6.0, y + 4.0, &moment);
            shown = moment;
        }
        layout.step(&mut svg, step, y);
        svg.close();
    }
    svg.finish(layout.width, bottom + 4.0, text)
}

fn time(milliseconds: f64) -> String {
    if milliseconds < 10.0 {
        format!("{milliseconds:.1}")
    } else {
        format!("{milliseconds:.0}")
    }
}

/// Which columns have anything in them. Beside many threads there is no room.
fn columns(part: &Part) -> Vec<&str> {
    if part.threads.len() > 1 {
        return Vec::new();
    }
    let filled = |column: &&str| {
        part.steps.iter().any(|step| {
            let lanes = part.clients.iter();
            lanes
                .chain([&"listener".to_owned()])
                .any(|name| holds(column, &step.derived, name))
        })
    };
    let more = part.steps.iter().flat_map(|step| step.derived.more.keys());
    let more: BTreeSet<_> = more.map(String::as_str).collect();
    COLUMNS.into_iter().chain(more).filter(filled).collect()
}

fn column_width(part: &Part, column: &str) -> f64 {
    let longest = column.split(' ').map(str::len).max().unwrap_or(0);
    let bands = BAND * part.clients.len() as f64 + 12.0;
    bands.max(longest as f64 * 6.4 + 4.0).max(46.0)
}

impl<'a> Layout<'a> {
    fn new(part: &'a Part) -> Self {
        let mut y = TOP + ROW / 2.0;
        let mut before = part.steps.first().map_or(0.0, Step::moment);
        let mut rows = Vec::new();
        for (index, step) in part.steps.iter().enumerate() {
            let pause = step.moment() - before;
            before = step.moment();
            let stretch = if pause > 4.0 { 7.0 * pause.ln() } else { 0.0 };
            y += if index == 0 { 0.0 } else { ROW + stretch };
            rows.push(y);
        }
        let mut x = TIME;
        let mut lanes = BTreeMap::new();
        let lanes_of = part.clients.iter().filter(|name| has_lane(part, name));
        for name in lanes_of.chain(&part.threads) {
            lanes.insert(name, x);
            x += lane_width(part, name);
        }
        x += 8.0;
        let mut kernel = Vec::new();
        for column in columns(part) {
            kernel.push((column, x));
            x += column_width(part, column);
        }
        Self { part, rows, lanes, kernel, width: x.max(340.0) }
    }

    /// The height at a time: between two steps in proportion.
    fn at(&self, moment: f64) -> f64 {
        let steps = &self.part.steps;
        let next = steps.iter().position(|step| step.moment() > moment);
        match next {
            Some(0) => TOP,
            None => self.rows.last().copied().unwrap_or(TOP),
            Some(next) => {
                let (from, to) =
                    (steps[next - 1].moment(), steps[next].moment());
                let share = (moment - from) / (to - from);
                let (above, below) = (self.rows[next - 1], self.rows[next]);
                above + share * (below - above)
            }
        }
    }

    fn heads(&self, svg: &mut Svg, bottom: f64) {
        svg.text("tl-time", TIME - 6.0, TOP - 6.0, "ms");
        for (name, x) in &self.lanes {
            let class = if self.part.clients.contains(name) {
                format!("tl-head {}", colour(self.part, Some(name)))
            } else {
                "tl-head".into()
            };
            svg.text(&class, *x, TOP - 6.0, name);
            let middle = x + BAR / 2.0;
            svg.line("tl-life", (middle, TOP), (middle, bottom));
        }
        if let Some((_, x)) = self.kernel.first() {
            // Tasks are the program's own.
            let own = self.kernel.iter().any(|(c, _)| *c == "woken tasks");
            let head = if own { "derived" } else { "kernel (derived)" };
            svg.text("tl-small", *x, 12.0, head);
        }
        for (name, x) in &self.kernel {
            for (line, word) in name.split(' ').enumerate() {
                let y = TOP - 18.0 + 12.0 * line as f64;
                svg.text("tl-small", *x, y, word);
            }
        }
    }

    /// For each client a band for as long as it is in a column.
    fn kernel_bands(&self, svg: &mut Svg, bottom: f64) {
        let listener = "listener".to_owned();
        for (column, x) in &self.kernel {
            let names = self.part.clients.iter().filter(|n| *n != "signal");
            for (index, name) in names.chain([&listener]).enumerate() {
                let mut since = None;
                for (row, step) in self.part.steps.iter().enumerate() {
                    let y = self.rows[row];
                    match (holds(column, &step.derived, name), since) {
                        (true, None) => since = Some(y),
                        (false, Some(from)) => {
                            self.band(svg, (name, index), *x, (from, y));
                            since = None;
                        }
                        _ => {}
                    }
                }
                if let Some(from) = since {
                    self.band(svg, (name, index), *x, (from, bottom));
                }
            }
        }
    }

    fn band(
        &self,
        svg: &mut Svg,
        (name, index): (&String, usize),
        x: f64,
        (from, to): (f64, f64),
    ) {
        let x = x + BAND * index as f64;
        let class = format!("tl-held {}", colour(self.part, Some(name)));
        svg.rect(&class, x, from, BAND - 2.0, (to - from).max(3.0));
        if to - from >= 12.0 {
            let letter = name.chars().take(1).collect::<String>();
            let letter = if name == "listener" { "L".into() } else { letter };
            svg.text("tl-in", x + 5.0, from + 10.0, &letter);
        }
    }

    /// A line from what was sent to where it was received.
    fn links(&self, svg: &mut Svg) {
        let mut sent: BTreeMap<(&String, bool), Sent> = BTreeMap::new();
        for (index, step) in self.part.steps.iter().enumerate() {
            let Some(client) = &step.client else { continue };
            let Some(x) = self.lanes.get(&step.by) else { continue };
            let by_client = self.part.is_clients(step);
            let point = (x + BAR / 2.0, self.rows[index]);
            let is_sent = matches!(step.function(), "connect" | "send");
            // What the client sent, or what the server did.
            let from_client = by_client == is_sent;
            let way = sent.entry((client, from_client)).or_default();
            let from = match (step.function(), step.count()) {
                ("connect", _) => way.add(point, 0),
                ("send", Some(count)) => way.add(point, count),
                ("accept", Some(_)) => way.take(0),
                ("recv", Some(count)) if count > 0 => {
                    way.take(count * step.times)
                }
                _ => None,
            };
            if let Some(from) = from {
                let colour = colour(self.part, Some(client));
                svg.line(&format!("tl-link {colour}"), from, point);
            }
        }
    }

    fn step(&self, svg: &mut Svg, step: &Step, y: f64) {
        let Some(&x) = self.lanes.get(&step.by) else { return };
        let colour = colour(self.part, step.client.as_ref());
        if step.waits {
            let from = self.at(step.begin);
            let class = format!("tl-wait {}", waits_for(self.part, step));
            svg.rect(&class, x + 1.0, from, BAR - 2.0, (y - from).max(2.0));
        }
        if !step.result.is_empty() || !step.waits {
            let class = format!("tl-work {colour}");
            svg.rect(&class, x, y - 5.0, BAR, 10.0);
        }
        let text = if step.result.is_empty() && step.waits {
            format!("{} …", step.function())
        } else {
            full_label(self.part, step)
        };
        svg.text("tl-label", x + BAR + 4.0, y + 4.0, &text);
    }
}

/// Whether we know what the client did. Of a reader's own we do not.
fn has_lane(part: &Part, client: &String) -> bool {
    part.steps.iter().any(|step| step.by == *client)
}

/// The label, with the client where no lane shows it.
fn full_label(part: &Part, step: &Step) -> String {
    let label = label(step);
    match step.client.as_ref().filter(|name| !has_lane(part, name)) {
        Some(name) if !label.split(' ').any(|word| word == name) => {
            format!("{label} ({name})")
        }
        _ => label,
    }
}

/// Room for the longest label of a lane.
fn lane_width(part: &Part, name: &str) -> f64 {
    let own = part.steps.iter().filter(|step| step.by == name);
    let labels = own.map(|step| full_label(part, step).chars().count());
    let label = labels.max().unwrap_or(0) as f64 * LETTER + BAR + 9.0;
    let head = name.chars().count() as f64 * 7.4 + 9.0;
    label.max(head).min(230.0)
}

/// What one side has sent and the other not received, and where it was sent.
/// A connection counts as nothing sent.
#[derive(Default)]
struct Sent(VecDeque<((f64, f64), u64)>);

impl Sent {
    fn add(&mut self, point: (f64, f64), count: u64) -> Option<(f64, f64)> {
        self.0.push_back((point, count));
        None
    }

    /// Takes `count` bytes, or a connection; says where the first was sent.
    fn take(&mut self, mut count: u64) -> Option<(f64, f64)> {
        let from = self.0.front()?.0;
        while let Some((_, left)) = self.0.front_mut() {
            if *left > count {
                *left -= count;
                break;
            }
            count -= *left;
            self.0.pop_front();
            if count == 0 {
                break;
            }
        }
        Some(from)
    }
}
