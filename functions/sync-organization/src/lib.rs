//! Looks at one organization in BILL and remembers where it stands.
