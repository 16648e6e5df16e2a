"""Routes of JavaScript and TypeScript."""

from __future__ import annotations

from tests.reach.entries.tree import found


def test_express_routers_mounted_across_files() -> None:
    tree = {
        "app.js": """
            const express = require('express');
            const users = require('./users');
            const { auth } = require('./auth');
            const app = express();
            app.get('/health', (req, res) => res.send('ok'));
            app.use('/api', auth);
            app.use('/api/users', users);
            app.route('/book').get(auth, (req, res) => 1).post((req, res) => 2);
            require('./late')(app);
            app.get('title');
            fetch.get('/nothing', auth);
            module.exports = app;
        """,
        "auth.js": "exports.auth = function (req, res, next) { next(); };\n",
        "users.js": """
            const express = require('express');
            const router = express.Router();
            router.get('/:id', show);
            function show(req, res) {}
            module.exports = router;
        """,
        "late.js": "module.exports = function (app) { app.post('/late', handle); };\nfunction handle() {}\n",
    }
    lines = found(tree, "express")
    assert "GET /health -> app.js" in lines
    assert "GET /api/users/:id -> users.js:show" in lines
    assert "* /api/* -> auth.js:auth" in lines
    assert "GET /book -> auth.js:auth" in lines
    assert "GET /book -> app.js" in lines
    assert "POST /book -> app.js" in lines
    assert "POST /late -> late.js:handle" in lines
    assert not [line for line in lines if "title" in line or "nothing" in line]


def test_routers_made_in_one_chain_of_calls() -> None:
    tree = {
        "routes.ts": """
            import { Router } from 'express';
            import tags from './tags';
            const api = Router().use(tags);
            export default Router().use('/api', api);
        """,
        "tags.ts": """
            import { Router } from 'express';
            const router = Router();
            router.get('/tags', async (req, res) => { res.json([]); });
            export default router;
        """,
        "main.ts": """
            import express from 'express';
            import routes from './routes';
            const app = express();
            app.use(routes);
        """,
    }
    assert "GET /api/tags -> tags.ts" in found(tree, "express")


def test_koa_fastify_and_hono() -> None:
    tree = {
        "koa.js": """
            const Router = require('@koa/router');
            const router = new Router({ prefix: '/k' });
            router.get('/a', list);
            function list(ctx) {}
        """,
        "fast.js": """
            const fastify = require('fastify')();
            fastify.get('/f', plain);
            fastify.route({ method: 'PUT', url: '/r', handler: plain });
            fastify.register(plugin, { prefix: '/p' });
            function plain(req, reply) {}
            function plugin(instance) { instance.post('/in', plain); }
        """,
        "hono.ts": """
            import { Hono } from 'hono';
            const app = new Hono();
            const books = new Hono();
            books.get('/:id', one);
            app.route('/books', books);
            function one(c) {}
        """,
    }
    assert found(tree) == [
        "GET /books/:id -> hono.ts:one",
        "GET /f -> fast.js:plain",
        "GET /k/a -> koa.js:list",
        "POST /p/in -> fast.js:plain",
        "PUT /r -> fast.js:plain",
    ]


def test_nest_controllers_messages_and_clocks() -> None:
    tree = {
        "cats.ts": """
            import { Controller, Get, Post, All } from '@nestjs/common';
            import { EventPattern } from '@nestjs/microservices';
            import { Cron } from '@nestjs/schedule';
            @Controller('cats')
            export class Cats {
              @Get(':id') find(id: string) {}
              @Post() create() {}
              @EventPattern('cat.born') born() {}
              @Cron('0 * * * *') tick() {}
            }
            @Controller({ path: 'dogs', version: '1' })
            export class Dogs { @All('any') any() {} }
        """
    }
    assert found(tree) == [
        "cat.born -> cats.ts:Cats.born",
        "POST /cats -> cats.ts:Cats.create",
        "GET /cats/:id -> cats.ts:Cats.find",
        "* /dogs/any -> cats.ts:Dogs.any",
        "Cats.tick -> cats.ts:Cats.tick",
    ]


def test_next_takes_routes_from_the_places_of_files() -> None:
    tree = {
        "package.json": '{"dependencies": {"next": "15"}}',
        "src/app/(shop)/items/[id]/route.ts": "export async function GET() {}\nexport const POST = async () => {};\n",
        "src/app/page.tsx": "export default function Home() { return null; }\n",
        "pages/api/hello.ts": "export default function handler(req, res) {}\n",
        "pages/_app.tsx": "export default function App() {}\n",
        "other/app/x/route.py": "",
    }
    assert found(tree, "next") == [
        "GET / -> src/app/page.tsx:Home",
        "* /api/hello -> pages/api/hello.ts:handler",
        "GET /items/{id} -> src/app/(shop)/items/[id]/route.ts:GET",
        "POST /items/{id} -> src/app/(shop)/items/[id]/route.ts:POST",
    ]
