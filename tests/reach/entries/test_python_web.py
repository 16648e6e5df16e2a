"""Routes of Python's frameworks, with their prefixes across files."""

from __future__ import annotations

from tests.reach.entries.tree import found


def test_flask_routes_have_the_prefixes_of_their_blueprints() -> None:
    tree = {
        "shop/__init__.py": """
            from flask import Flask
            from .items import bp
            from .admin import admin
            def create_app():
                app = Flask(__name__)
                app.register_blueprint(bp)
                app.register_blueprint(admin, url_prefix="/top")
                @app.route("/ping")
                def ping():
                    return "pong"
                app.add_url_rule("/late", view_func=late)
                return app
            def late():
                return 1
        """,
        "shop/items.py": """
            from flask import Blueprint
            bp = Blueprint("items", __name__, url_prefix="/items")
            @bp.route("/<int:id>", methods=["GET", "DELETE"])
            def item(id):
                return 1
            @bp.post("")
            def add():
                return 1
        """,
        "shop/admin.py": """
            from flask import Blueprint
            admin = Blueprint("admin", __name__, url_prefix="/admin")
            inner = Blueprint("inner", __name__, url_prefix="/inner")
            admin.register_blueprint(inner)
            @inner.get("/users")
            def users():
                return 1
            lost = Blueprint("lost", __name__)
            @lost.get("/x")
            def x():
                return 1
        """,
    }
    assert found(tree, "flask") == [
        "POST /items -> shop/items.py:add",
        "DELETE /items/<int:id> -> shop/items.py:item",
        "GET /items/<int:id> -> shop/items.py:item",
        "GET /late -> shop/__init__.py:late",
        "GET /ping -> shop/__init__.py:create_app.ping",
        "GET /top/inner/users -> shop/admin.py:users",
        "GET {?}/x -> shop/admin.py:x",
    ]


def test_flask_class_views_answer_with_the_methods_that_they_define() -> None:
    tree = {
        "app.py": """
            from flask import Flask
            from flask.views import MethodView
            from flask_restful import Api, Resource
            app = Flask(__name__)
            api = Api(app, prefix="/v1")
            class Base(MethodView):
                def get(self):
                    return 1
            class Item(Base):
                def delete(self):
                    return 1
            class Thing(Resource):
                def put(self, id):
                    return 1
            app.add_url_rule("/item", view_func=Item.as_view("item"))
            api.add_resource(Thing, "/thing/<id>", "/things/<id>")
        """
    }
    assert found(tree) == [
        "DELETE /item -> app.py:Item.delete",
        "GET /item -> app.py:Base.get",
        "PUT /v1/thing/<id> -> app.py:Thing.put",
        "PUT /v1/things/<id> -> app.py:Thing.put",
    ]


def test_fastapi_routers_are_included_below_constants_of_other_files() -> None:
    tree = {
        "app/main.py": """
            from fastapi import FastAPI
            from app.api import api_router
            from app.config import settings
            app = FastAPI()
            sub = FastAPI()
            app.include_router(api_router, prefix=settings.API)
            app.mount("/sub", sub)
            @app.websocket("/ws")
            async def ws(socket): ...
            @sub.api_route("/both", methods=["GET", "POST"])
            def both(): ...
        """,
        "app/__init__.py": "",
        "app/config.py": """
            class Settings:
                API: str = "/api/v1"
            settings = Settings()
        """,
        "app/api.py": """
            from fastapi import APIRouter
            from app import users
            api_router = APIRouter()
            api_router.include_router(users.router, prefix="/u")
        """,
        "app/users.py": """
            from fastapi import APIRouter, Depends
            router = APIRouter(prefix="/users")
            @router.get("/{id}")
            async def read(id: int): ...
        """,
    }
    assert found(tree) == [
        "GET /api/v1/u/users/{id} -> app/users.py:read",
        "GET /sub/both -> app/main.py:both",
        "POST /sub/both -> app/main.py:both",
        "WS /ws -> app/main.py:ws",
    ]


def test_a_function_that_is_handed_the_application_adds_its_routes() -> None:
    tree = {
        "main.py": """
            from flask import Flask
            from more import install
            app = Flask(__name__)
            install(app)
        """,
        "more.py": """
            def install(app):
                @app.get("/more")
                def more():
                    return 1
        """,
    }
    assert found(tree, "flask") == ["GET /more -> more.py:install.more"]


def test_starlette_lists_mounts_and_endpoints_that_are_classes() -> None:
    tree = {
        "app.py": """
            from starlette.applications import Starlette
            from starlette.routing import Route, Mount, WebSocketRoute
            from starlette.endpoints import HTTPEndpoint
            async def home(request): ...
            async def talk(socket): ...
            class Users(HTTPEndpoint):
                async def get(self, request): ...
                async def post(self, request): ...
            inner = [Route("/list", endpoint=Users)]
            app = Starlette(routes=[
                Route("/", home),
                WebSocketRoute("/ws", talk),
                Mount("/users", routes=inner),
                Mount("/deep", routes=[
                    Route("/x", home, methods=["POST"]),
                ]),
            ])
        """
    }
    assert found(tree) == [
        "GET / -> app.py:home",
        "POST /deep/x -> app.py:home",
        "GET /users/list -> app.py:Users.get",
        "POST /users/list -> app.py:Users.post",
        "WS /ws -> app.py:talk",
    ]


def test_aiohttp_and_tornado() -> None:
    tree = {
        "a.py": """
            from aiohttp import web
            routes = web.RouteTableDef()
            @routes.get("/table")
            async def table(request): ...
            async def added(request): ...
            app = web.Application()
            app.router.add_post("/added", added)
            app.add_routes([web.put("/listed", added)])
        """,
        "t.py": """
            import tornado.web
            class Main(tornado.web.RequestHandler):
                def get(self): ...
            app = tornado.web.Application([(r"/main", Main)])
        """,
    }
    assert found(tree) == [
        "POST /added -> a.py:added",
        "PUT /listed -> a.py:added",
        "GET /main -> t.py:Main.get",
        "GET /table -> a.py:table",
    ]


def test_a_client_is_no_router_and_tests_are_no_entry_points() -> None:
    tree = {
        "client.py": """
            import requests
            def fetch(session):
                requests.get("/users")
                return session.get("/x", fetch)
        """,
        "tests/test_app.py": """
            from flask import Flask
            app = Flask(__name__)
            @app.get("/only-in-tests")
            def view(): ...
        """,
    }
    assert found(tree) == []
