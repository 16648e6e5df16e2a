"""Calendars in iCalendar (RFC 5545): which events a file names, and when they hold. It must never guess: what it does
not understand it refuses, and whoever asked treats all of the time as named."""
