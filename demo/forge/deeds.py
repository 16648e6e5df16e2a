"""What people do at the forge. Each deed changes the world and sends what both forges send."""

from __future__ import annotations

import subprocess
from pathlib import Path

from demo.forge.hooks import Hooks
from demo.forge.world import Comment, Project, Protected, Pull, Review, Run, Status, World, git_environment


class Deeds:
    """Functions over one world. Every `slug` is `OWNER/NAME`; every account is made when it is first named."""

    def __init__(self, world: World, hooks: Hooks) -> None:
        self.world = world
        self.hooks = hooks

    def add_repository(self, slug: str, source: Path, main: str = "main") -> Project:
        """A bare copy of a repository's branches, open to both forges' APIs. An owner's App sees it at once."""
        with self.world.lock:
            path = self.world.folder / f"{slug}.git"
            path.parent.mkdir(parents=True, exist_ok=True)
            served = [word for name, value in _SERVED.items() for word in ("-c", f"{name}={value}")]
            command = ["git", "clone", "-q", "--bare", "--no-local", *served, "-b", main, str(source), str(path)]
            subprocess.run(command, check=True, capture_output=True, env=git_environment())
            project = Project(next(self.world.ids), slug, path, main)
            self.world.projects[slug] = project
            self.world.installations.setdefault(slug.partition("/")[0].lower(), next(self.world.ids))
            return project

    def push(self, slug: str, branch: str, source: Path, revision: str = "", *, by: str = "alice") -> str:
        """The branch is what `revision` (else the branch) is in another repository, forced or not; the new tip."""
        with self.world.lock:
            project = self.world.projects[slug]
            before = project.tip(branch)
            project.git("fetch", "-q", "--no-tags", str(source), f"+{revision or branch}:refs/heads/{branch}")
            return self._moved(project, branch, before, by)

    def open_pull(
        self, slug: str, branch: str, title: str, *, by: str = "alice", target: str = "", body: str | None = None
    ) -> int:
        """The number of a new pull request from a branch of the same repository."""
        with self.world.lock:
            project, now = self.world.projects[slug], self.world.stamp()
            target = target or project.main
            number = max(project.pulls, default=0) + 1
            head, base = project.tip(branch), project.tip(target)
            pull = Pull(number, title, body, self.world.user(by), branch, target, head, base, now, now)
            project.pulls[number] = pull
            self._head(project, pull, head)
            self.hooks.pull(project, pull, "opened", by)
            return number

    def ask_to_deploy(self, slug: str, environment: str, commit: str, *, by: str = "alice") -> Protected:
        """A workflow reaches a job with an environment that a protection rule guards."""
        with self.world.lock:
            project = self.world.projects[slug]
            asked = Protected(next(self.world.ids), environment)
            project.protected.append(asked)
            self.hooks.protected(project, asked, commit, by)
            return asked

    def edit(self, slug: str, number: int, *, by: str = "alice", **changes: object) -> None:
        """Title, body, target or draft."""
        with self.world.lock:
            project, pull = self._find(slug, number)
            for name, value in changes.items():
                if name not in ("title", "body", "target", "draft", "labels"):
                    raise ValueError(f"{name} is nothing that is edited")
                setattr(pull, name, value)
            pull.base = project.tip(pull.target)
            self._touch(project, pull, "edited", by)

    def close(self, slug: str, number: int, *, by: str = "alice") -> None:
        with self.world.lock:
            project, pull = self._find(slug, number)
            pull.state = "closed"
            self._touch(project, pull, "closed", by)

    def review(self, slug: str, number: int, by: str, state: str = "APPROVED", *, commit: str = "") -> int:
        """A submitted review of the head (or of `commit`); its id."""
        with self.world.lock:
            project, pull = self._find(slug, number)
            review = Review(next(self.world.ids), self.world.user(by), state, commit or pull.head, self.world.stamp())
            pull.reviews.append(review)
            pull.updated_at = self.world.stamp()
            self.hooks.review(project, pull, review, "submitted", by)
            return review.id

    def dismiss(self, slug: str, number: int, review: int, *, by: str = "alice") -> None:
        with self.world.lock:
            project, pull = self._find(slug, number)
            found = next(one for one in pull.reviews if one.id == review)
            found.state = "DISMISSED"
            self.hooks.review(project, pull, found, "dismissed", by)

    def merge(self, slug: str, number: int, *, by: str = "alice") -> str:
        """The merge commit on the target; nothing stops it: a branch rule is not what this forge shows."""
        with self.world.lock:
            project, pull = self._find(slug, number)
            before = project.tip(pull.target)
            oid = self._merged(project, before, pull)
            project.git("update-ref", f"refs/heads/{pull.target}", oid)
            pull.state, pull.merged_at, pull.merged_by = "closed", self.world.stamp(), self.world.user(by)
            pull.merge_commit = oid
            self._touch(project, pull, "closed", by)
            self._moved(project, pull.target, before, by)
            return oid

    def queue(self, slug: str, number: int, *, by: str = "alice") -> str:
        """Puts the pull request into the merge queue: the head of the group that must be checked."""
        with self.world.lock:
            project, pull = self._find(slug, number)
            base = project.tip(pull.target)
            oid = self._merged(project, base, pull)
            ref = f"refs/heads/gh-readonly-queue/{pull.target}/pr-{number}-{base}"
            project.git("update-ref", ref, oid)
            self.hooks.group(project, pull, (ref, oid, base), by)
            return oid

    def comment(self, slug: str, number: int, by: str, body: str) -> int:
        with self.world.lock:
            project, pull = self._find(slug, number)
            now = self.world.stamp()
            comment = Comment(next(self.world.ids), self.world.user(by), body, now, now)
            pull.comments.append(comment)
            self.hooks.comment(project, pull, comment, by)
            return comment.id

    def post_status(self, slug: str, sha: str, by: str, state: str = "success", context: str = "tidegate") -> int:
        """A status by anybody with write access."""
        with self.world.lock:
            project = self.world.projects[slug]
            status = Status(next(self.world.ids), sha, context, state, self.world.user(by), self.world.stamp())
            project.statuses.append(status)
            self.hooks.status(project, status)
            return status.id

    def post_run(self, slug: str, sha: str, app: str, name: str = "tidegate", conclusion: str = "success") -> int:
        """A check run by another App, as a job of that name makes one."""
        with self.world.lock:
            project = self.world.projects[slug]
            other = next((one for one in self.world.apps.values() if one.slug == app), None)
            run = Run(next(self.world.ids), name, sha, other or self.world.add_app(app, b""), self.world.stamp())
            run.status, run.conclusion = "completed", conclusion
            project.runs.append(run)
            self.hooks.run(project, run, "completed", f"{app}[bot]")
            return run.id

    def rerequest(self, slug: str, run: int, *, by: str = "alice") -> None:
        """Somebody pressed "Re-run"."""
        with self.world.lock:
            project = self.world.projects[slug]
            found = next(one for one in project.runs if one.id == run)
            self.hooks.run(project, found, "rerequested", by)

    # Private

    def _find(self, slug: str, number: int) -> tuple[Project, Pull]:
        project = self.world.projects[slug]
        return project, project.pulls[number]

    def _touch(self, project: Project, pull: Pull, action: str, by: str) -> None:
        pull.updated_at = self.world.stamp()
        self.hooks.pull(project, pull, action, by)

    def _head(self, project: Project, pull: Pull, head: str) -> None:
        pull.head = head
        pull.versions.append((next(self.world.ids), head, self.world.stamp()))
        for ref in (f"refs/pull/{pull.number}/head", f"refs/merge-requests/{pull.number}/head"):
            project.git("update-ref", ref, head)

    def _moved(self, project: Project, branch: str, before: str, by: str) -> str:
        after = project.tip(branch)
        self.hooks.push(project, branch, (before, after), by)
        for pull in project.pulls.values():
            if pull.state == "open" and pull.branch == branch and pull.head != after:
                self._head(project, pull, after)
                pull.base = project.tip(pull.target)
                self._touch(project, pull, "synchronize", by)
        return after

    def _merged(self, project: Project, base: str, pull: Pull) -> str:
        """CalledProcessError where the two conflict."""
        tree = project.git("merge-tree", "--write-tree", base, pull.head).splitlines()[0]
        message = f"Merge pull request #{pull.number} from {pull.branch}\n\n{pull.title}"
        return project.git("commit-tree", tree, "-p", base, "-p", pull.head, "-m", message)


_SERVED = {
    "http.receivepack": "false",
    "uploadpack.allowAnySHA1InWant": "true",
    "gc.auto": "0",
}
