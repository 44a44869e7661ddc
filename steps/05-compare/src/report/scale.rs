//! How values are laid out along an axis.

use std::ops::Range;

/// How values are laid out along an axis.
// ANCHOR: scale
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    /// Each step is ten times the last.
    Log,
    /// 0, 0.9, 0.99, 0.999: each step is a tenth of the rest.
    Nines,
}

impl Scale {
    pub(crate) fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.log10(),
            Self::Nines => -(1.0 - value).log10(),
        }
    }

    pub(crate) fn label(self, place: f64) -> String {
        let whole = place.fract().abs() < 1e-9;
        match self {
            Self::Linear => plain(place),
            Self::Log | Self::Nines if !whole => String::new(),
            Self::Log => format!("{}", 10_f64.powf(place)),
            // In percent: 0, 90, 99, 99.9.
            Self::Nines => {
                let decimals = (place as usize).saturating_sub(2);
                let percent = 100.0 - 100.0 * 0.1_f64.powf(place);
                format!("{percent:.decimals$}")
            }
        }
    }

    /// From the first place to the last, and a little room; whole powers of
    /// ten where only those are labelled.
    pub(crate) fn range(self, places: impl Iterator<Item = f64>) -> Range<f64> {
        let (low, high) = places
            .filter(|place| place.is_finite())
            .fold((f64::MAX, f64::MIN), |(l, h), p| (l.min(p), h.max(p)));
        match self {
            _ if low > high => 0.0..1.0,
            Self::Linear if high <= 0.0 => 0.0..1.0,
            Self::Linear => 0.0..high * 1.1,
            Self::Log => low.floor()..high.ceil().max(low.floor() + 1.0),
            Self::Nines => 0.0..high.max(1.0),
        }
    }

    pub(crate) fn ticks(self, range: &Range<f64>) -> usize {
        match self {
            Self::Linear => 6,
            Self::Log | Self::Nines => (range.end - range.start) as usize + 1,
        }
    }
}
// ANCHOR_END: scale

/// `value` without digits that say nothing: ticks are round numbers.
pub(crate) fn plain(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_of_nines_counts_in_percent() {
        let labels = [0.0, 0.9, 0.99, 0.999].map(|quantile| {
            let place = Scale::Nines.place(quantile);
            Scale::Nines.label((place * 1e9).round() / 1e9)
        });
        assert_eq!(labels, ["0", "90", "99", "99.9"]);
    }

    #[test]
    fn an_axis_of_powers_ends_at_whole_ones() {
        let places = [0.2, 30.0].map(|value| Scale::Log.place(value));
        assert_eq!(Scale::Log.range(places.into_iter()), -1.0..2.0);
        assert_eq!(Scale::Log.label(-1.0), "0.1");
    }
}
