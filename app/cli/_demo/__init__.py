"""What `slawatch demo` is made of: a story, a helpdesk that tells it over HTTP, a receiver that verifies what comes back, and the books."""
