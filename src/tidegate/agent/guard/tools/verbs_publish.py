"""Programs that publish packages, images and releases."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.agent.guard.tools.verb import PUBLISHES, RELEASE, Verbs, verbs

PUBLISHES_OF: Mapping[str, Verbs] = {
    "npm": verbs(
        "publish, unpublish, deprecate, dist-tag add, dist-tag rm, owner add, owner rm, access, token, team, org, "
        "hook, star, unstar, stage",
        PUBLISHES,
        RELEASE,
        "ls",
    ),
    "pnpm": verbs("publish, unpublish, deploy", PUBLISHES, RELEASE),
    "yarn": verbs("publish, npm publish, npm tag, unpublish, tag add, owner add", PUBLISHES, RELEASE),
    "bun": verbs("publish", PUBLISHES, RELEASE),
    "lerna": verbs("publish", PUBLISHES, RELEASE),
    "changeset": verbs("publish", PUBLISHES, RELEASE),
    "semantic-release": verbs("*", PUBLISHES, RELEASE, "-d"),
    "goreleaser": verbs("release, publish", PUBLISHES, RELEASE, "--snapshot --skip-publish"),
    "release-it": verbs("*", PUBLISHES, RELEASE),
    "np": verbs("*", PUBLISHES, RELEASE, "--preview"),
    "twine": verbs("upload, register", PUBLISHES, RELEASE),
    "poetry": verbs("publish", PUBLISHES, RELEASE),
    "uv": verbs("publish", PUBLISHES, RELEASE),
    "pdm": verbs("publish", PUBLISHES, RELEASE),
    "hatch": verbs("publish", PUBLISHES, RELEASE),
    "flit": verbs("publish", PUBLISHES, RELEASE),
    "maturin": verbs("publish, upload", PUBLISHES, RELEASE),
    "rye": verbs("publish", PUBLISHES, RELEASE),
    "cargo": verbs("publish, yank, owner", PUBLISHES, RELEASE),
    "gem": verbs("push, yank, owner", PUBLISHES, RELEASE),
    "mvn": verbs("deploy, release:perform, release:prepare, deploy:deploy", PUBLISHES, RELEASE),
    "gradle": verbs("publish, uploadArchives, publishPlugins", PUBLISHES, RELEASE),
    "dotnet": verbs("nuget push, nuget delete, database drop, ef database", PUBLISHES, RELEASE),
    "nuget": verbs("push, delete", PUBLISHES, RELEASE),
    "vsce": verbs("publish, unpublish", PUBLISHES, RELEASE),
    "ovsx": verbs("publish", PUBLISHES, RELEASE),
    "mix": verbs("hex.publish, ecto.drop, ecto.reset, hex.retire", PUBLISHES, RELEASE),
    "skopeo": verbs("copy, delete, sync", PUBLISHES, RELEASE),
    "crane": verbs("push, delete, copy, tag, cp", PUBLISHES, RELEASE),
    "oras": verbs("push, delete, copy, manifest delete", PUBLISHES, RELEASE),
    "snapcraft": verbs("upload, push, release", PUBLISHES, RELEASE),
}
