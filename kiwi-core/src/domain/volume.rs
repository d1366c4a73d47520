//! Volumes and Kubernetes quantities.

use super::text::text_value;
use crate::error::ValueError;
use serde::{Deserialize, Serialize};

text_value!(
    /// Where a volume appears in a container: an absolute path below the root.
    MountPath,
    parse_path
);

fn parse_path(text: &str) -> Result<String, ValueError> {
    let fail = |problem: &str| Err(ValueError::new("mount path", text, problem, "give an absolute path such as \"/var/lib/data\""));
    if !text.starts_with('/') {
        return fail("is not absolute");
    }
    if text.len() > 1024 || text.chars().any(|c| c.is_control() || c == ':' || c == ',') {
        return fail("is longer than 1024 characters or contains a control character, a colon or a comma");
    }
    if text.split('/').any(|part| part == ".." || part == ".") {
        return fail("has a relative segment");
    }
    let path = text.trim_end_matches('/');
    if path.is_empty() {
        return fail("is the root of the container");
    }
    for reserved in ["/proc", "/sys", "/dev"] {
        if path == reserved || path.starts_with(&format!("{reserved}/")) {
            return fail("lies in a directory of the kernel");
        }
    }
    Ok(path.to_owned())
}

text_value!(
    /// A Kubernetes quantity above zero, such as `500m`, `1`, `10Gi` or `1e3`.
    Quantity,
    parse_quantity
);

impl Quantity {
    /// The quantity in thousandths, rounded up.
    pub fn millis(&self) -> u128 {
        millis(self.as_str()).unwrap_or_default()
    }
}

fn parse_quantity(text: &str) -> Result<String, ValueError> {
    match millis(text) {
        Some(value) if value > 0 => Ok(text.to_owned()),
        Some(_) => Err(ValueError::new("quantity", text, "is zero", "give an amount above zero")),
        None => Err(ValueError::new("quantity", text, "is not a Kubernetes quantity", "write it like 500m, 2, 512Mi or 10Gi")),
    }
}

/// Reads `<digits>[.<digits>]<suffix>` exactly, in thousandths and rounded up.
/// Source of the rule: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>.
pub(super) fn millis(text: &str) -> Option<u128> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || number.len() > 30 || fraction.contains('.') {
        return None;
    }
    // The factor is `numerator / 10^negative`, in thousandths.
    let (numerator, negative): (u128, u32) = match suffix {
        "n" => (1, 6),
        "u" => (1, 3),
        "m" => (1, 0),
        "" => (1000, 0),
        "k" => (1000 * 1000, 0),
        "M" => (1000 * 1_000_000, 0),
        "G" => (1000 * 1_000_000_000, 0),
        "T" => (1000 * 1_000_000_000_000, 0),
        "P" => (1000 * 1_000_000_000_000_000, 0),
        "E" => (1000 * 1_000_000_000_000_000_000, 0),
        "Ki" => (1000 << 10, 0),
        "Mi" => (1000 << 20, 0),
        "Gi" => (1000 << 30, 0),
        "Ti" => (1000 << 40, 0),
        "Pi" => (1000 << 50, 0),
        "Ei" => (1000 << 60, 0),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            match exponent {
                0..=18 => (1000 * 10u128.pow(exponent.unsigned_abs()), 0),
                -9..=-1 => (1000, exponent.unsigned_abs()),
                _ => return None,
            }
        }
    };
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let divisor = 10u128.checked_pow(u32::try_from(fraction.len()).ok()? + negative)?;
    let value = digits.checked_mul(numerator)?.div_ceil(divisor);
    // Kubernetes itself stops at 2^63 - 1.
    (value <= 1000 * i64::MAX as u128).then_some(value)
}

/// A place where a container keeps data beyond its own life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// Where it appears in the container.
    pub mount_path: MountPath,
    /// How large it is. Docker's local volumes do not enforce it, and the plan says so.
    pub size: Quantity,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_quantities_exactly() {
        for (text, expected) in
            [("1", 1000), ("500m", 500), ("0.5", 500), ("1Ki", 1_024_000), ("1e3", 1_000_000), ("1E", 10u128.pow(21)), (".5Gi", 536_870_912_000), ("1u", 1)]
        {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
        for text in ["", "m", "1.2.3", "1KB", "-1", "+1", "1 Gi", "Gi", "1e99", "0x1", "１"] {
            assert!(text.parse::<Quantity>().is_err(), "{text:?}");
        }
        assert!("0".parse::<Quantity>().is_err());
    }

    #[test]
    fn refuses_dangerous_mount_paths() {
        for text in ["", "data", "/", "//", "/a/../b", "/proc", "/dev/sda", "/a:b", "/a\nb", "/sys/fs"] {
            assert!(text.parse::<MountPath>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn quantities_are_monotonous(a in 1u32..1_000_000, b in 1u32..1_000_000, suffix in "(m||k|Mi|Gi)") {
            let (x, y) = (millis(&format!("{a}{suffix}")).unwrap(), millis(&format!("{b}{suffix}")).unwrap());
            prop_assert_eq!(a.cmp(&b), x.cmp(&y));
        }

        #[test]
        fn never_panics(text in "\\PC{0,30}") {
            let _ = (text.parse::<Quantity>(), text.parse::<MountPath>());
        }
    }
}
