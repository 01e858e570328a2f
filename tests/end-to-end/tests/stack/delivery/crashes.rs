//! Crash tests: at each side effect, just before or just after it, a function loses its connection
//! to AWS for the rest of the invocation, as a killed process does. Then it is invoked again, as
//! its trigger would.

mod crash_point;
mod email;
mod items;
mod notify;
mod recipients;
mod sweep;
