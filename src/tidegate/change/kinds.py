"""The tables that say from its name what a file is. They are data; `classify.py` says in which order they count."""

from __future__ import annotations

LANGUAGES: dict[str, str] = {
    # programming languages
    "Ada": "adb ads",
    "Apex": "cls trigger apex",
    "Assembly": "asm s",
    "C": "c h",
    "C#": "cs csx",
    "C++": "cc cpp cxx c++ hh hpp hxx h++ ipp inl",
    "COBOL": "cob cbl cpy",
    "Clojure": "clj cljs cljc edn",
    "CoffeeScript": "coffee",
    "Crystal": "cr",
    "CUDA": "cu cuh",
    "D": "d di",
    "Dart": "dart",
    "Elixir": "ex exs heex",
    "Elm": "elm",
    "Erlang": "erl hrl",
    "F#": "fs fsi fsx",
    "Fortran": "f f77 f90 f95 f03 f08 for",
    "GLSL": "glsl vert frag",
    "Go": "go",
    "Groovy": "groovy gvy gradle",
    "Haskell": "hs lhs",
    "JavaScript": "js jsx mjs cjs es6",
    "Java": "java",
    "Julia": "jl",
    "Jupyter": "ipynb",
    "Kotlin": "kt kts",
    "Lisp": "lisp lsp el scm rkt",
    "Lua": "lua",
    "Move": "move",
    "Nim": "nim",
    "Nix": "nix",
    "OCaml": "ml mli",
    "Objective-C": "m mm",
    "PHP": "php phtml php5",
    "Pascal": "pas dpr",
    "Perl": "pl pm t",
    "PowerShell": "ps1 psm1 psd1",
    "Puppet": "pp",
    "Python": "py pyi pyx pxd pyw",
    "R": "r rmd",
    "Ruby": "rb rake gemspec erb",
    "Rust": "rs",
    "SQL": "sql psql plsql ddl",
    "Scala": "scala sc sbt",
    "Shell": "sh bash zsh fish ksh bats",
    "Solidity": "sol",
    "Starlark": "bzl star",
    "Swift": "swift",
    "SystemVerilog": "sv svh",
    "Tcl": "tcl",
    "TypeScript": "ts tsx mts cts",
    "V": "v",
    "VHDL": "vhd vhdl",
    "Visual Basic": "vb bas vbs",
    "Zig": "zig",
    # languages of interfaces and pages
    "Astro": "astro",
    "CSS": "css scss sass less styl",
    "GraphQL": "graphql gql graphqls",
    "HTML": "html htm xhtml",
    "Protocol Buffers": "proto",
    "Svelte": "svelte",
    "Template": "j2 jinja jinja2 tmpl tpl mustache hbs ejs haml pug slim liquid",
    "Thrift": "thrift",
    "Vue": "vue",
    # configuration and data
    "Bicep": "bicep",
    "CEL": "cel",
    "CMake": "cmake",
    "CSV": "csv tsv",
    "Dockerfile": "dockerfile containerfile",
    "HCL": "tf tfvars hcl nomad",
    "INI": "ini cfg conf properties cnf",
    "JSON": "json json5 jsonc jsonl ndjson geojson webmanifest avsc",
    "Makefile": "mk mak make",
    "Rego": "rego",
    "TOML": "toml",
    "XML": "xml xsd xsl xslt plist csproj vbproj fsproj props targets resx",
    "YAML": "yaml yml",
    # text
    "AsciiDoc": "adoc asciidoc",
    "Markdown": "md mdx markdown mdc",
    "Text": "txt text",
    "reStructuredText": "rst",
}
"""Language to the extensions of its files, in lower case. The first that names an extension has it."""

NAMES: dict[str, str] = {
    "BUILD": "Starlark",
    "BUILD.bazel": "Starlark",
    "Brewfile": "Ruby",
    "CMakeLists.txt": "CMake",
    "Containerfile": "Dockerfile",
    "Dockerfile": "Dockerfile",
    "Gemfile": "Ruby",
    "GNUmakefile": "Makefile",
    "Jenkinsfile": "Groovy",
    "Justfile": "Makefile",
    "Makefile": "Makefile",
    "Podfile": "Ruby",
    "Rakefile": "Ruby",
    "Tiltfile": "Starlark",
    "Vagrantfile": "Ruby",
    "WORKSPACE": "Starlark",
    "justfile": "Makefile",
    "makefile": "Makefile",
}
"""Whole file names that say the language."""

NOT_CODE: tuple[str, ...] = (
    *("AsciiDoc", "Bicep", "CMake", "CSV", "Dockerfile", "HCL", "INI", "JSON", "Makefile", "Markdown", "Text"),
    *("TOML", "XML", "YAML", "reStructuredText"),
)
"""Languages whose files are no source code."""

PAGES: tuple[str, ...] = ("HTML", "CSS", "Template", "Nix")
"""Languages of files that are documentation or configuration where their name says so."""

_SCRIPT = ("js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte")

DOCS: tuple[str, ...] = (
    *("*.md", "*.mdx", "*.markdown", "*.rst", "*.adoc", "*.asciidoc", "*.txt", "*.text"),
    # Texts that are no documentation, and texts that steer an agent (domain ai-prompts).
    *("!requirements*.txt", "!constraints*.txt", "!**/requirements/*.txt", "!CMakeLists.txt", "!robots.txt"),
    *("!CLAUDE.md", "!AGENTS.md", "!GEMINI.md", "!SKILL.md", "!.github/copilot-instructions.md", "!.cursor/**"),
    *("!.claude/**", "!**/prompts/**", "!.clinerules/**", "!.windsurf/**", "!.github/instructions/**"),
    *("LICENSE*", "LICENCE*", "COPYING*", "NOTICE", "AUTHORS", "CONTRIBUTORS", "MAINTAINERS", "THANKS"),
    *("README", "README.*", "CHANGELOG", "CHANGELOG.*", "CHANGES", "NEWS", "HISTORY", "TODO", "PATENTS"),
)

TESTS: tuple[str, ...] = (
    *("test_*.py", "*_test.py", "*_tests.py", "tests.py", "test.py", "conftest.py", "*_test.go"),
    *(f"*.{word}.{extension}" for word in ("test", "tests", "spec", "e2e", "cy", "stories") for extension in _SCRIPT),
    *(f"*-{word}.{extension}" for word in ("test", "spec") for extension in _SCRIPT),
    *(f"*_{word}.{extension}" for word in ("test", "spec") for extension in _SCRIPT),
    *("*Test.java", "*Tests.java", "*TestCase.java", "*IT.java", "*Test.kt", "*Tests.kt", "*Spec.kt"),
    *("*Test.groovy", "*Spec.groovy", "*Test.scala", "*Spec.scala", "*Suite.scala", "*Test.php", "*Tests.php"),
    *("*Test.cs", "*Tests.cs", "*Test.fs", "*Tests.fs", "*Test.vb", "*Tests.vb", "*Tests.swift", "*Test.swift"),
    *("*_test.rb", "*_spec.rb", "*_test.rs", "*_test.dart", "*_test.exs", "*_test.ex", "*_SUITE.erl"),
    *("*_test.c", "*_test.cc", "*_test.cpp", "*_unittest.cc", "*_unittest.cpp", "*Test.cpp", "*Tests.cpp"),
    *("*.bats", "*_test.sh", "*.t", "*Spec.hs", "*Test.hs", "*_test.clj", "*_test.cljs", "*_test.lua", "*_spec.lua"),
    *("*Tests.m", "*Test.m", "test-*.R", "*.feature", "*.Tests.ps1", "*_test.jl", "runtests.jl", "*.t.sol"),
    *("*_test.zig", "*_test.tf", "*.tftest.hcl", "*_test.rego", "*.snap"),
)
"""Names of tests, wherever they lie."""

TEST_FOLDERS: tuple[str, ...] = (
    *("**/tests/**", "**/test/**", "**/__tests__/**", "**/__mocks__/**", "**/__snapshots__/**", "**/spec/**"),
    *(
        "**/specs/**",
        "**/e2e/**",
        "**/test-utils/**",
        "**/test_utils/**",
        "**/testutil/**",
        "**/testutils/**",
        "**/testdata/**",
        "**/test-data/**",
        "**/test_data/**",
        "**/fixtures/**",
    ),
    *("**/*Test/java/**", "**/*Test/kotlin/**", "**/*Tests/**/*.swift", "**/*.Tests/**", "**/*.UnitTests/**"),
    *("**/*.IntegrationTests/**", "**/cypress/**"),
    *(f"**/{kind}{joint}{word}/**" for kind in ("e2e", "integration") for joint in "-_" for word in ("test", "tests")),
    *("**/unittests/**", "**/unit_tests/**", "**/functional_tests/**", "**/testsuite/**", "**/t/*.t"),
)
"""Folders of tests: code in them is a test, everything else is data of tests."""

CONFIG: tuple[str, ...] = (
    *("*.toml", "*.ini", "*.cfg", "*.conf", "*.cnf", "*.properties", "*.yaml", "*.yml", "*.tf", "*.tfvars", "*.hcl"),
    *("*.nomad", "*.bicep", "*.cmake", "CMakeLists.txt", "*.mk", "*.mak", "*.make", "Makefile", "makefile"),
    *("GNUmakefile", "Justfile", "justfile", "Dockerfile", "Dockerfile.*", "*.dockerfile", "Containerfile*"),
    *("Jenkinsfile", "Procfile", "Vagrantfile", "Tiltfile", "Caddyfile", "CODEOWNERS", "OWNERS", "go.mod", "go.work"),
    *("package.json", "tsconfig*.json", "*config.json", "*rc.json", "composer.json", "*.template.json", "*.jsonc"),
    *("*policy*.json", "appsettings*.json", "*settings.json", "firebase.json", "vercel.json", "turbo.json"),
    *("nx.json", "deno.json", "manifest.json", "renovate.json", "*.csproj", "*.vbproj", "*.fsproj", "*.props"),
    *("*.targets", "*.sln", "pom.xml", "*.plist", "*.config", "*.xcconfig", "*.pbxproj", "*.service", "*.timer"),
    *("requirements*.txt", "constraints*.txt", "**/requirements/*.txt", "requirements*.in", "**/requirements/*.in"),
    # texts that steer an agent
    *("CLAUDE.md", "AGENTS.md", "GEMINI.md", "SKILL.md", ".github/copilot-instructions.md", ".cursor/**"),
    *(".claude/**", ".clinerules/**", ".windsurf/**", ".github/instructions/**", "**/prompts/**/*.md"),
    *("*.env", "*.env.*", ".*", "**/.github/**", "**/.circleci/**", "robots.txt", "MANIFEST.in", "*.nix", "*.crontab"),
)

DATA: tuple[str, ...] = (
    *("*.json", "*.json5", "*.jsonl", "*.ndjson", "*.geojson", "*.csv", "*.tsv", "*.xml", "*.xsd", "*.resx", "*.svg"),
    *("*.po", "*.pot", "*.mo", "*.xlf", "*.xliff", "*.strings", "*.ttl", "*.rdf", "*.bib", "*.srt", "*.vtt", "*.sum"),
    *("*.pem", "*.crt", "*.cer", "*.key", "*.pub", "*.asc", "*.lock", "*.log", "*.patch", "*.diff", "*.ico", "*.map"),
    *("*.out", "*.golden", "*.approved", "*.parquet", "*.arrow", "*.avsc", "*.dic", "*.aff", "*.ts.net", "py.typed"),
    *(".gitkeep", ".keep"),
)

LOCK_FILES: tuple[str, ...] = (
    *("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock"),
    *("poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "pixi.lock", "conda-lock.yml", "Cargo.lock", "go.sum"),
    *("go.work.sum", "Gemfile.lock", "composer.lock", "mix.lock", "pubspec.lock", "Podfile.lock", "Cartfile.resolved"),
    *("Package.resolved", "packages.lock.json", "paket.lock", "gradle.lockfile", "flake.lock", "Chart.lock"),
    *(".terraform.lock.hcl", "MODULE.bazel.lock", "buf.lock", "stack.yaml.lock", "Manifest.toml"),
)

GENERATED: tuple[str, ...] = (
    *LOCK_FILES,
    # what protocol and schema compilers write
    *("*.pb.go", "*.pb.gw.go", "*_grpc.pb.go", "*.pb.cc", "*.pb.h", "*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py"),
    *("*_pb.js", "*_pb.ts", "*_pb.d.ts", "*.pb.swift", "*.pb.dart", "*.pbenum.dart", "*.pbjson.dart", "*_pb.rb"),
    *(
        "*.gen.ts",
        "*.gen.tsx",
        "*.designer.cs",
        "*.Designer.cs",
        "*.g.cs",
        "*.g.dart",
        "*.freezed.dart",
        "*.gen.go",
        "*_gen.go",
    ),
    *("zz_generated.*.go", "*_string.go", "*.generated.*", "**/__generated__/**", "*.swagger.json"),
    # what bundlers and recorders write
    *("*.min.js", "*.min.css", "*.min.mjs", "*.js.map", "*.css.map", "*.mjs.map", "*.bundle.js", "*.chunk.js"),
    *("**/__snapshots__/*.snap", "*.tsbuildinfo", "**/.next/**", "**/.nuxt/**", "**/.yarn/releases/**"),
    *("**/.yarn/plugins/**", ".pnp.cjs", ".pnp.loader.mjs", "**/*.xcodeproj/**", "**/__pycache__/**"),
)
"""What programs write under names that only they use."""

VENDORED: tuple[str, ...] = (
    *("**/vendor/**", "**/vendored/**", "**/_vendor/**", "**/third_party/**", "**/third-party/**", "**/thirdparty/**"),
    *("**/3rdparty/**", "**/node_modules/**", "**/bower_components/**", "**/Godeps/**", "**/Pods/**"),
    *("**/Carthage/Checkouts/**", "**/site-packages/**", "gradlew", "gradlew.bat", "mvnw", "mvnw.cmd"),
    *("jquery-*.js", "jquery.js", "bootstrap.js", "bootstrap.css", "**/.yarn/cache/**"),
)


class Names:
    """The tables of languages, ready for questions."""

    def __init__(self) -> None:
        self._names = {name.encode(): language for name, language in NAMES.items()}
        self._extensions: dict[bytes, str] = {}
        for language, words in LANGUAGES.items():
            for word in words.split():
                self._extensions.setdefault(word.encode(), language)

    def language_of(self, path: bytes) -> str:
        """The language that a file's name says; "" where it says none."""
        name = path.rpartition(b"/")[2]
        if name in self._names:
            return self._names[name]
        if name.startswith((b"Dockerfile.", b"Containerfile.")):
            return "Dockerfile"
        stem, dot, extension = name.rpartition(b".")
        return self._extensions.get(extension.lower(), "") if dot and stem else ""
