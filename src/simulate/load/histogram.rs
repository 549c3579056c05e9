//! Latencies in buckets whose width grows with the value: at most 1 % off, in
//! a fixed amount of memory.

use std::time::Duration;

/// Buckets of one width, as a power of two.
const BITS: u32 = 7;

/// Values below this have a bucket of their own.
const EXACT: u64 = 1 << BITS;

/// Enough for `u64::MAX`.
const BUCKETS: usize = (64 - BITS as usize) * (EXACT as usize / 2) + EXACT as usize;

/// Counts of latencies, in microseconds.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    sum: u128,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0, sum: 0, max: 0 }
    }
}

impl Histogram {
    /// Counts one latency.
    pub fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(micros)) {
            *count += 1;
        }
        self.total += 1;
        self.sum += u128::from(micros);
        self.max = self.max.max(micros);
    }

    /// Adds what another has counted.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// How many were counted.
    pub const fn count(&self) -> u64 {
        self.total
    }

    /// The longest, exactly.
    pub const fn max(&self) -> Duration {
        Duration::from_micros(self.max)
    }

    /// The mean, exactly; zero if there is none.
    pub fn mean(&self) -> Duration {
        let mean = self.sum.checked_div(u128::from(self.total)).unwrap_or(0);
        Duration::from_micros(u64::try_from(mean).unwrap_or(u64::MAX))
    }

    /// The latency that `per_mille` of 1,000 do not exceed; zero if there is
    /// none.
    pub fn percentile(&self, per_mille: u64) -> Duration {
        let wanted = (u128::from(self.total) * u128::from(per_mille)).div_ceil(1000).max(1);
        let mut seen = 0_u128;
        for (index, count) in self.counts.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= wanted {
                return Duration::from_micros(highest(index).min(self.max));
            }
        }
        self.max()
    }
}

/// The bucket of a value: exact below 128, then 64 for each power of two.
fn bucket(value: u64) -> usize {
    if value < EXACT {
        return value as usize;
    }
    let shift = 64 - BITS - value.leading_zeros();
    let within = (value >> shift) as usize;
    shift as usize * (EXACT as usize / 2) + within
}

/// The highest value of a bucket.
fn highest(index: usize) -> u64 {
    let half = EXACT as usize / 2;
    if index < EXACT as usize {
        return index as u64;
    }
    let shift = index / half - 1;
    let within = (index - shift * half) as u64;
    // The last bucket ends at the largest value there is.
    let end = u128::from(within + 1) << shift;
    u64::try_from(end - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn micros(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        for value in values {
            histogram.record(Duration::from_micros(value));
        }
        histogram
    }

    #[test]
    fn percentiles_of_the_first_hundred() {
        let histogram = micros(1..=100);
        let at = |per_mille| histogram.percentile(per_mille).as_micros();
        assert_eq!((at(500), at(900), at(990), at(1000)), (50, 90, 99, 100));
        assert_eq!(histogram.mean().as_micros(), 50);
        assert_eq!(Histogram::default().percentile(990), Duration::ZERO);
    }

    #[test]
    fn adding_is_counting_together() {
        let (mut low, high) = (micros(0..500), micros(500..1000));
        low.add(&high);
        let whole = micros(0..1000);
        assert_eq!(low.counts, whole.counts);
        assert_eq!((low.count(), low.max(), low.mean()), (1000, whole.max(), whole.mean()));
    }

    proptest! {
        #[test]
        fn a_bucket_is_at_most_two_percent_wide(value in any::<u64>(), shift in 0..64_u32) {
            let value = value >> shift;
            let high = highest(bucket(value));
            prop_assert!(high >= value);
            prop_assert!(u128::from(high - value) * 50 <= u128::from(value).max(1) || high == value);
            prop_assert!(bucket(high) == bucket(value) && bucket(value) < BUCKETS);
        }
    }
}
