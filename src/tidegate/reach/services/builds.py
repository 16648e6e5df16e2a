"""Files that say which image is built from which folder: Skaffold, docker bake, and the build steps of GitHub Actions.

skaffold.dev/docs/references/yaml, docs.docker.com/build/bake, github.com/docker/build-push-action.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.reach.services.dockerfile import Build, build_paths
from tidegate.reach.services.interface import Claim, Provider
from tidegate.reach.services.mentions import image_key
from tidegate.reach.services.texts import Value, as_list, as_map, as_text, dig
from tidegate.reach.services.tree import Tree, folder_of, join_path, name_of

# Private


def _wants(path: str) -> bool:
    name = name_of(path)
    workflow = folder_of(path) == ".github/workflows" and name.endswith((".yml", ".yaml"))
    return name in ("skaffold.yaml", "skaffold.yml", "docker-bake.json") or workflow


def _read(path: str, tree: Tree) -> Iterator[Claim]:
    for document in tree.documents(path):
        if name_of(path).startswith("skaffold"):
            yield from _skaffold(path, document, tree)
        elif path.endswith(".json"):
            for name, target in as_map(dig(document, "target")).items():
                context = as_text(dig(target, "context")) or "."
                dockerfile = as_text(dig(target, "dockerfile")) or "Dockerfile"
                yield from _claim(path, name, (folder_of(path), context, dockerfile), tree)
        else:
            yield from _workflow(path, document, tree)


def _skaffold(path: str, document: Value, tree: Tree) -> Iterator[Claim]:
    for artifact in as_list(dig(document, "build", "artifacts")):
        image, context = as_text(dig(artifact, "image")), as_text(dig(artifact, "context")) or "."
        dockerfile = as_text(dig(artifact, "docker", "dockerfile")) or "Dockerfile"
        yield from _claim(path, image, (folder_of(path), context, dockerfile), tree)


def _workflow(path: str, document: Value, tree: Tree) -> Iterator[Claim]:
    for job in as_map(dig(document, "jobs")).values():
        for step in as_list(dig(job, "steps")):
            if not as_text(dig(step, "uses")).startswith("docker/build-push-action"):
                continue
            context, tags = as_text(dig(step, "with", "context")) or ".", as_text(dig(step, "with", "tags"))
            image = next((line.strip() for line in tags.replace(",", "\n").split("\n") if line.strip()), "")
            file = as_text(dig(step, "with", "file"))
            if "{" in context + file or "TEMPLATE" in context + file + image or not image:
                continue
            context = join_path("", context) or ""
            dockerfile = join_path("", file) if file else join_path(context, "Dockerfile")
            if dockerfile in tree.paths:
                yield _made(path, image, Build(dockerfile, context), tree)


def _claim(path: str, image: str, where: tuple[str, str, str], tree: Tree) -> Iterator[Claim]:
    folder, context, dockerfile = where
    inside = join_path(folder, context)
    if inside is None or not image_key(image):
        return
    file = join_path(inside, dockerfile) or ""
    yield _made(path, image, Build(file if file in tree.paths else "", inside), tree)


def _made(path: str, image: str, build: Build, tree: Tree) -> Claim:
    return Claim(
        provider="builds",
        role="build",
        source=path,
        name=name_of(image_key(image)),
        kind="image",
        folder=build.context,
        paths=build_paths(build, tree),
        built=True,
        dockerfile=build.dockerfile,
        images=(image,),
    )


BUILDS = Provider("builds", _wants, _read)
