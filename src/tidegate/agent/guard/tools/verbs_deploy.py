"""Programs that change what runs in a cloud, in a cluster or on other machines."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.agent.guard.tools.verb import ADMIN, DEPLOYS, PIPELINE, Verbs, verbs

DEPLOYS_OF: Mapping[str, Verbs] = {
    "pulumi": verbs(
        "up, update, destroy, refresh, cancel, import, state delete, stack rm, stack import, config set, state rename",
        DEPLOYS,
        "run `pulumi preview`, and let the pipeline apply it",
    ),
    "cdk": verbs("deploy, destroy, bootstrap, import, rollback, gc", DEPLOYS, "run `cdk diff`", "--no-execute"),
    "cdktf": verbs("deploy, destroy, apply", DEPLOYS, "run `cdktf diff`"),
    "serverless": verbs("deploy, remove, rollback, invoke", DEPLOYS, PIPELINE),
    "sls": verbs("deploy, remove, rollback, invoke", DEPLOYS, PIPELINE),
    "sst": verbs("deploy, remove, dev", DEPLOYS, PIPELINE),
    "sam": verbs("deploy, delete, sync, publish", DEPLOYS, PIPELINE),
    "eb": verbs("deploy, terminate, create, setenv, scale, swap, restore, abort", DEPLOYS, PIPELINE),
    "amplify": verbs("push, delete, publish, remove", DEPLOYS, PIPELINE),
    "copilot": verbs("app delete, env delete, svc delete, deploy, svc deploy, env deploy", DEPLOYS, PIPELINE),
    "flyctl": verbs(
        "deploy, destroy, apps destroy, scale, secrets set, secrets unset, volumes destroy, machine destroy, restart, "
        "machines destroy, postgres detach, suspend, launch, stop, kill, update, delete",
        DEPLOYS,
        PIPELINE,
    ),
    "heroku": verbs(
        "pg:reset, pg:copy, pg:promote, apps:destroy, config:set, config:unset, ps:scale, ps:stop, addons:destroy, "
        "releases:rollback, rollback, container:release, run, addons:create, pg:kill, pg:killall, maintenance:on, "
        "restart, ps:restart, container:push, pg:push, domains:remove",
        DEPLOYS,
        PIPELINE,
    ),
    "vercel": verbs(
        "--prod, deploy, remove, rm, rollback, promote, env rm, env add, domains rm, alias", DEPLOYS, PIPELINE
    ),
    "netlify": verbs("deploy, sites:delete, env:set, env:unset", DEPLOYS, PIPELINE),
    "railway": verbs("up, down, delete, redeploy, variables", DEPLOYS, PIPELINE),
    "wrangler": verbs(
        "deploy, publish, delete, rollback, secret put, secret delete, d1 execute, kv:key delete, r2 object delete, "
        "kv key delete, kv namespace delete, kv:namespace delete, d1 delete, r2 bucket delete, d1 migrations apply",
        DEPLOYS,
        PIPELINE,
        "--local",
    ),
    "firebase": verbs(
        "deploy, firestore:delete, database:remove, hosting:disable, functions:delete", DEPLOYS, PIPELINE
    ),
    "supabase": verbs(
        "db reset, db push, functions deploy, secrets set, projects delete", DEPLOYS, PIPELINE, "--local"
    ),
    "doctl": verbs("delete, create, update, resize, power-off, reboot, rebuild, shutdown, destroy", DEPLOYS, PIPELINE),
    "hcloud": verbs("delete, create, update, shutdown, poweroff, rebuild, reset, reboot, detach", DEPLOYS, PIPELINE),
    "linode-cli": verbs("delete, rm, create, update, rebuild, shutdown, reboot", DEPLOYS, PIPELINE),
    "scw": verbs("delete, create, update, terminate, stop, reboot", DEPLOYS, PIPELINE),
    "ibmcloud": verbs("delete, rm, create, update, target-delete, service-delete, app-delete", DEPLOYS, PIPELINE),
    "oci": verbs("delete, terminate, create, update, bulk-delete, put", DEPLOYS, PIPELINE),
    "aliyun": verbs("DeleteInstance, DeleteDBInstance, delete, rm", DEPLOYS, PIPELINE),
    "eksctl": verbs("delete, create, scale, upgrade, drain, update", DEPLOYS, PIPELINE),
    "kops": verbs("delete, update, rolling-update, replace, edit, create", DEPLOYS, PIPELINE),
    "kubeadm": verbs("reset, init, join, upgrade", DEPLOYS, ADMIN),
    "nomad": verbs(
        "run, stop, job run, job stop, system gc, node drain, alloc stop, job revert, purge", DEPLOYS, PIPELINE
    ),
    "consul": verbs("kv delete, kv put, leave, force-leave, acl", DEPLOYS, ADMIN),
    "vault": verbs(
        "delete, write, kv delete, kv put, kv destroy, kv patch, kv metadata, secrets disable, auth disable, "
        "policy write, policy delete, operator, token revoke, lease revoke, seal, secrets enable, auth enable",
        "it changes secrets or who may read them",
        "ask a person who answers for the vault",
    ),
    "argocd": verbs(
        "app sync, app delete, app rollback, app set, app create, app patch, app terminate-op, app unset, "
        "app delete-resource, app actions, cluster rm, cluster add, proj delete, proj create, repo rm, repo add, "
        "appset delete, appset create, account update-password, app edit",
        DEPLOYS,
        "run `argocd app diff`; a merged commit is what syncs",
        "--dry-run",
    ),
    "flux": verbs(
        "delete, suspend, uninstall, reconcile, resume, create, bootstrap, install", DEPLOYS, PIPELINE, "--export"
    ),
    "istioctl": verbs("install, uninstall, upgrade, tag, apply", DEPLOYS, PIPELINE),
    "velero": verbs("delete, restore, uninstall, install", DEPLOYS, ADMIN),
    "linkerd": verbs("uninstall, upgrade", DEPLOYS, PIPELINE),
    "skaffold": verbs("run, deploy, delete, apply", DEPLOYS, PIPELINE),
    "helmfile": verbs("apply, sync, destroy, delete", DEPLOYS, "run `helmfile diff`"),
    "kamal": verbs("deploy, remove, rollback, setup, redeploy, app, accessory, server, proxy", DEPLOYS, PIPELINE),
    "cap": verbs("deploy, production, deploy:rollback", DEPLOYS, PIPELINE),
    "cf": verbs(
        "push, delete, restart, stop, scale, delete-service, restage, delete-org, delete-space", DEPLOYS, PIPELINE
    ),
    "ansible-playbook": verbs(
        "*",
        DEPLOYS,
        "run it with --check first",
        "--check -C --syntax-check --list-tasks --list-hosts localhost localhost,",
    ),
    "ansible": verbs("*", DEPLOYS, "run it with --check first", "--check -C --list-hosts localhost localhost,"),
    "salt": verbs("*", DEPLOYS, ADMIN, "test=True"),
    "knife": verbs("delete, ssh, upload, bootstrap", DEPLOYS, ADMIN),
    "packer": verbs("build", "it makes images and what builds them in a cloud", PIPELINE),
    "vagrant": verbs("destroy", "it destroys the machine with what it holds", "keep it: `vagrant halt`"),
    "hub": verbs("delete", DEPLOYS, PIPELINE),
}
DEPLOYS_OF = {**DEPLOYS_OF, "fly": DEPLOYS_OF["flyctl"], "vercel-cli": DEPLOYS_OF["vercel"]}
