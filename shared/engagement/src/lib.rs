//! The pure rules of engagement: signals, stages, campaigns and what to do next.
