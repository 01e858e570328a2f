//! The configuration of the function, read from environment variables.

environment::config! {
    /// The configuration of the function.
    pub struct Config {
        /// ARN of the secret that holds the keys with which BILL signs.
        pub webhook_keys_secret: String,
        /// URL of the FIFO queue that receives the sync requests.
        pub events_queue_url: String,
        /// `local`, `sandbox` or `production`. A dimension of the metrics.
        pub environment: String,
    }
}
