//! `engage`, the operators' command line. The binary reads its arguments and prints; what a command
//! does stands here.

pub mod keys;
pub mod replay;
pub mod report;
pub mod stack;
pub mod webhooks;
