"""Routes of Go, Java, Ruby and Rust, and services of protocol buffers."""

from __future__ import annotations

from tests.reach.entries.tree import found


def test_go_groups_closures_mounts_and_functions() -> None:
    tree = {
        "go.mod": "module example.com/shop\n",
        "main.go": """
            package main

            import (
                "net/http"
                "example.com/shop/users"
                "github.com/gin-gonic/gin"
            )

            func main() {
                r := gin.Default()
                v1 := r.Group("/v1")
                v1.GET("/ping", ping)
                users.Register(v1.Group("/users"))
                http.HandleFunc("GET /std/{id}", std)
            }

            func ping(c *gin.Context) {}
            func std(w http.ResponseWriter, r *http.Request) {}
        """,
        "users/users.go": """
            package users

            import "github.com/gin-gonic/gin"

            func Register(g *gin.RouterGroup) {
                g.POST("/:id", auth(), save)
            }

            func auth() gin.HandlerFunc { return nil }
            func save(c *gin.Context) {}
        """,
        "chi/server.go": """
            package chi

            import "github.com/go-chi/chi/v5"

            func New() *chi.Mux {
                r := chi.NewRouter()
                r.Route("/articles", func(r chi.Router) {
                    r.Get("/", list)
                    r.Route("/{id}", func(r chi.Router) {
                        r.Delete("/", remove)
                    })
                })
                return r
            }
        """,
        "chi/handlers.go": "package chi\n\nfunc list() {}\nfunc remove() {}\n",
        "mux.go": """
            package main

            import "github.com/gorilla/mux"

            func serve() {
                s := mux.NewRouter().PathPrefix("/m").Subrouter()
                s.HandleFunc("/x", ping).Methods("PUT", "PATCH")
            }
        """,
    }
    assert [line for line in found(tree) if "/" in line.split(" -> ")[0]] == [
        "GET /articles -> chi/handlers.go:list",
        "DELETE /articles/{id} -> chi/handlers.go:remove",
        "PATCH /m/x -> main.go:ping",
        "PUT /m/x -> main.go:ping",
        "GET /std/{id} -> main.go:std",
        "GET /v1/ping -> main.go:ping",
        "POST /v1/users/:id -> users/users.go:auth",
        "POST /v1/users/:id -> users/users.go:save",
    ]


def test_spring_and_jax_rs() -> None:
    tree = {
        "src/main/java/a/Owners.java": """
            package a;
            import org.springframework.web.bind.annotation.*;
            import org.springframework.scheduling.annotation.Scheduled;
            import org.springframework.kafka.annotation.KafkaListener;
            @RestController
            @RequestMapping("/owners")
            class Owners {
                @GetMapping("/{id}") String show(int id) { return ""; }
                @PostMapping({"/new", "/add"}) String add() { return ""; }
                @RequestMapping(value = "/old", method = RequestMethod.PUT) String old() { return ""; }
                @RequestMapping("/any") String any() { return ""; }
                @Scheduled(cron = "0 0 * * * *") void nightly() {}
                @KafkaListener(topics = "orders") void consume(String m) {}
            }
        """,
        "src/main/java/a/Things.java": """
            package a;
            import jakarta.ws.rs.*;
            @Path("/things")
            public class Things {
                @GET @Path("{id}") public String one() { return ""; }
                @DELETE public void none() {}
            }
        """,
    }
    owners, things = "src/main/java/a/Owners.java:Owners", "src/main/java/a/Things.java:Things"
    assert found(tree) == [
        f"orders -> {owners}.consume",
        f"POST /owners/add -> {owners}.add",
        f"* /owners/any -> {owners}.any",
        f"POST /owners/new -> {owners}.add",
        f"PUT /owners/old -> {owners}.old",
        f"GET /owners/{{id}} -> {owners}.show",
        f"DELETE /things -> {things}.none",
        f"GET /things/{{id}} -> {things}.one",
        f"Owners.nightly -> {owners}.nightly",
    ]


def test_rails_routes() -> None:
    tree = {
        "config/routes.rb": """
            Rails.application.routes.draw do
              root "home#index"
              resources :posts, only: [:index, :show] do
                member do
                  post :publish
                end
                collection { get :search }
                resources :comments, only: :create
              end
              namespace :admin do
                get "stats", to: "users#stats" # a comment
              end
              scope "/api" do
                match "/x", to: "home#x", via: [:get, :post]
              end
            end
        """,
        "app/controllers/home_controller.rb": "class HomeController\n  def index; end\n  def x; end\nend\n",
        "app/controllers/admin/users_controller.rb": "class Admin::UsersController\n  def stats; end\nend\n",
    }
    home = "app/controllers/home_controller.rb:HomeController"
    lines = found(tree, "rails")
    assert [line.split(" -> ")[0] for line in lines] == [
        "GET /",
        "GET /admin/stats",
        "GET /api/x",
        "POST /api/x",
        "GET /posts",
        "GET /posts/:id",
        "POST /posts/:id/publish",
        "POST /posts/:post_id/comments",
        "GET /posts/search",
    ]
    assert lines[0] == f"GET / -> {home}.index"
    assert lines[1].endswith("users_controller.rb:Admin.UsersController.stats")


def test_sinatra_and_sidekiq() -> None:
    tree = {
        "app.rb": "require 'sinatra'\nget '/x/:id' do\n  1\nend\n",
        "job.rb": "class Sweep\n  include Sidekiq::Worker\n  def perform(a); end\nend\n",
    }
    assert found(tree) == ["GET /x/:id -> app.rb", "Sweep -> job.rb:Sweep.perform"]


def test_axum_and_actix() -> None:
    tree = {
        "src/main.rs": """
            use axum::{routing::{get, post}, Router};
            fn app() -> Router {
                let api = Router::new().route("/users", get(list).delete(clear));
                Router::new().nest("/api", api).merge(other())
            }
            fn other() -> Router { Router::new().route("/o", post(list)) }
            async fn list() {}
            async fn clear() {}
        """,
        "src/web.rs": """
            use actix_web::{get, web, App};
            #[get("/hello/{name}")]
            async fn hello() {}
            #[actix_web::post("/lost")]
            async fn lost() {}
            fn run() { App::new().service(web::scope("/s").service(hello)); }
        """,
    }
    lines = found(tree)
    assert {line.split(" -> ")[0] for line in lines} == {
        "GET /api/users",
        "DELETE /api/users",
        "POST /o",
        "GET /s/hello/{name}",
        "POST {?}/lost",
    }
    assert "GET /api/users -> src/main.rs:list" in lines
    assert "DELETE /api/users -> src/main.rs:clear" in lines


def test_services_of_protocol_buffers_find_their_classes() -> None:
    tree = {
        "api/shop.proto": """
            syntax = "proto3";
            package shop.v1;
            // service Ghost { rpc Nothing(A) returns (B); }
            service Shop {
              rpc GetItem(GetItemRequest) returns (Item) {}
              rpc Lost(A) returns (B);
            }
        """,
        "server.py": """
            import shop_pb2_grpc
            class Server(shop_pb2_grpc.ShopServicer):
                def GetItem(self, request, context): ...
        """,
    }
    assert found(tree) == [
        "/shop.v1.Shop/GetItem -> server.py:Server.GetItem",
        "/shop.v1.Shop/Lost -> api/shop.proto",
    ]
