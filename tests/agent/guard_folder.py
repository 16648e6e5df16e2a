"""The folder that the commands of the corpora stand in: scripts, a Makefile and a package.json, harmless and not."""

from __future__ import annotations

from pathlib import Path

from tidegate.agent.guard.values import Place

FILES = {
    "deploy.sh": "#!/bin/bash\nset -e\ncd infra\nterraform apply -auto-approve\n",
    "harmless.sh": '#!/bin/sh\nset -eu\nfor f in src/*.py; do\n  echo "$f"\ndone\npytest -q "$@"\n',
    "wipe.py": "import subprocess\nsubprocess.run(['terraform', 'destroy', '-auto-approve'], check=True)\n",
    "tool.py": "import subprocess, sys\nsubprocess.run(['git', 'log', '-1'], check=True)\nprint('terraform destroy')\n",
    "drop.sql": "BEGIN;\nDROP TABLE users;\nCOMMIT;\n",
    "read.sql": "SELECT count(*) FROM users;\n",
    "Makefile": (
        "PY ?= python3\nTF := terraform\n\ntest: lint\n\t$(PY) -m pytest -q tests\n\nlint:\n\truff check .\n\n"
        "destroy: test\n\t$(TF) destroy -auto-approve\n\nclean:\n\trm -rf build dist\n"
    ),
    "infra/Makefile": "apply:\n\tterraform apply -auto-approve\n\nplan:\n\tterraform plan -out tfplan\n",
    "package.json": (
        '{"scripts": {"test": "jest", "build": "tsc -p .", "deploy": "npm run build && aws s3 sync dist s3://site",'
        ' "lint": "eslint ."}}'
    ),
    "gradlew": '#!/bin/sh\nexec java -jar gradle/wrapper/gradle-wrapper.jar "$@"\n',
    "terraform.tfstate": "{}",
    "notes.txt": "notes\n",
}


def make(folder: Path) -> Place:
    """Writes the files and says where commands run."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Place(workspace=folder, folder=folder, home="/home/someone", environment={"PATH": "/usr/bin:/bin"})


def read_corpus(path: Path) -> list[tuple[bool, str]]:
    """The commands of a corpus, each with whether it must be held."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(one[0] == "!", one[2:].replace("␤", "\n")) for one in lines if one[:2] in ("! ", ". ")]
