//! What the process tells of itself: its log, its counters with the catalogue of what it counts, and its spans.

pub mod catalogue;
mod counts;
mod figures;
mod latency;
mod log;
mod published;
mod sample;
mod spans;
pub mod traces;
mod traffic;
mod writer;

pub use figures::Figures;
pub use latency::Latency;
pub use log::{Log, LogFormat, start};
pub use published::{Publication, Published};
pub use sample::Sample;
pub use spans::Spans;
pub use traces::Tracer;
pub use traffic::{Requests, Traffic, known};
pub use writer::{LogGuard, LogWriter};
