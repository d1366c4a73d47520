//! CPU, memory and replicas.

use super::text::text_value;
use super::volume::millis;
use crate::error::ValueError;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

text_value!(
    /// An amount of CPU, such as `250m` or `1.5`: at least one thousandth of a core.
    Cpu,
    parse_cpu
);

text_value!(
    /// An amount of memory, such as `256Mi`: at least 4 MiB, below which no container starts.
    Memory,
    parse_memory
);

impl Cpu {
    /// In thousandths of a core.
    pub fn millis(&self) -> u64 {
        amount(self.as_str(), 1)
    }
}

impl Memory {
    /// In bytes.
    pub fn bytes(&self) -> u64 {
        amount(self.as_str(), 1000)
    }
}

fn amount(text: &str, unit: u128) -> u64 {
    u64::try_from(millis(text).unwrap_or_default().div_ceil(unit)).unwrap_or(u64::MAX)
}

fn parse_cpu(text: &str) -> Result<String, ValueError> {
    match millis(text) {
        Some(1..=1_000_000) => Ok(text.to_owned()),
        _ => Err(ValueError::new("CPU amount", text, "is not an amount between 1m and 1000", "write it like 250m or 1.5")),
    }
}

fn parse_memory(text: &str) -> Result<String, ValueError> {
    match millis(text) {
        Some(value) if (4u128 << 20..=1u128 << 50).contains(&value.div_ceil(1000)) => Ok(text.to_owned()),
        _ => Err(ValueError::new("memory amount", text, "is not an amount between 4Mi and 1Pi", "write it like 256Mi or 2Gi")),
    }
}

/// What is reserved and what is the most: `REQUEST:LIMIT` as text, or one amount for both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Request<T> {
    /// Reserved for the container.
    pub request: T,
    /// The most the container may use.
    pub limit: T,
}

impl<T: FromStr<Err = ValueError> + Clone> Request<T> {
    fn parse(text: &str, order: impl Fn(&T) -> u64) -> Result<Self, ValueError> {
        let (request, limit) = text.split_once(':').unwrap_or((text, text));
        let both = Self { request: request.parse()?, limit: limit.parse()? };
        if order(&both.request) > order(&both.limit) {
            return Err(ValueError::new("resource", text, "requests more than its limit", "write REQUEST:LIMIT with the smaller amount first"));
        }
        Ok(both)
    }
}

impl FromStr for Request<Cpu> {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text, Cpu::millis)
    }
}

impl FromStr for Request<Memory> {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text, Memory::bytes)
    }
}

/// What one replica of a container gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Resources {
    /// Processor time.
    pub cpu: Request<Cpu>,
    /// Memory.
    pub memory: Request<Memory>,
}

/// How many replicas of a container run: 1 to 50.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Replicas(u32);

super::schema::number_schema!(Replicas, 1, 50);

impl Replicas {
    /// One replica.
    pub const ONE: Self = Self(1);
    /// Two replicas: the least that survives the loss of one.
    pub const TWO: Self = Self(2);

    /// The number.
    pub fn count(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Replicas {
    type Error = ValueError;
    fn try_from(count: u32) -> Result<Self, ValueError> {
        if (1..=50).contains(&count) {
            return Ok(Self(count));
        }
        Err(ValueError::new(
            "number of replicas",
            &count.to_string(),
            "is not between 1 and 50",
            "give a number between 1 and 50; `kiwi service remove` stops a service",
        ))
    }
}

impl FromStr for Replicas {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text.parse::<u32>() {
            Ok(count) => Self::try_from(count),
            Err(_) => Err(ValueError::new("number of replicas", text, "is not a number", "give a number between 1 and 50")),
        }
    }
}

impl From<Replicas> for u32 {
    fn from(replicas: Replicas) -> u32 {
        replicas.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_request_never_exceeds_its_limit(a in 1u32..2000, b in 1u32..2000) {
            let parsed = format!("{a}m:{b}m").parse::<Request<Cpu>>();
            prop_assert_eq!(parsed.is_ok(), a <= b);
        }

        #[test]
        fn replicas_are_bounded(count in any::<u32>()) {
            prop_assert_eq!(Replicas::try_from(count).is_ok(), (1..=50).contains(&count));
        }

        #[test]
        fn never_panics(text in "\\PC{0,30}") {
            let _ = (text.parse::<Request<Cpu>>(), text.parse::<Request<Memory>>(), text.parse::<Replicas>());
        }
    }

    #[test]
    fn reads_units() {
        assert_eq!("1.5".parse::<Cpu>().unwrap().millis(), 1500);
        assert_eq!("256Mi".parse::<Memory>().unwrap().bytes(), 256 << 20);
        for text in ["", "0", "1Ki", "-1Gi", "abc", "2Pi"] {
            assert!(text.parse::<Memory>().is_err(), "{text:?}");
        }
    }
}
