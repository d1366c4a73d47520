//! Guessing slowed: after some failures, an address has to wait.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many failures are free.
const FREE: u32 = 10;
/// How long failures are remembered.
const MEMORY: Duration = Duration::from_secs(60);
/// How many addresses are remembered. When there are more, those that are over their time go, then the rest: an attacker with that many
/// addresses is not one that a table stops.
const MOST: usize = 10_000;

/// Failures by the address that they came from.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<IpAddr, (u32, Instant)>>);

impl Throttle {
    /// How many seconds this address has to wait; none when it may try.
    pub(crate) fn wait(&self, address: IpAddr) -> Option<u64> {
        let address = one_caller(address);
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (failures, since) = seen.get(&address)?;
        let left = MEMORY.checked_sub(since.elapsed())?;
        (*failures >= FREE).then(|| left.as_secs() + 1)
    }

    /// Notes a failure.
    pub(crate) fn fail(&self, address: IpAddr) {
        let address = one_caller(address);
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.retain(|_, (_, since)| since.elapsed() < MEMORY);
            if seen.len() >= MOST {
                seen.clear();
            }
        }
        let entry = seen.entry(address).or_insert((0, Instant::now()));
        if entry.1.elapsed() >= MEMORY {
            *entry = (0, Instant::now());
        }
        entry.0 += 1;
    }
}

/// Whoever has one address of IPv6 has mostly all of its /64.
fn one_caller(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(wide) => IpAddr::from((u128::from(wide) >> 64 << 64).to_be_bytes()),
        narrow @ IpAddr::V4(_) => narrow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_often_waits_and_nobody_else() {
        let throttle = Throttle::default();
        let address = |number: usize| IpAddr::from(u32::try_from(number).unwrap().to_be_bytes());
        (0..FREE - 1).for_each(|_| throttle.fail(address(1)));
        assert_eq!(throttle.wait(address(1)), None);
        throttle.fail(address(1));
        assert!(throttle.wait(address(1)).is_some_and(|seconds| (1..=61).contains(&seconds)));
        assert_eq!(throttle.wait(address(2)), None);
        let wide = |number: u128| IpAddr::from(((0x2001_0db8_u128 << 96) + number).to_be_bytes());
        (0..u128::from(FREE)).for_each(|number| throttle.fail(wide(number)));
        assert!(throttle.wait(wide(99)).is_some() && throttle.wait(wide(1 << 64)).is_none());
        (0..2 * MOST).for_each(|number| throttle.fail(address(number)));
        assert!(throttle.0.lock().unwrap().len() <= MOST);
    }
}
