//! The options that say which values of a metric are bad: `--metric`, `--below`, `--above`,
//! `--tolerance`.

use super::Failure;
use crate::repo::{BoundSide, Error, MetricRule};

/// A rule as typed.
#[derive(Debug, clap::Args)]
pub(super) struct MetricRuleArgs {
    /// A field of runs that decides by itself: metrics.accuracy
    #[arg(long, value_name = "FIELD", requires = "bound")]
    metric: Option<String>,
    /// Bad is what has less
    #[arg(long, value_name = "NUMBER", group = "bound", requires = "metric")]
    #[arg(allow_negative_numbers = true)]
    below: Option<f64>,
    /// Bad is what has more
    #[arg(long, value_name = "NUMBER", group = "bound", requires = "metric")]
    #[arg(allow_negative_numbers = true)]
    above: Option<f64>,
    /// Values are noisy: what is not farther from the bound decides nothing
    #[arg(long, value_name = "NUMBER", requires = "metric", default_value_t = 0.0)]
    #[arg(hide_default_value = true, allow_negative_numbers = true)]
    tolerance: f64,
}

impl MetricRuleArgs {
    /// Gives the rule, if there is one.
    ///
    /// Errors: `Usage` for a tolerance below 0, and for what is no number.
    pub fn rule(&self) -> Result<Option<MetricRule>, Failure> {
        let bound = self.above.map(|bound| (BoundSide::Above, bound));
        let bound = bound.or(self.below.map(|bound| (BoundSide::Below, bound)));
        let (Some(name), Some((side, bound))) = (&self.metric, bound) else { return Ok(None) };
        if self.tolerance < 0.0 {
            return Err(Error::Usage("a tolerance is 0 or more".to_owned()).into());
        }
        let rule = MetricRule::new(name.clone(), side, bound, self.tolerance);
        Ok(Some(rule.map_err(|error| Error::Usage(error.to_string()))?))
    }
}
