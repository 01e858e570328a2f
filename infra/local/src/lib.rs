//! The local cloud: starts MiniStack and the BILL sandbox, deploys the template and drives it.
