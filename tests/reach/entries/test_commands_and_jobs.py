"""Commands, jobs, events and functions of a cloud."""

from __future__ import annotations

from tests.reach.entries.tree import found, public, sources
from tidegate.reach.entries import find_entry_points


def test_click_groups_and_typer_applications_name_their_commands() -> None:
    tree = {
        "cli.py": """
            import click
            @click.group()
            def app(): ...
            @app.group("db")
            def database(): ...
            @database.command()
            def sync_all(): ...
            @click.command("late")
            def late(): ...
            app.add_command(late)
        """,
        "t.py": """
            import typer
            main = typer.Typer()
            users = typer.Typer()
            main.add_typer(users, name="users")
            @users.command("add")
            def add(): ...
        """,
    }
    assert found(tree) == [
        "app -> cli.py:app",
        "app db -> cli.py:database",
        "app db sync-all -> cli.py:sync_all",
        "app late -> cli.py:late",
        "users add -> t.py:add",
    ]


def test_argparse_mains_and_console_scripts() -> None:
    tree = {
        "pyproject.toml": '[project.scripts]\ntool = "pkg.cli:main"\n',
        "src/pkg/__init__.py": "",
        "src/pkg/cli.py": """
            import argparse
            def main():
                parser = argparse.ArgumentParser()
                sub = parser.add_subparsers()
                sync = sub.add_parser("sync")
                sync.set_defaults(func=run_sync)
            def run_sync(args): ...
            if __name__ == "__main__":
                main()
        """,
    }
    assert found(tree) == [
        "python src/pkg/cli.py -> src/pkg/cli.py",
        "sync -> src/pkg/cli.py:run_sync",
        "tool -> src/pkg/cli.py:main",
    ]


def test_commands_of_other_languages() -> None:
    tree = {
        "go.mod": "module example.com/x\n",
        "cmd/x/main.go": """
            package main

            import "github.com/spf13/cobra"

            var serve = &cobra.Command{Use: "serve [flags]", RunE: run}

            func run(cmd *cobra.Command, args []string) error { return nil }
            func main() { serve.Execute() }
        """,
        "package.json": '{"name": "@a/tool", "bin": "dist/cli.js", "scripts": {"dev": "node --watch src/dev.js"}}',
        "src/cli.ts": "export {};\n",
        "src/dev.js": "console.log(1);\n",
        "Rakefile": "namespace :db do\n  task :seed do\n  end\nend\ntask :all\n",
    }
    assert found(tree) == [
        "cmd/x -> cmd/x/main.go:main",
        "npm run dev -> src/dev.js",
        "rake all -> Rakefile",
        "rake db:seed -> Rakefile",
        "serve -> cmd/x/main.go:run",
        "tool -> src/cli.ts",
    ]


def test_jobs_and_events_that_code_declares() -> None:
    tree = {
        "tasks.py": """
            from celery import Celery, shared_task
            from apscheduler.schedulers.background import BackgroundScheduler
            from django.dispatch import receiver
            from django.db.models.signals import post_save
            app = Celery("x")
            @app.task(name="sweep.all")
            def sweep(): ...
            @shared_task
            def other(): ...
            scheduler = BackgroundScheduler()
            scheduler.add_job(other, "interval", id="each-hour")
            @receiver(post_save)
            def saved(sender, **kwargs): ...
        """,
        "queue.js": """
            const cron = require('node-cron');
            const { Kafka } = require('kafkajs');
            cron.schedule('* * * * *', tick);
            function tick() {}
        """,
        "task.py": """
            def task(f):
                return f
            @task
            def mine(): ...
        """,
    }
    assert found(tree) == [
        "saved -> tasks.py:saved",
        "* * * * * -> queue.js:tick",
        "each-hour -> tasks.py:other",
        "other -> tasks.py:other",
        "sweep.all -> tasks.py:sweep",
    ]


def test_jobs_and_functions_that_configuration_declares() -> None:
    tree = {
        "deploy/crontab": "# comment\n*/5 * * * * python /app/jobs/sweep.py --all\n",
        "jobs/sweep.py": "print(1)\n",
        "k8s/cron.yaml": """
            apiVersion: batch/v1
            kind: CronJob
            metadata: {name: nightly}
            spec:
              jobTemplate:
                spec:
                  template:
                    spec:
                      containers: [{name: a, command: ["python", "-m", "jobs.sweep"]}]
        """,
        ".github/workflows/w.yml": """
            name: weekly
            on: {schedule: [{cron: "0 0 * * 0"}]}
            jobs: {a: {steps: [{run: "python jobs/sweep.py"}]}}
        """,
        "fn/serverless.yml": """
            functions:
              create:
                handler: src/users.create
                events:
                  - http: {path: users, method: post}
                  - sqs: arn
        """,
        "fn/src/users.js": "exports.create = async function (event, context) {};\n",
        "sam/template.yaml": """
            Resources:
              Get:
                Type: AWS::Serverless::Function
                Properties:
                  CodeUri: app/
                  Handler: main.handler
                  Role: !GetAtt Role.Arn
                  Events: {Api: {Type: Api, Properties: {Path: /get, Method: get}}}
        """,
        "sam/app/main.py": "def handler(event, context): ...\n",
        "broken.yaml": "schedule: [\n",
    }
    assert found(tree, "crontab", "kubernetes", "github-actions", "serverless", "sam") == [
        "create sqs -> fn/src/users.js:create",
        "GET /get -> sam/app/main.py:handler",
        "POST /users -> fn/src/users.js:create",
        "*/5 * * * * python /app/jobs/sweep.py --all -> jobs/sweep.py",
        "nightly -> jobs/sweep.py",
        "weekly: jobs/sweep.py -> jobs/sweep.py",
        "Get -> sam/app/main.py:handler",
        "create -> fn/src/users.js:create",
    ]


def test_a_signature_alone_is_weak_evidence_of_a_cloud_function() -> None:
    points = find_entry_points(sources({"f.py": "def handler(event, context): ...\ndef other(event): ...\n"}))
    assert [(one.kind, one.handler.name, one.probability < 1) for one in points] == [("lambda", "handler", True)]


def test_public_names_of_packages() -> None:
    tree = {
        "src/lib/__init__.py": "from .core import run, helper\n__all__ = ['run']\n",
        "src/lib/core.py": "def run(): ...\ndef helper(): ...\n",
        "go.mod": "module example.com/x\n",
        "pkg/a.go": "package pkg\n\nfunc Open() {}\nfunc closed() {}\n",
        "internal/b.go": "package internal\n\nfunc Hidden() {}\n",
        "package.json": '{"name": "js", "main": "index.js"}',
        "index.js": "exports.parse = function () {};\nfunction inner() {}\n",
    }
    assert public(tree) == [
        "js.parse -> index.js:parse",
        "lib.run -> src/lib/core.py:run",
        "pkg.Open -> pkg/a.go:Open",
    ]
