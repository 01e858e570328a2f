mod cache;
mod errors;
mod server;
