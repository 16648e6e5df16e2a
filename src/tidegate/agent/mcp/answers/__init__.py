"""The answers: one module for each question, each a function of a scene and what was asked."""
