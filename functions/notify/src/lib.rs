//! Claims, renders and sends the notices that are due.
