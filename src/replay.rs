//! Recorded calls sent again: which, where to, when, with what wrong on purpose, and what the answers shall be.
//!
//! ```text
//!  Reader --Selection--> [Item] --Schedule--> Step --Plan--> Outgoing --net::sender--> Call --> Recorder
//!                                   ^ Control: pause, cancel                            |
//!  Report, Summary <--Outcome-- Expectation, compare <----------------------------------+
//! ```
//!
//! [`Replay::run`] does it and tells every [`Outcome`] as it comes; nothing here prints. [`compare`] and [`expect`] serve two
//! calls as well as thousands. [`template`] and [`variables`] are what drafts are filled with.

mod alarm;
mod change;
pub mod compare;
mod control;
pub mod expect;
mod leaving;
pub mod mask;
mod masked;
mod outcome;
mod plan;
pub mod report;
mod run;
mod schedule;
mod select;
mod summary;
pub mod template;
#[cfg(test)]
mod testing;
pub mod variables;

pub use self::change::{Change, change};
pub use self::control::Control;
pub use self::leaving::Leaving;
pub use self::masked::masked;
pub use self::outcome::{Outcome, Skipped, Told};
pub use self::plan::{Plan, Refusal, mode};
pub use self::run::Replay;
pub use self::schedule::{Pace, Schedule};
pub use self::select::{Item, Selection, call_of, select};
pub use self::summary::{Answers, Latencies, Meter, Summary, Times, answered};
