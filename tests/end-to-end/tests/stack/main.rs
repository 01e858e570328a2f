//! Stories of the whole system, from a schedule to an e-mail, against real artifacts.

mod api;
mod artifacts;
mod bad_input;
mod browser;
mod budget;
mod credentials;
mod delivery;
mod events;
mod in_product;
mod mailbox;
mod pipeline;
mod roles;
mod settings;
mod support;
