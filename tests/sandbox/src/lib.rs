//! A BILL v3 sandbox: a seeded population behind the API, with faults, limits and a clock that can be moved.
