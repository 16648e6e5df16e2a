"""What a change of Kubernetes manifests does to a cluster: objects compared as rendered sets, never file by file.

Reads manifests, kustomizations, Helm values and custom resources of both sides, makes a world of every stack, and asks
it the rules in `rules/`. Answers in the section `infra` of the facts. Never runs a plugin, a chart or a template, and
never asks a cluster.
"""
