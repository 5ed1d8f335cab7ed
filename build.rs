//! What the compiler does not know: the packs under `assets/platforms` are embedded by a macro that does not tell Cargo
//! which files it read, and `doctor` holds the clock against the year of the build.

use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    println!("cargo:rerun-if-changed=assets/platforms");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    // In years of 366 days: never later than the real one.
    let year = 1970 + given.unwrap_or_else(now) / (366 * 86_400);
    println!("cargo:rustc-env=HOOKTAPE_BUILD_YEAR={year}");
}
