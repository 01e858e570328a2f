//! A client of the BILL v3 partner API.
