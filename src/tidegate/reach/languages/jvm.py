"""What the readers of Java and Kotlin share: the words of the platform, and the record of what a file says.

On the platform a member is found without an import when it stands in the same package, and some types hold others:
`CONTAINERS` become "Foo!*". What is called on a container gives an element (`ELEMENT_CALLS`: `get`, `next`, `orElse`),
the same container (`SAME_CALLS`: `stream`, `filter`, `values`) or another one made by a function (`MAPPING_CALLS`).
"""

from __future__ import annotations

from collections.abc import Iterable

from tidegate.reach.languages.tree import TEXT_LIMIT, names_something
from tidegate.reach.symbols import (
    Binding,
    BindingKind,
    Definition,
    DefinitionKind,
    FileSymbols,
    Gap,
    Parameter,
    Reference,
    ReferenceKind,
    Text,
    Visibility,
)

CHAIN_LIMIT = 300
"""A longer chain says nothing any more; without a limit, a chain of n calls would be n * n characters."""


def _words(text: str) -> list[str]:
    return text.split()


PLAIN = {
    **dict.fromkeys(["String", "CharSequence", "StringBuilder", "StringBuffer", "Char", "Character"], "%str"),
    **dict.fromkeys(_words("Integer Long Short Byte Boolean Int Number UInt ULong"), "%int"),
    **dict.fromkeys(_words("int long short byte boolean char"), "%int"),
    **dict.fromkeys(["Double", "Float", "double", "float"], "%float"),
    **dict.fromkeys(_words("IntArray LongArray ByteArray CharArray DoubleArray FloatArray BooleanArray"), "%list"),
    **dict.fromkeys(_words("Object Any Void Unit Nothing void var"), ""),
}
LAST_ARGUMENT = frozenset(
    _words(
        "Map HashMap LinkedHashMap TreeMap ConcurrentMap ConcurrentHashMap SortedMap NavigableMap EnumMap "
        "WeakHashMap IdentityHashMap MutableMap ImmutableMap Multimap ListMultimap SetMultimap Entry Function "
        "BiFunction Cache LoadingCache Table Callback Pair Either Result"
    )
)
CONTAINERS = LAST_ARGUMENT | frozenset(
    _words(
        "List ArrayList LinkedList Set HashSet LinkedHashSet TreeSet SortedSet NavigableSet EnumSet Collection "
        "Iterable Iterator ListIterator Queue Deque ArrayDeque PriorityQueue BlockingQueue LinkedBlockingQueue "
        "Vector Stack CopyOnWriteArrayList Enumeration Spliterator Optional Stream Future CompletableFuture "
        "CompletionStage ListenableFuture Supplier Callable Provider ObjectProvider ObjectFactory Instance Lazy "
        "ThreadLocal AtomicReference WeakReference SoftReference Reference Mono Flux Flow StateFlow "
        "MutableStateFlow SharedFlow Single Observable Flowable Maybe Page Slice ResponseEntity HttpEntity "
        "ImmutableList ImmutableSet Array MutableList MutableSet MutableCollection MutableIterable Sequence "
        "Deferred Channel ReceiveChannel SendChannel LiveData MutableLiveData State MutableState UnaryOperator "
        "BinaryOperator"
    )
)
ELEMENT_CALLS = frozenset(
    _words(
        "get next previous orElse orElseGet orElseThrow poll peek pop remove element take getFirst getLast "
        "removeFirst removeLast pollFirst pollLast peekFirst peekLast first last firstEntry lastEntry getValue "
        "getOrDefault put computeIfAbsent computeIfPresent putIfAbsent join getNow call block blockFirst "
        "getIfAvailable getObject getBody nextElement elementAt set getAndSet reduce firstOrNull lastOrNull "
        "single singleOrNull find getOrNull getOrElse getOrPut await random maxBy minBy maxByOrNull minByOrNull "
        "removeAt receive apply component2 getKey invoke getOrThrow"
    )
)
SAME_CALLS = frozenset(
    _words(
        "stream parallelStream iterator listIterator filter sorted distinct limit skip peek findFirst findAny "
        "collect toList values entrySet subList reversed descendingIterator boxed parallel sequential or max min "
        "toArray asList asSequence toSet toMutableList toMutableSet filterNot filterNotNull drop dropLast take "
        "takeLast sortedBy sortedByDescending sortedWith distinctBy onEach plus minus shuffled asReversed clone "
        "asIterable takeWhile dropWhile entries orEmpty toTypedArray chunked concatWith doOnNext subscribeOn "
        "publishOn headSet tailSet whenComplete exceptionally also"
    )
)
MAPPING_CALLS = frozenset(
    _words(
        "map flatMap mapToObj thenApply thenCompose thenApplyAsync mapNotNull mapIndexed mapMulti concatMap "
        "transform switchMap"
    )
)
FLATTENING_CALLS = frozenset(["flatMap", "thenCompose", "concatMap", "switchMap"])
TEST_MARKS = frozenset(
    _words("Test ParameterizedTest RepeatedTest TestFactory TestTemplate Theory Property Fuzz FuzzTest ArchTest")
)
SET_UP_MARKS = frozenset(
    _words(
        "Before BeforeEach BeforeAll BeforeClass BeforeMethod BeforeTest BeforeSuite After AfterEach AfterAll "
        "AfterClass AfterMethod AfterTest AfterSuite BeforeGroups AfterGroups BeforeTestMethod"
    )
)
REFLECTIVE_CALLS = frozenset(
    _words(
        "invoke newInstance getMethod getDeclaredMethod getMethods getDeclaredMethods getConstructor "
        "getDeclaredConstructor getConstructors getDeclaredConstructors getField getDeclaredField getFields "
        "getDeclaredFields newProxyInstance callBy declaredMemberProperties memberFunctions primaryConstructor"
    )
)
JAVA_LANG = frozenset(
    _words(
        "Math System Integer Long Double Float Boolean Character Byte Short String Object Thread Runtime "
        "StringBuilder StringBuffer Class ClassLoader Enum Number Comparable Runnable AutoCloseable Cloneable "
        "CharSequence Throwable Exception RuntimeException Error IllegalArgumentException IllegalStateException "
        "NullPointerException UnsupportedOperationException IndexOutOfBoundsException "
        "ArrayIndexOutOfBoundsException ClassCastException NumberFormatException ArithmeticException "
        "InterruptedException CloneNotSupportedException AssertionError ClassNotFoundException "
        "NoSuchFieldException NoSuchMethodException SecurityException StackOverflowError OutOfMemoryError "
        "ThreadLocal Override Deprecated SuppressWarnings FunctionalInterface SafeVarargs Iterable "
        "StringIndexOutOfBoundsException NegativeArraySizeException ReflectiveOperationException Appendable Void "
        "InstantiationException IllegalAccessException LinkageError NoClassDefFoundError "
        "ExceptionInInitializerError StackTraceElement StrictMath"
    )
)
"""Types that are seen without an import, those that a repository has no reason to name one of its own after."""
_ROOTS = frozenset(
    _words("com org net io java javax jakarta kotlin kotlinx android androidx dev edu gov de uk fr me scala groovy sun")
)


def split_qualified(name: str, *, members: int = 0) -> str:
    """A dotted name as a chain: "com.a.B.C" is "<com.a>.B.C", for packages are written small and types are not.

    Without a capital, the last name and the `members` after it stand outside of the package. The facade of a Kotlin
    file (`FooKt`) is no definition: its members are those of the package.
    """
    parts = name.split(".")
    types = next((at for at, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1 - members)
    types = max(types, 0)
    package, rest = ".".join(parts[:types]), parts[types:]
    if rest and is_facade(rest[0]):
        rest = rest[1:]
    if not package:
        return ".".join(rest)
    return ".".join([f"<{package}>", *rest])


def is_facade(name: str) -> bool:
    """Whether a class of this name holds the top-level functions of a Kotlin file."""
    return len(name) > 2 and name.endswith("Kt") and name[0].isupper()


class Scope:
    """One definition while it is read.

    `locals` maps a local name to "*" where it is a container, to "" else; `fields` has the fields that are containers;
    `types` maps a type variable to what it stands for, "" where that is anything.
    """

    __slots__ = (
        "anonymous",
        "fields",
        "index",
        "kind",
        "locals",
        "name",
        "outer",
        "reads",
        "simple",
        "tests",
        "types",
        "under",
        "uses",
    )

    def __init__(self, index: int, name: str, simple: str, kind: str, outer: Scope | None) -> None:
        self.index = index
        self.name = name
        self.simple = simple
        self.kind = kind
        self.outer = outer
        self.locals: dict[str, str] = dict(outer.locals) if outer else {}
        self.fields: dict[str, str] = (dict(outer.fields) if kind == "class" else outer.fields) if outer else {}
        self.types: dict[str, str] = outer.types if outer else {}
        self.reads: set[str] = set()
        self.uses: set[str] = set()
        self.anonymous: dict[str, int] = {}
        self.tests = Tests()
        self.under = [0, 0, 0, 0]

    def enclosing_class(self) -> Scope:
        """The class around, itself included; the module where there is none."""
        scope = self
        while scope.kind != "class" and scope.outer is not None:
            scope = scope.outer
        return scope

    def qualify(self, name: str) -> str:
        """The qualified name of a definition in this scope."""
        return f"{self.name}.{name}" if self.name else name

    def number(self, base: str) -> str:
        """The name of the next anonymous class of this base in this definition."""
        count = self.anonymous.get(base, 0) + 1
        self.anonymous[base] = count
        return f"{base}${count}"


class Tests:
    """The tests and set-up methods of a class: what runs before and after each of its tests."""

    __slots__ = ("set_up", "tests")

    def __init__(self) -> None:
        self.tests: list[tuple[int, int]] = []
        self.set_up: list[str] = []


class Record:
    """What was found in a file so far, and where the reader stands (`scope`)."""

    def __init__(self) -> None:
        self.definitions: list[Definition] = []
        self.bindings: list[Binding] = []
        self.references: list[Reference] = []
        self.texts: list[Text] = []
        self.gaps: list[Gap] = []
        self.package = ""
        self.roots: frozenset[str] = _ROOTS
        self.imported: set[str] = set()
        self.scope = Scope(0, "", "", "module", None)
        self.branch = 0

    def refer(self, kind: ReferenceKind, chain: str, line: int, arguments: tuple[str, ...] = ()) -> None:
        """Add a reference of the definition that is read now. A chain that says nothing is none."""
        if chain and chain[0] != "?" and chain[0] != "%":
            self.references.append(Reference(self.scope.index, kind, chain, line, arguments, self.branch))

    def read(self, chain: str, line: int) -> None:
        """Add a read, once for each chain in a definition."""
        reads = self.scope.reads
        if chain not in reads:
            reads.add(chain)
            self.references.append(Reference(self.scope.index, "read", chain, line, (), self.branch))

    def use(self, chain: str, line: int) -> None:
        """Add the use of a type, once for each type in a definition."""
        uses = self.scope.uses
        if chain not in uses:
            uses.add(chain)
            self.references.append(Reference(self.scope.index, "type", chain, line, (), self.branch))

    def bind(self, name: str, value: str, kind: BindingKind, line: int, scope: Scope | None = None) -> None:
        """Bind a name in a scope (in the one that is read now); a value that says nothing hides other names."""
        at = scope or self.scope
        self.bindings.append(Binding(at.index, name, value or "?", kind, self.scope.index, line))

    def local(self, name: str, value: str, kind: BindingKind, line: int) -> None:
        """Bind a local name, and remember that it is one."""
        self.scope.locals[name] = "*" if value.endswith("*") else ""
        self.bindings.append(Binding(self.scope.index, name, value or "?", kind, self.scope.index, line))

    def text(self, value: str, line: int) -> None:
        """Add a text literal where it may name something outside of the code."""
        if names_something(value):
            self.texts.append(Text(self.scope.index, value, line))

    def gap(self, reason: str, line: int) -> None:
        """Add a place where reading stops."""
        self.gaps.append(Gap(self.scope.index, reason, line))

    def is_container(self, chain: str) -> bool:
        """Whether what a chain means is known, in this file, to hold elements."""
        if not chain:
            return False
        if chain[-1] == "*":
            return True
        scope = self.scope
        if chain.startswith("self."):
            return scope.fields.get(chain[5:]) == "*"
        mark = scope.locals.get(chain)
        return (scope.fields.get(chain) if mark is None else mark) == "*"

    def enter(self, name: str, simple: str, kind: str) -> Scope:
        """Step into a new definition; it is filled by `define` before the next one starts."""
        scope = Scope(len(self.definitions), name, simple, kind, self.scope)
        self.definitions.append(_PLACE)
        self.go_to(scope)
        return scope

    def leave(self) -> None:
        """Step back into the definition around."""
        self.go_to(self.scope.outer or self.scope)

    def go_to(self, scope: Scope) -> None:
        """Read on in this definition, under the conditions that were left there."""
        self.scope = scope
        self.branch = _level(scope.under)

    def under(self, what: int, change: int) -> None:
        """Step into (1) or out of (-1) a condition: `LOOP`, `EXIT`, `BRANCH`, `HANDLER`."""
        levels = self.scope.under
        levels[what] += change
        self.branch = _level(levels)

    def define(
        self,
        kind: DefinitionKind,
        lines: tuple[int, int],
        flags: Iterable[str] = (),
        *,
        visibility: Visibility = "public",
        bases: Iterable[str] = (),
        decorators: Iterable[str] = (),
        parameters: Iterable[Parameter] = (),
        returns: Iterable[str] = (),
    ) -> None:
        """Say what the definition that is read now is."""
        scope = self.scope
        self.definitions[scope.index] = Definition(
            scope.name,
            kind,
            *lines,
            scope.outer.index if scope.outer else -1,
            visibility,
            tuple(bases),
            tuple(decorators),
            tuple(parameters),
            tuple(chain for chain in returns if chain),
            tuple(flags),
        )

    def call_set_up(self, scope: Scope) -> None:
        """Let each test of a class call what runs around it, and the making of the class.

        The tests of a nested class also run what the class around them sets up. A class calls its set-up methods, so
        that the tests of a class that inherits them reach them.
        """
        tests = scope.tests
        for index, line in tests.tests:
            self.references.append(Reference(index, "call", scope.simple, line))
            self.references += [Reference(index, "call", f"{scope.simple}!.{name}", line) for name in tests.set_up]
        line = self.definitions[scope.index].line
        self.references += [Reference(scope.index, "call", f"{scope.simple}!.{name}", line) for name in tests.set_up]
        if scope.outer is not None and scope.outer.kind == "class":
            scope.outer.tests.tests += tests.tests

    def symbols(self) -> FileSymbols:
        """Everything that was found."""
        return FileSymbols(
            tuple(self.definitions),
            tuple(self.bindings),
            tuple(self.references),
            tuple(self.texts),
            tuple(self.gaps),
            self.package,
        )


LOOP, EXIT, BRANCH, HANDLER = range(4)


def _level(under: list[int]) -> int:
    """`Reference.branch` for code under so many conditions of each kind."""
    if under[HANDLER]:
        return 5
    if under[BRANCH]:
        return 3 if under[BRANCH] == 1 else 4
    return 2 if under[EXIT] else 1 if under[LOOP] else 0


_PLACE = Definition("", "variable", 0, 0, -1)


def quote(value: str) -> str:
    """A text literal as an argument: between double quotes, at most 200 characters."""
    return f'"{value[:TEXT_LIMIT]}"'


def join(receiver: str, name: str) -> str:
    """The chain of a member, "?" where it grew too long."""
    if len(receiver) > CHAIN_LIMIT:
        return "?"
    return f"{receiver}.{name}"


def contained(chain: str) -> str:
    """The chain of a container of what the chain means."""
    return chain + "*" if chain and chain[0] != "%" else "%list"
