//! What every function needs: configuration, secrets, telemetry, metrics and SQS batches.
