"""The HTTP API: typed endpoints, one list, one OpenAPI document that follows from the types."""
