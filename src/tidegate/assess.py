"""The whole pre-merge path on one page: change -> facts -> verdict. Read this first."""
