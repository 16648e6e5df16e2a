"""Descriptions of HTTP APIs: OpenAPI 3.0 and 3.1, Swagger 2.0.

The rules are those that oasdiff publishes (https://github.com/oasdiff/oasdiff/blob/main/docs/BREAKING-CHANGES.md):
what it calls an error is high or medium here, its warnings are low or medium.
"""
