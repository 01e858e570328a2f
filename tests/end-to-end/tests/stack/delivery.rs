//! Stories of the way from a notice to an e-mail.

mod crowd;
mod customers;
mod feedback;
mod mail_quality;
