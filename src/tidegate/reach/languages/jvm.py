"""The words of the platform that Java and Kotlin share.

Some types hold others: `CONTAINERS` of Foo become "Foo!*". What is called on a container gives an element
(`ELEMENT_CALLS`: `get`, `next`, `orElse`), the same container (`SAME_CALLS`: `stream`, `filter`, `values`) or another
one that a function makes (`MAPPING_CALLS`).
"""

from __future__ import annotations

from tidegate.reach.languages.tree import TEXT_LIMIT

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
        "AfterClass AfterMethod AfterTest AfterSuite BeforeGroups AfterGroups BeforeTestMethod "
        "Parameters DataPoint DataPoints"
    )
)
CALLED_BACK = {
    "Serializable": "readObject writeObject readResolve writeReplace readObjectNoData",
    "Externalizable": "readExternal writeExternal",
    "Cloneable": "clone",
    "Closeable": "close",
    "AutoCloseable": "close",
    "Flushable": "flush",
    "Comparable": "compareTo",
    "Comparator": "compare",
    "Iterable": "iterator spliterator forEach",
    "Iterator": "hasNext next remove",
    "Runnable": "run",
    "Callable": "call",
    "Supplier": "get",
    "Consumer": "accept",
    "BiConsumer": "accept",
    "Function": "apply",
    "BiFunction": "apply",
    "UnaryOperator": "apply",
    "BinaryOperator": "apply",
    "Predicate": "test",
    "BiPredicate": "test",
    "CharSequence": "length charAt subSequence",
    "Appendable": "append",
    "InvocationHandler": "invoke",
    "RandomAccess": "",
    "Object": "",
    "Any": "",
    "Record": "",
}
"""Types of the platform that say no more than which methods they call: as a base they are as good as these."""
ALWAYS_CALLED_BACK = "toString equals hashCode finalize"
QUIET_MARKS = (
    TEST_MARKS
    | SET_UP_MARKS
    | frozenset(
        _words(
            "Override Deprecated SuppressWarnings SafeVarargs FunctionalInterface Nullable NonNull NotNull Nonnull "
            "CheckReturnValue CanIgnoreReturnValue VisibleForTesting Nested Disabled Ignore DisplayName Tag Timeout "
            "ValueSource MethodSource FieldSource EnumSource CsvSource CsvFileSource NullSource EmptySource Order "
            "NullAndEmptySource ArgumentsSource UseDataProvider DataProvider Suppress JvmStatic JvmField JvmOverloads "
            "JvmName Throws OptIn Synchronized Volatile Transient PublishedApi Contract Generated NullMarked "
            "RegisterExtension TempDir API"
        )
    )
)
"""Annotations that hand what bears them to nobody who would call it, but for tests, which say so in other ways."""
QUIET_CALLS = frozenset(
    _words(
        "assertEquals assertNotEquals assertTrue assertFalse assertNull assertNotNull assertSame assertNotSame fail "
        "assertArrayEquals assertIterableEquals assertInstanceOf assertThat isEqualTo isNotEqualTo isSameAs isNull "
        "isNotNull isInstanceOf contains containsExactly containsKey containsValue hasSize requireNonNull checkNotNull "
        "requireNonNullElse nonNull format printf println print valueOf equals hash hashCode toString append add "
        "addAll addFirst addLast put putAll putIfAbsent push offer remove removeAll indexOf lastIndexOf asList of "
        "listOf setOf mapOf arrayOf get getOrDefault singletonList singleton emptyList ofNullable isSameInstanceAs "
        "assertContentEquals assertIs shouldBe debug info warn error trace"
    )
)
"""Calls that store, compare or print what they are given. Of an instance they ask no more than `ALWAYS_CALLED_BACK`,
so that it is not listed among their arguments: it is handed to nobody who could do more with it."""
MADE_OUTSIDE = frozenset(
    _words("readObject readUnshared newInstance readValue fromJson unmarshal deserialize getBean clone createProxy")
)
"""Calls that answer with an instance that somebody else made; a cast says of which class."""
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
PACKAGE_ROOTS = frozenset(
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
