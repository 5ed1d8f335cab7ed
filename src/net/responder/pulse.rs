//! Signs of life: of the listener, and of the targets that calls are forwarded to.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::config::Target;

/// How long a target may take to be connected to.
const PATIENCE: Duration = Duration::from_secs(2);

/// What of the listener can be seen from outside.
#[derive(Debug, Default)]
pub struct Pulse {
    serving: AtomicBool,
    in_flight: AtomicUsize,
}

/// The pulse at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// Calls are being accepted.
    pub serving: bool,
    /// Calls that came and are not answered yet.
    pub in_flight: usize,
}

/// How a target does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It can be reached.
    Up,
    /// It cannot: why.
    Down(String),
}

impl Pulse {
    /// The pulse now.
    #[must_use]
    pub fn beat(&self) -> Beat {
        Beat { serving: self.serving.load(Ordering::Relaxed), in_flight: self.in_flight.load(Ordering::Relaxed) }
    }

    /// Calls are accepted until what is given back is dropped.
    #[must_use]
    pub(in crate::net) fn serve(&self) -> impl Drop + '_ {
        self.serving.store(true, Ordering::Relaxed);
        Guard(|| self.serving.store(false, Ordering::Relaxed))
    }

    /// A call is under way until what is given back is dropped.
    #[must_use]
    pub(in crate::net) fn call(&self) -> impl Drop + '_ {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Guard(|| {
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
        })
    }
}

struct Guard<F: Fn()>(F);

impl<F: Fn()> Drop for Guard<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Whether a target takes connections.
///
/// # Errors
/// A sentence: why it does not.
pub(super) async fn knock(target: &Target) -> Result<(), String> {
    let place = target.place();
    let host = if place.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        place.to_owned()
    } else {
        format!("{place}:{}", if target.url.starts_with("https:") { 443 } else { 80 })
    };
    match tokio::time::timeout(PATIENCE, TcpStream::connect(&host)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Err(format!("nothing listens at {place} (connection refused): is the server running?"))
        }
        Ok(Err(error)) => Err(format!("cannot connect to {place}: {error}")),
        Err(_) => Err(format!("no connection to {place} within {PATIENCE:?}")),
    }
}
