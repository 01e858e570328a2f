//! Lists the partner's organizations and queues those that are due for a look.
