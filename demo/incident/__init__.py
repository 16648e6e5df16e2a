"""A small real system in production: five services with traffic, deployed by revision, watched by Prometheus."""
