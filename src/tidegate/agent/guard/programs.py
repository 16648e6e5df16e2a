"""Programs that agents and people use every day and that do no harm by themselves, wherever they are installed."""

from __future__ import annotations

KNOWN = frozenset(
    """
: . [ [[ true false test echo printf pwd cd pushd popd dirs set unset shift return exit break continue wait jobs fg
bg disown let local hash type ulimit umask getopts read mapfile readarray shopt bind complete compgen compopt enable
history fc suspend times alias unalias logout help caller then typeset setopt unsetopt autoload emulate rehash ls
cat head tail less more wc sort uniq cut paste tr nl tac rev fold fmt column comm join split csplit grep egrep fgrep
rg ag ack sed awk tee diff cmp patch colordiff delta file stat du df free uptime uname hostname whoami id groups who
w last date cal sleep seq yes basename dirname realpath readlink mktemp mkdir mkfifo which whereis locate env
printenv man info apropos tree touch cksum md5 md5sum sha1sum sha256sum sha512sum shasum b2sum base64 base32 xxd od
hexdump strings tar gzip gunzip bzip2 xz zstd zip unzip 7z lz4 ps top htop pgrep pstree lsof fuser netstat ss
ifconfig ping ping6 traceroute dig nslookup host whois nc ncat telnet openssl gpg gpg2 ssh-keygen ssh-add ssh-agent
ssh-keyscan jq yq xq fx gron csvkit mlr miller bat exa eza fd fzf tldr watchexec hyperfine tokei cloc scc loc entr
pv bc dc expr apt apt-get apt-cache aptitude dpkg yum dnf rpm zypper apk pacman brew port snap flatpak choco scoop
winget nix-env add-apt-repository apt-key pip pip3 pipx conda virtualenv pyenv pytest py.test tox nox mypy pyright
ruff black isort flake8 pylint bandit coverage sphinx-build mkdocs jupyter ipython cython pre-commit cookiecutter
django-admin flask gunicorn uvicorn celery pyinstaller bumpversion nvm fnm volta corepack tsc ts-node tsx eslint
prettier jest vitest mocha karma cypress playwright webpack rollup vite esbuild parcel babel next nuxt ng vue gatsby
electron storybook standard stylelint lint-staged husky node-gyp bower webpack-dev-server browserify http-server
serve concurrently nodemon pm2 verdaccio depcheck npm-check npm-check-updates ncu meteor ember rustc rustup rustfmt
clippy-driver cross trunk wasm-pack go gofmt goimports golangci-lint staticcheck gotestsum dep glide godep gox java
javac jar jshell kotlinc kotlin scala scalac sbt lein clj clojure mvnw gradlew gem bundler rspec rubocop irb rbenv
rvm jekyll pod fastlane php phpunit phpstan php-cs-fixer pecl drush wp symfony phpcs gcc g++ cc c++ clang clang++
clang-format clang-tidy ld ar nm objdump strip ranlib cmake ctest cpack ninja meson autoconf automake autoreconf
libtool pkg-config bison flex gdb lldb valgrind ccache scons waf qmake conan vcpkg xcodebuild xcrun swift swiftc
xcode-select nasm msbuild ghc cabal stack ocaml opam dune erl erlc rebar3 elixir iex dart flutter zig nim crystal R
ldconfig install-info makeinfo pdflatex latexmk xelatex bibtex pandoc doxygen dot plantuml gnuplot convert magick
identify ffmpeg ffprobe sox exiftool optipng inkscape code subl open xdg-open pbcopy pbpaste xclip xsel clip
notify-send say terminal-notifier nano emacsclient tflint tfsec checkov trivy grype syft snyk semgrep gitleaks
trufflehog infracost terraform-docs kubeval kubeconform kube-linter kube-score conftest opa minikube kind k3d k9s
stern kubectx kubens hadolint dive ctop lazydocker lazygit tig gitk git-lfs gh-dash tidegate actionlint act yamllint
markdownlint shellcheck shfmt bats vale codespell cspell typos lychee buf protoc thrift grpcurl wrk ab k6 locust
siege hey vegeta createdb createuser initdb pg_dump pg_dumpall pg_isready pg_ctl mysqldump mongodump sqlite3-dump
pgbench mysqlshow redis-benchmark memcached redis-server mongod postgres mysqld caddy nginx apachectl httpd haproxy
envoy traefik prometheus grafana-cli promtool amtool strip-ansi tput stty clear reset tty script-replay logger
journalctl dmesg lsblk lscpu lspci lsusb lshw blkid findmnt getent locale localectl timedatectl pkill killall renice
ionice xset xrandr xterm gnome-terminal osacompile sw_vers system_profiler defaults plutil ruby-install chruby mise
asdf direnv stow chezmoi rcup task-master codecov coveralls codeclimate sonar-scanner docker-credential-helper
buildah kaniko bazelisk bazel buck pants please earthly dagger nix-build nix-instantiate home-manager hugo zola
eleventy astro svelte-kit expo react-native pod-install cordova ionic detox appium adb emulator sdkmanager
avdmanager gradle-wrapper kustomize ansible-lint ansible-doc ansible-galaxy ansible-inventory ansible-config
ansible-vault molecule terraform-ls tfenv tofuenv tfswitch pluto popeye polaris kubent dyff ytt kapp jsonnet jb cue
dhall nickel claude codex cursor gemini opencode aider goose amp copilot
""".split()
)
"""Names that pass as long as no tool judges them."""
