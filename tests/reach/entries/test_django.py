"""Routes of Django: includes across files, class views, view sets, and methods that decorators say."""

from __future__ import annotations

from tests.reach.entries.tree import found

SETTINGS = {"site_/settings.py": 'ROOT_URLCONF = "site_.urls"\n'}


def test_includes_join_across_files_and_lists() -> None:
    tree = SETTINGS | {
        "shop/__init__.py": "",
        "site_/urls.py": """
            from django.urls import path, re_path, include
            from shop import views
            extra = [path("more/", views.more)]
            urlpatterns = [
                path("", views.home),
                path("shop/", include("shop.urls")),
                path("extra/", include(extra)),
                path("named/", include((extra, "named"))),
                path("nested/", include([
                    path("deep/", views.more),
                ])),
                re_path(r"^old/(?P<year>[0-9]{4})/$", views.old),
            ]
        """,
        "shop/urls.py": """
            from django.urls import path
            from . import views
            urlpatterns = [path("<int:pk>/", views.Item.as_view()), path("list/", views.listed)]
        """,
        "shop/views.py": """
            from django.views import View
            from django.views.generic import ListView
            from django.views.decorators.http import require_POST, require_http_methods
            def home(request): ...
            @require_POST
            def more(request): ...
            def old(request, year): ...
            @require_http_methods(["GET", "HEAD"])
            def listed(request): ...
            class Item(View):
                def get(self, request, pk): ...
                def delete(self, request, pk): ...
        """,
        "lost/urls.py": """
            from django.urls import path
            from shop import views
            urlpatterns = [path("nobody/", views.home)]
        """,
    }
    assert found(tree, "django") == [
        "* / -> shop/views.py:home",
        "POST /extra/more/ -> shop/views.py:more",
        "POST /named/more/ -> shop/views.py:more",
        "POST /nested/deep/ -> shop/views.py:more",
        "* /old/<year>/ -> shop/views.py:old",
        "DELETE /shop/<int:pk>/ -> shop/views.py:Item.delete",
        "GET /shop/<int:pk>/ -> shop/views.py:Item.get",
        "GET /shop/list/ -> shop/views.py:listed",
        "HEAD /shop/list/ -> shop/views.py:listed",
        "* {?}/nobody/ -> shop/views.py:home",
    ]


def test_view_sets_have_the_routes_of_their_actions() -> None:
    tree = SETTINGS | {
        "shop/__init__.py": "",
        "site_/urls.py": """
            from django.urls import path, include
            from rest_framework.routers import DefaultRouter
            from api.views import Users, ping
            router = DefaultRouter()
            router.register(r"users", Users, basename="user")
            urlpatterns = [path("api/", include(router.urls)), path("ping", ping)]
        """,
        "api/views.py": """
            from rest_framework.viewsets import ReadOnlyModelViewSet
            from rest_framework.decorators import action, api_view
            class Users(ReadOnlyModelViewSet):
                def list(self, request): ...
                @action(detail=True, methods=["post"])
                def ban(self, request, pk=None): ...
            @api_view(["PUT"])
            def ping(request): ...
        """,
    }
    assert found(tree) == [
        "GET /api/users -> api/views.py:Users.list",
        "GET /api/users/{pk} -> api/views.py:Users",
        "POST /api/users/{pk}/ban -> api/views.py:Users.ban",
        "PUT /ping -> api/views.py:ping",
    ]


def test_commands_of_management_are_found_by_their_place() -> None:
    tree = {"shop/management/commands/sweep.py": "class Command:\n    def handle(self): ...\n"}
    assert found(tree) == ["manage.py sweep -> shop/management/commands/sweep.py:Command.handle"]
