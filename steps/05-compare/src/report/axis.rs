//! An axis of a plot: how values are laid out along it.

/// How a value is written on an axis.
pub type Format = fn(f64) -> String;

/// How values are laid out along an axis.
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
    /// From 0 to the largest of `values` or a bit more, in four to ten steps.
    pub fn linear(label: &'static str, values: &[f64], format: Format) -> Self {
        let most = values.iter().copied().fold(0.0, f64::max);
        let magnitude = 10_f64.powf((most.max(1e-9) / 4.0).log10().floor());
        let fits = |&&step: &&f64| most / (step * magnitude) <= 8.0;
        let step = [1.0, 2.0, 5.0].iter().find(fits).unwrap_or(&10.0);
        let step = step * magnitude;
        let count = (most / step).ceil().max(1.0) as u32;
        let ticks = (0..=count).map(|n| f64::from(n) * step).collect();
        Self { label, scale: Scale::Linear, ticks, format }
    }

    /// Whole powers of ten, as far as `values` reach that are above 0.
    pub fn log(label: &'static str, values: &[f64], format: Format) -> Self {
        let positive = values.iter().filter(|v| v.is_normal() && **v > 0.0);
        let powers = positive.map(|value| value.log10());
        let low = powers.clone().map(|power| power.floor() as i32).min();
        let high = powers.map(|power| power.ceil() as i32).max();
        let (low, high) = (low.unwrap_or(0), high.unwrap_or(0));
        let ticks = (low..=high.max(low + 1)).map(|n| 10_f64.powi(n));
        Self { label, scale: Scale::Log, ticks: ticks.collect(), format }
    }

    /// From 0 to the most nines that `values` reach; in percent.
    pub fn nines(label: &'static str, values: &[f64]) -> Self {
        let places = values.iter().map(|&value| Scale::Nines.place(value));
        let most = places.fold(1.0, f64::max).min(9.0).ceil() as i32;
        let ticks = (0..=most).map(|n| 1.0 - 0.1_f64.powi(n)).collect();
        let format = |share: f64| {
            let percent = format!("{:.6}", share * 100.0);
            percent.trim_end_matches('0').trim_end_matches('.').into()
        };
        Self { label, scale: Scale::Nines, ticks, format }
    }

    /// Where `value` lies, from 0 to 1.
    pub(crate) fn share(&self, value: f64) -> f64 {
        let bounds = (self.ticks.first(), self.ticks.last());
        let (Some(&least), Some(&most)) = bounds else { return 0.0 };
        let [value, least, most] =
            [value, least, most].map(|value| self.scale.place(value));
        ((value - least) / (most - least)).clamp(0.0, 1.0)
    }
}
