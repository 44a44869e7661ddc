//! An axis of a plot: how values are laid out along it.

/// How a value is written on an axis.
pub type Format = fn(f64) -> String;

/// How values are laid out along an axis.
// ANCHOR: scale
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps are equal differences.
    Linear,
    /// Equal steps are equal ratios.
    Log,
    /// 0, 0.9, 0.99, 0.999: each step is a tenth of the rest.
    Nines,
}

impl Scale {
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.log10(),
            Self::Nines => -(1.0 - value).log10(),
        }
    }
}
// ANCHOR_END: scale

/// One axis.
#[derive(Debug)]
pub struct Axis {
    /// What it measures.
    pub label: &'static str,
    /// How values are laid out along it.
    pub scale: Scale,
    /// Where a value is written; the outermost bound the drawing.
    pub ticks: Vec<f64>,
    /// How it is written.
    pub format: Format,
}

impl Axis {
    /// From 0 to `most` or a little further, in four to ten equal steps.
    #[must_use]
    pub fn linear(label: &'static str, most: f64, format: Format) -> Self {
        let magnitude = 10_f64.powf((most.max(1e-9) / 4.0).log10().floor());
        let fits = |&&step: &&f64| most / (step * magnitude) <= 8.0;
        let step = [1.0, 2.0, 5.0].iter().find(fits).unwrap_or(&10.0);
        let step = step * magnitude;
        let count = (most / step).ceil().max(1.0) as u32;
        let ticks = (0..=count).map(|n| f64::from(n) * step).collect();
        Self { label, scale: Scale::Linear, ticks, format }
    }

    /// Whole powers of ten, as far as `values` reach that are above 0.
    #[must_use]
    pub fn log(
        label: &'static str,
        values: impl Iterator<Item = f64>,
        format: Format,
    ) -> Self {
        let (low, high) = values
            .filter(|value| value.is_normal() && *value > 0.0)
            .map(f64::log10)
            .fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        let (low, high) = (low.floor() as i32, high.ceil() as i32);
        let ticks = (low..=high.max(low + 1)).map(|n| 10_f64.powi(n));
        Self { label, scale: Scale::Log, ticks: ticks.collect(), format }
    }

    /// From 0 to the most nines that `values` reach; in percent.
    #[must_use]
    pub fn nines(
        label: &'static str,
        values: impl Iterator<Item = f64>,
    ) -> Self {
        let most = values.map(|v| Scale::Nines.place(v)).fold(1.0, f64::max);
        let nines = (0..=most.min(9.0).ceil() as i32).collect::<Vec<_>>();
        let ticks = nines.iter().map(|&n| 1.0 - 0.1_f64.powi(n)).collect();
        let format = |share: f64| {
            let percent = format!("{:.6}", share * 100.0);
            percent.trim_end_matches('0').trim_end_matches('.').into()
        };
        Self { label, scale: Scale::Nines, ticks, format }
    }

    /// Where `value` lies, from 0 to 1.
    // ANCHOR: share
    pub(super) fn share(&self, value: f64) -> f64 {
        let bounds = (self.ticks.first(), self.ticks.last());
        let (Some(&least), Some(&most)) = bounds else { return 0.0 };
        let [value, least, most] =
            [value, least, most].map(|value| self.scale.place(value));
        ((value - least) / (most - least)).clamp(0.0, 1.0)
    }
    // ANCHOR_END: share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(most: f64) -> Axis {
        Axis::linear("latency", most, |value| format!("{value:.1} s"))
    }

    #[test]
    fn an_axis_reaches_past_the_largest_value() {
        let axis = axis(3.1);
        let last = *axis.ticks.last().expect("ticks");
        assert!(last >= 3.1 && axis.ticks.len() <= 10, "{axis:?}");
        assert_eq!(axis.share(0.0), 0.0);
        assert_eq!(axis.share(last), 1.0);
    }

    #[test]
    fn on_a_logarithmic_axis_equal_steps_are_equal_ratios() {
        let values = [0.2, 0.0, 30.0, f64::INFINITY];
        let axis = Axis::log("ms", values.into_iter(), |v| v.to_string());
        assert_eq!(axis.ticks, [0.1, 1.0, 10.0, 100.0]);
        assert!((axis.share(1.0) - 1.0 / 3.0).abs() < 1e-9);
        let nothing = Axis::log("ms", [].into_iter(), |v| v.to_string());
        assert_eq!(nothing.ticks, [1.0, 10.0]);
    }

    #[test]
    fn the_axis_of_nines_counts_in_percent() {
        let axis = Axis::nines("percent", [0.5, 0.999].into_iter());
        let labels: Vec<_> =
            axis.ticks.iter().map(|&tick| (axis.format)(tick)).collect();
        assert_eq!(labels, ["0", "90", "99", "99.9"]);
    }
}
