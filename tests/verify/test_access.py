"""Guards that a change takes away: planted in every language that is read, and changes that only move them."""

from __future__ import annotations

import pytest

from tests.verify.changes import subject_of
from tidegate.verify.access.check import check
from tidegate.verify.values import Part

DJANGO = """
from django.contrib.auth.decorators import login_required, permission_required

@login_required
def index(request):
    return render(request)

@permission_required("app.edit")
def edit(request):
    return render(request)

@login_required
@permission_required("app.drop")
def drop(request):
    return render(request)

class Plain(View):
    @method_decorator(login_required)
    def get(self, request):
        return render(request)

class Export(LoginRequiredMixin, ListView):
    model = Thing

class Things(ModelViewSet):
    queryset = Thing.objects.all()
    permission_classes = [IsAuthenticated, IsAdminUser]

    @action(detail=True, permission_classes=[IsOwner])
    def wipe(self, request):
        return Response()

def erase(request, pk):
    if not request.user.is_staff:
        raise PermissionDenied
    return render(request)

def own(request, pk):
    thing = get(pk)
    if thing.owner == request.user:
        return render(thing)

class IsOwner(BasePermission):
    def has_permission(self, request, view):
        if request.user.is_anonymous:
            return False
        return request.user.pk == view.pk
"""
URLS = """
urlpatterns = [
    path("report/", login_required(views.report)),
    path("open/", views.open),
]
MIDDLEWARE = ["django.LoginRequiredMiddleware", "other"]
REST_FRAMEWORK = {"DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"]}
"""
FASTAPI = """
router = APIRouter(dependencies=[Depends(get_current_user)])

@router.get("/items", dependencies=[Depends(get_current_active_superuser)])
def items(session: Session):
    return all(session)

@other.get("/me")
def me(current_user: CurrentUser):
    return current_user

@other.get("/scoped")
async def scoped(user: User = Security(get_user, scopes=["items"])):
    return user

@other.delete("/admin")
async def admin(user: Annotated[User, Depends(require_admin)]):
    return user

@app.route("/flask")
@auth.login_required
def flask():
    return "x"

@bp.before_request
def require_login():
    if not current_user.is_authenticated:
        abort(401)

app.include_router(private, dependencies=[Depends(verify_token)])
"""
EXPRESS = """
const router = express.Router();
router.use(requireAuth);
router.get('/plain', list);
router.get('/articles', auth.required, controller.list);
router.post('/users', isAuthenticated, requireRole('admin'), async (req, res) => { res.json({}) });
router.route('/feed').get(ensureLoggedIn(), feed).post(isAdmin, post);
fastify.get('/me', { preHandler: [fastify.authenticate] }, async (req) => req.user);
app.use('/admin', requireAdmin, adminRouter);
app.delete('/own', (req, res) => {
  if (!req.user) { return res.status(401).end(); }
  res.end();
});
export async function GET(request) {
  const session = await getServerSession(options);
  if (!session) { return new Response('no', { status: 401 }); }
  return data();
}
export async function save(form) {
  await requireAdmin();
  return write(form);
}
function isAdmin(req, res, next) {
  if (!req.user.admin) { return res.status(403).end(); }
  next();
}
export const appRouter = router({
  list: protectedProcedure.query(list),
  drop: adminProcedure.mutation(drop),
});
export default withAuth(Page);
"""
NEST = """
@Controller('cats')
@UseGuards(AuthGuard)
export class CatsController {
  @Get()
  list(): string { return ''; }

  @Delete(':id')
  @Roles('admin')
  async drop(@Param('id') id: string): Promise<void> { return; }
}

@Controller('dogs')
export class DogsController {
  @UseGuards(GqlAuthGuard, RolesGuard)
  @Post()
  create(@Body() dog: Dog) { return dog; }
}
"""
JAVA = """
@RestController
@PreAuthorize("hasRole('ADMIN')")
public class UserController {
    @GetMapping("/users")
    public List<User> list() { return all(); }
}

@RestController
public class ThingController {
    @Secured("ROLE_ADMIN")
    @DeleteMapping("/things/{id}")
    public void drop(@PathVariable Long id) { gone(id); }

    @PreAuthorize("@el.check('user:list')")
    @GetMapping
    public ResponseEntity<Object> query(Criteria criteria) { return null; }

    @RolesAllowed({"admin"})
    public Response wipe() { return null; }
}

class Config {
    SecurityFilterChain chain(HttpSecurity http) {
        http.authorizeHttpRequests(auth -> auth
            .requestMatchers("/login").permitAll()
            .requestMatchers("/admin/**").hasRole("ADMIN")
            .anyRequest().authenticated());
        return http.build();
    }
}
"""
KOTLIN = """
@RestController
class Things {
    @PreAuthorize("hasAuthority('write')")
    @PostMapping("/things")
    suspend fun create(@RequestBody thing: Thing): Thing = save(thing)
}
"""
RUBY = """
class StoriesController < ApplicationController
  before_action :require_logged_in_user, only: [:create, :update]
  before_action :require_logged_in_moderator, only: :delete
  before_action :authenticate_user!, except: [:index]

  def index
    render
  end

  def show
    render
  end

  def create
    save
  end

  def update
    authorize @story
    save
  end

  def delete
    drop
  end
end
"""
GO = """
package main

func routes(r *gin.Engine) {
	r.GET("/me", AuthRequired(), me)
	http.Handle("/admin", requireAdmin(http.HandlerFunc(admin)))
	api := r.Group("/api", authMiddleware())
	api.POST("/things", create)
	m.Group("/repo", func() {
		m.Post("/delete", reqRepoAdmin, drop)
	}, reqSignIn)
	c.With(auth.RequireUser).Get("/chi", chi)
	v1.Use(RequireLogin())
	v1.GET("/list", list)
}

func (h *Handler) Erase(w http.ResponseWriter, r *http.Request) {
	if !h.isAdmin(r) || !isAuthenticated(r) {
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	erase()
}
"""
FILES = {
    "app/views.py": DJANGO,
    "app/urls.py": URLS,
    "app/api.py": FASTAPI,
    "src/routes.js": EXPRESS,
    "src/cats.controller.ts": NEST,
    "src/UserController.java": JAVA,
    "src/Things.kt": KOTLIN,
    "app/controllers/stories_controller.rb": RUBY,
    "routes.go": GO,
}
PLANTED = (
    ("app/views.py", "@login_required\ndef index", "def index", "index"),
    ("app/views.py", '@permission_required("app.edit")\n', "", "edit"),
    ("app/views.py", '@login_required\n@permission_required("app.drop")', "@login_required", "drop"),
    ("app/views.py", "    @method_decorator(login_required)\n", "", "Plain.get"),
    ("app/views.py", "LoginRequiredMixin, ListView", "ListView", "Export"),
    ("app/views.py", "[IsAuthenticated, IsAdminUser]", "[IsAuthenticated]", "Things"),
    ("app/views.py", "[IsAuthenticated, IsAdminUser]", "[AllowAny]", "Things"),
    ("app/views.py", "[IsAuthenticated, IsAdminUser]", "[]", "Things"),
    ("app/views.py", "    permission_classes = [IsAuthenticated, IsAdminUser]\n", "", "Things"),
    ("app/views.py", ", permission_classes=[IsOwner]", "", "Things.wipe"),
    ("app/views.py", "    if not request.user.is_staff:\n        raise PermissionDenied\n", "", "erase"),
    ("app/views.py", "if thing.owner == request.user:", "if thing.owner == request.user or True:", "a condition"),
    (
        "app/views.py",
        "        if request.user.is_anonymous:\n            return False\n        return request.user.pk == view.pk",
        "        return True",
        "IsOwner.has_permission",
    ),
    ("app/urls.py", "login_required(views.report)", "views.report", "the route 'report/'"),
    ("app/urls.py", '"django.LoginRequiredMiddleware", ', "", "every route"),
    ("app/urls.py", "permissions.IsAuthenticated", "permissions.AllowAny", "every route without permission classes"),
    ("app/api.py", ", dependencies=[Depends(get_current_active_superuser)])\ndef items", ")\ndef items", "items"),
    ("app/api.py", "[Depends(get_current_active_superuser)]", "[Depends(get_current_user)]", "items"),
    ("app/api.py", "current_user: CurrentUser", "", "me"),
    ("app/api.py", 'user: User = Security(get_user, scopes=["items"])', "", "scoped"),
    ("app/api.py", "Annotated[User, Depends(require_admin)]", "User", "admin"),
    ("app/api.py", "@auth.login_required\n", "", "flask"),
    ("app/api.py", "private, dependencies=[Depends(verify_token)]", "private", "the router private"),
    ("app/api.py", "    if not current_user.is_authenticated:\n        abort(401)", "    pass", "require_login"),
    ("src/routes.js", "router.use(requireAuth);\n", "", "GET /plain"),
    ("src/routes.js", "requireRole('admin'), ", "", "POST /users"),
    ("src/routes.js", "post(isAdmin, post)", "post(post)", "POST /feed"),
    ("src/routes.js", "{ preHandler: [fastify.authenticate] }, ", "", "GET /me"),
    ("src/routes.js", "'/admin', requireAdmin, ", "'/admin', ", "USE /admin"),
    ("src/routes.js", "  if (!req.user) { return res.status(401).end(); }\n", "", "DELETE /own"),
    ("src/routes.js", "  if (!session) { return new Response('no', { status: 401 }); }\n", "", "GET"),
    ("src/routes.js", "  await requireAdmin();\n", "", "save"),
    ("src/routes.js", "  if (!req.user.admin) { return res.status(403).end(); }\n", "", "isAdmin"),
    ("src/routes.js", "list: protectedProcedure", "list: publicProcedure", "the procedure list"),
    ("src/routes.js", "drop: adminProcedure", "drop: protectedProcedure", "the procedure drop"),
    ("src/routes.js", "withAuth(Page)", "withTheme(Page)", "the default export"),
    ("src/cats.controller.ts", "@UseGuards(AuthGuard)\n", "", "CatsController"),
    ("src/cats.controller.ts", "  @Roles('admin')\n", "", "CatsController.drop"),
    ("src/cats.controller.ts", "  @UseGuards(GqlAuthGuard, RolesGuard)\n", "", "DogsController.create"),
    ("src/cats.controller.ts", "  @Get()\n  list", "  @Public()\n  @Get()\n  list", "CatsController.list"),
    ("src/UserController.java", "@PreAuthorize(\"hasRole('ADMIN')\")\n", "", "UserController"),
    ("src/UserController.java", '    @Secured("ROLE_ADMIN")\n', "", "ThingController.drop"),
    ("src/UserController.java", "    @PreAuthorize(\"@el.check('user:list')\")\n", "", "ThingController.query"),
    ("src/UserController.java", '    @RolesAllowed({"admin"})\n', "    @PermitAll\n", "ThingController.wipe"),
    ("src/UserController.java", 'hasRole("ADMIN")', "permitAll()", "the rule for /admin/**"),
    ("src/UserController.java", "anyRequest().authenticated()", "anyRequest().permitAll()", "the rule for anyRequest"),
    ("src/Things.kt", "    @PreAuthorize(\"hasAuthority('write')\")\n", "", "Things.create"),
    (
        "app/controllers/stories_controller.rb",
        "  before_action :require_logged_in_moderator, only: :delete\n",
        "",
        "delete",
    ),
    ("app/controllers/stories_controller.rb", "  before_action :authenticate_user!, except: [:index]\n", "", "show"),
    ("app/controllers/stories_controller.rb", "except: [:index]", "except: [:index, :show]", "show"),
    ("app/controllers/stories_controller.rb", "    authorize @story\n", "", "update"),
    (
        "app/controllers/stories_controller.rb",
        "only: :delete\n",
        "only: :delete\n  skip_before_action :require_logged_in_moderator\n",
        "delete",
    ),
    ("routes.go", "AuthRequired(), ", "", "GET /me"),
    ("routes.go", "requireAdmin(http.HandlerFunc(admin))", "http.HandlerFunc(admin)", "HANDLE /admin"),
    ("routes.go", '"/api", authMiddleware()', '"/api"', "POST /things"),
    ("routes.go", "reqRepoAdmin, ", "", "POST /delete"),
    ("routes.go", "c.With(auth.RequireUser).Get", "c.Get", "GET /chi"),
    ("routes.go", "\tv1.Use(RequireLogin())\n", "", "GET /list"),
    (
        "routes.go",
        '\tif !h.isAdmin(r) || !isAuthenticated(r) {\n\t\thttp.Error(w, "no", http.StatusForbidden)\n\t\treturn\n\t}\n',
        "",
        "Erase",
    ),
)
KEPT = (
    ("app/views.py", "@login_required\ndef index", "@staff_member_required\ndef index"),
    ("app/views.py", '@login_required\n@permission_required("app.drop")', '@permission_required("app.drop")'),
    (
        "app/views.py",
        "@login_required\ndef index(request):\n",
        "def index(request):\n    if not request.user.is_authenticated:\n        raise PermissionDenied\n",
    ),
    (
        "app/views.py",
        "class Plain(View):\n    @method_decorator(login_required)\n",
        "class Plain(LoginRequiredMixin, View):\n",
    ),
    (
        "app/views.py",
        "@login_required\ndef index(request):\n",
        "@login_required\ndef entry(request):\n    return index(request)\n\ndef index(request):\n",
    ),
    (
        "app/views.py",
        "@login_required\ndef index(request):\n",
        "@login_required\ndef shown(r):\n    return 1\n\ndef index(request):\n    return shown(request)\n\ndef x():\n",
    ),
    ("app/views.py", "[IsAuthenticated, IsAdminUser]", "[IsAuthenticated, IsStaffUser]"),
    ("app/views.py", '@permission_required("app.edit")\ndef edit(request):\n    return render(request)\n', ""),
    (
        "app/api.py",
        ", dependencies=[Depends(get_current_active_superuser)])\ndef items",
        ")\n@require_admin\ndef items",
    ),
    ("src/routes.js", "'/articles', auth.required, ", "'/articles', requireUser, "),
    ("src/routes.js", "auth.required, ", ""),
    ("src/cats.controller.ts", "  @UseGuards(GqlAuthGuard, RolesGuard)\n", "  @UseGuards(AuthGuard, RolesGuard)\n"),
    ("src/UserController.java", '    @Secured("ROLE_ADMIN")\n', "    @PreAuthorize(\"hasRole('ADMIN')\")\n"),
    (
        "app/controllers/stories_controller.rb",
        "  before_action :require_logged_in_user, only: [:create, :update]\n",
        "",
    ),
    ("routes.go", '"/api", authMiddleware()', '"/api", RequireAuth()'),
)
"""What is replaced, or implied by what is left: nothing is gone."""


def _part(path: str, old: str, new: str) -> Part:
    text = FILES[path]
    assert text.count(old) >= 1, old
    before = text
    return check(subject_of({path: before}, {path: before.replace(old, new, 1)}))


@pytest.mark.parametrize(("path", "old", "new", "what"), PLANTED)
def test_a_guard_that_is_taken_away_is_seen(path: str, old: str, new: str, what: str) -> None:
    part = _part(path, old, new)
    assert [one.rule for one in part.findings] == ["access-removed"] * len(part.findings)
    assert {one.severity for one in part.findings} == {"high"}
    assert not what or what in [fact.what for fact in part.fields["access_removed"]]


@pytest.mark.parametrize(("path", "old", "new"), KEPT)
def test_a_guard_that_is_replaced_is_none_that_is_gone(path: str, old: str, new: str) -> None:
    assert _part(path, old, new).findings == ()


CONCERN = "module Members\n  included do\n    before_action :require_logged_in_moderator\n  end\nend\n"


def test_a_guard_that_moves_to_a_concern_a_parent_or_another_file_is_kept() -> None:
    after = "class JobsController < ApplicationController\n  include Sorting, Members\n\n  def list\n  end\nend\n"
    before = after.replace("include Sorting, Members", "before_action :require_logged_in_moderator")
    path, concern = "app/controllers/jobs_controller.rb", "app/controllers/concerns/members.rb"
    assert check(subject_of({path: before}, {path: after, concern: CONCERN})).findings == ()
    gone = check(subject_of({path: before}, {path: after, concern: CONCERN.replace("moderator", "visit")}))
    assert [one.place.path for one in gone.findings] == [path]


def test_a_function_that_moves_without_its_guard_is_seen_where_it_went() -> None:
    left = DJANGO.replace("@login_required\ndef index(request):\n    return render(request)\n", "")
    after = {"app/views.py": left, "app/pages.py": "def index(request):\n    return render(request)\n"}
    part = check(subject_of({"app/views.py": DJANGO}, after))
    assert [fact.what for fact in part.fields["access_removed"]] == ["index"]


def test_what_cannot_be_read_is_unknown_and_tests_are_not_asked() -> None:
    part = check(subject_of({"app/views.py": DJANGO}, {"app/views.py": "def index(:\n"}))
    assert [one.path for one in part.unknowns] == ["verification.access_removed"]
    quiet = check(subject_of({"tests/test_views.py": DJANGO}, {"tests/test_views.py": "x = 1\n"}))
    assert (quiet.findings, quiet.unknowns) == ((), ())


def test_a_guard_of_a_class_that_is_gone_is_one_finding() -> None:
    after = RUBY.replace("  before_action :require_logged_in_user, only: [:create, :update]\n", "").replace(
        "  before_action :authenticate_user!, except: [:index]\n", ""
    )
    path = "app/controllers/stories_controller.rb"
    messages = [one.message for one in check(subject_of({path: RUBY}, {path: after})).findings]
    assert len(messages) <= 2
    assert any("and 1 more is no longer guarded" in one or "create" in one for one in messages)


def test_a_guard_of_a_class_that_others_inherit_from_is_seen() -> None:
    path = "app/controllers/mod/mod_controller.rb"
    before = "class Mod::ModController < ApplicationController\n  before_action :require_logged_in_moderator\nend\n"
    after = before.replace("  before_action :require_logged_in_moderator\n", "")
    (fact,) = check(subject_of({path: before}, {path: after})).fields["access_removed"]
    assert fact.what == "Mod::ModController"
