"""What was known of a change before it merged, as numbers. Each feature has one frozen, versioned definition."""
