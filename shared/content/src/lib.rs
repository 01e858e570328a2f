//! Campaign files, the partner's brand, and their rendering to e-mails and in-product messages.
