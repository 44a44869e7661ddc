//! A figure for a page: the picture, its caption, and the data for the script.

use std::io;

use crate::model::Timeline;
use crate::svg::escape;
use crate::{clock, sequence};

/// What makes a figure one that can be stepped through.
const SCRIPT: &str = include_str!("../../../book/theme/timeline.js");
const STYLE: &str = include_str!("../../../book/theme/timeline.css");

/// The figure as HTML, without a blank line, as Markdown wants it.
///
/// # Errors
/// None: the data can always be written.
pub fn figure(timeline: &Timeline) -> io::Result<String> {
    let picture = picture(timeline);
    let data = serde_json::to_string(timeline).map_err(io::Error::other)?;
    // In an attribute the search does not find it, and no printer prints it.
    let data = data.replace('&', "&amp;").replace('\'', "&#39;");
    let data = data.replace('<', "&lt;");
    Ok(format!(
        "<figure class=\"picture timeline\" data-timeline='{data}'>\n{picture}\
         <figcaption><b>{}.</b> {}</figcaption>\n</figure>\n",
        escape(&timeline.title),
        timeline.caption
    ))
}

fn picture(timeline: &Timeline) -> String {
    if timeline.clock {
        return clock::draw(timeline);
    }
    let mut first = 0;
    let mut pictures = String::new();
    for part in &timeline.parts {
        if timeline.parts.len() > 1 {
            let server = escape(&part.server);
            pictures.push_str(&format!("<p class=\"tl-part\">{server}</p>\n"));
        }
        let text = match first {
            0 => timeline.story.clone(),
            _ => format!("The same before {}.", part.server),
        };
        pictures.push_str(&sequence::draw(part, first, &text));
        first += part.steps.len();
    }
    pictures
}

/// A page of its own: the figure, and all that it needs.
///
/// # Errors
/// As [`figure`].
pub fn standalone(timeline: &Timeline) -> io::Result<String> {
    let (figure, title) = (figure(timeline)?, escape(&timeline.title));
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n\
         <meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <style>\n{STYLE}\n{OWN_STYLE}</style>\n</head>\n<body>\n<main>\n\
         {figure}</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    ))
}

/// What the book's theme would say.
const OWN_STYLE: &str = "\
:root { color-scheme: light dark; --fg: CanvasText; --bg: Canvas;
  --quote-bg: color-mix(in srgb, CanvasText 8%, Canvas);
  --table-border-color: color-mix(in srgb, CanvasText 25%, Canvas);
  --links: LinkText; --mono-font: ui-monospace, monospace; }
body { font-family: system-ui, sans-serif; color: var(--fg);
  background: var(--bg); margin: 1rem auto; max-width: 760px; padding: 0 1rem; }
svg { width: 100%; height: auto; display: block; }
.tl-stage { overflow-x: auto; }
";
