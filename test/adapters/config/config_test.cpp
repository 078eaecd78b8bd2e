#include "adapters/config/config.hpp"

#include "adapters/config/file.hpp"
#include "specs/remote_url.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;

namespace {

std::string errors(const std::string& text) {
    const auto config = parse_config("config.yaml", text);
    REQUIRE_FALSE(config);
    return to_string(config.error());
}

}  // namespace

TEST_CASE("every setting is optional") {
    for (const char* text : {"", "# only comments\n", "source:\n", "source: {}\nlimits: {}\n", "---\n"}) {
        INFO(text);
        const auto config = parse_config("config.yaml", text);
        REQUIRE(config);
        CHECK(config->source_directory == "/etc/left4me/manifests");
        CHECK(config->limits.file_bytes == Limits{}.file_bytes);
    }
}

TEST_CASE("settings are taken as they are written") {
    const auto config = parse_config("config.yaml",
                                     "source:\n  directory: /srv/manifests/\n"
                                     "metrics: {textfile: /srv/prom/left4me.prom, port: 9727}\n"
                                     "limits:\n  fileBytes: 2048\n  documents: 7\n  depth: 9\n");
    REQUIRE(config);
    CHECK(config->source_directory == "/srv/manifests");
    CHECK(config->limits.file_bytes == 2048);
    CHECK(config->limits.documents == 7);
    CHECK(config->metrics_textfile == "/srv/prom/left4me.prom");
    CHECK(config->metrics_port == 9727);
    CHECK(config->limits.depth == 9);
}

TEST_CASE("all errors are reported together, each with its position") {
    CHECK(errors("sorce:\n  directory: /x\nlimits:\n  depth: deep\n  documents: -1\n") ==
          "config.yaml:1:1: unknown field 'sorce'; did you mean 'source'?\n"
          "config.yaml:4:10: limits.depth: 'deep' is not a number; write a plain decimal number from 8 to "
          "1000\n"
          "config.yaml:5:14: limits.documents: '-1' is not a number; write a plain decimal number from 1 to "
          "1000000\n");
    CHECK(errors("source:\n  directory: manifests\n") ==
          "config.yaml:2:14: source.directory: 'manifests' is not an absolute path; begin it with '/'\n");
    CHECK(errors("- a\n") == "config.yaml:1:1: the configuration must be a map of settings\n");
    CHECK(errors("limits: {depth: 9, depth: 10}\n") ==
          "config.yaml:1:20: 'depth' is given twice (first at line 1); keep one of them\n");
    CHECK(errors("source: {}\n---\nsource: {}\n") == "config.yaml:2:1: a configuration is one document\n");
    CHECK(errors("metrics: {textfile: /srv/left4me.txt, port: 0}\n") ==
          "config.yaml:1:21: metrics.textfile: '/srv/left4me.txt' does not end in .prom\n"
          "config.yaml:1:45: metrics.port: '0' is out of range; choose a number from 1 to 65535\n");
    CHECK(errors("source: [\n").starts_with("config.yaml:"));
}

TEST_CASE("a missing file and an empty one mean the same: the defaults of the table") {
    const auto empty = parse_config("config.yaml", "");
    REQUIRE(empty);
    const Config none;
    CHECK(empty->source_directory == none.source_directory);
    CHECK(empty->limits.overlay_roots == none.limits.overlay_roots);
    CHECK(empty->limits.file_bytes == none.limits.file_bytes);
    CHECK(empty->limits.documents == none.limits.documents);
    CHECK(empty->limits.depth == none.limits.depth);
    CHECK(empty->limits.source == none.limits.source);
    CHECK(empty->metrics_port == none.metrics_port);
    CHECK(empty->metrics_textfile == none.metrics_textfile);
    const auto git = parse_config("config.yaml", "source: {git: }\n");
    REQUIRE(git);
    REQUIRE(git->git);
    const GitSettings settings;
    CHECK(git->git->repository == settings.repository);
    CHECK(git->git->branch == settings.branch);
    CHECK(git->git->interval == settings.interval);
}

TEST_CASE("sizes are bytes, with a unit or without") {
    CHECK(parse_config("c", "limits: {overlayBytes: 32Gi}\n")->limits.source.bytes == 32ULL << 30U);
    CHECK(parse_config("c", "limits: {fileBytes: 65536}\n")->limits.file_bytes == 65536);
    CHECK(errors("limits: {overlayBytes: 32G}\n") ==
          "config.yaml:1:24: limits.overlayBytes: '32G' is not a size; write a number of bytes, or one with "
          "Ki, Mi, Gi, Ti or Pi, e.g. 1048576, 512Mi or 2Gi\n");
    CHECK(errors("limits: {fileBytes: 1Gi}\n").contains("choose a size from 1Ki to 64Mi"));
}

TEST_CASE("durations are the same as in manifests") {
    const auto interval = [](const std::string& text) {
        return parse_config("c", "source: {git: {remote: 'file:///m', interval: " + text + "}}\n");
    };
    CHECK(interval("1d")->git->interval == std::chrono::hours(24));
    CHECK(interval("90s")->git->interval == std::chrono::seconds(90));
    CHECK_FALSE(interval("2d"));
    CHECK_FALSE(interval("9s"));
}

TEST_CASE("a git source has defaults for everything") {
    const auto config = parse_config("config.yaml", "source:\n  git: {}\n");
    REQUIRE(config);
    REQUIRE(config->git);
    CHECK(config->git->repository == "/var/lib/left4me/manifests.git");
    CHECK(config->git->branch == "main");
    CHECK(config->git->directory.empty());
    CHECK(config->git->remote.empty());
    CHECK_FALSE(parse_config("config.yaml", "")->git);
}

TEST_CASE("a git source is taken as it is written") {
    const auto config =
        parse_config("config.yaml",
                     "source:\n  git:\n    repository: /srv/m.git\n    branch: live/eu\n"
                     "    directory: hosts/eu1/\n    remote: ssh://git@example.org:2222/m.git\n"
                     "    interval: 5m\n    key: /etc/left4me/git/key\n"
                     "    knownHosts: /etc/left4me/known_hosts\n"
                     "    allowedSigners: /etc/left4me/signers\n");
    REQUIRE(config);
    const GitSettings& git = *config->git;
    CHECK(git.repository == "/srv/m.git");
    CHECK(git.branch == "live/eu");
    CHECK(git.directory == "hosts/eu1");
    CHECK(git.interval == std::chrono::minutes(5));
    CHECK(git.key == "/etc/left4me/git/key");
    CHECK(git.known_hosts == "/etc/left4me/known_hosts");
    CHECK(git.allowed_signers == "/etc/left4me/signers");
}

TEST_CASE("errors in a git source are reported before the first fetch") {
    for (const char* git : {"{branch: -x}",
                            "{branch: a..b}",
                            "{branch: 'a b'}",
                            "{branch: a.lock}",
                            "{branch: ''}",
                            "{directory: ../x}",
                            "{directory: /x}",
                            "{directory: a/../../b}",
                            "{interval: 1s, remote: 'file:///m'}",
                            "{interval: 60, remote: 'file:///m'}",
                            "{interval: 60s}",
                            "{key: /k}",
                            "{remote: 'http://x/y'}",
                            "{remote: 'git://x/y'}",
                            "{remote: 'ext::sh -c id'}",
                            "{remote: '--upload-pack=id'}",
                            "{remote: 'https://u:password@x/y'}",
                            "{remote: 'file://relative'}",
                            "{remote: 'ssh://-oProxyCommand=id/y'}",
                            "{remote: 'ssh://git@h/y'}",
                            "{remote: 'ssh://git@h/y', key: /k}",
                            "{remote: 'git@h:y', knownHosts: /k}",
                            "{remotes: x}",
                            "{key: /}"}) {
        INFO(git);
        CHECK_FALSE(parse_config("config.yaml", "source:\n  git: " + std::string(git) + "\n"));
    }
    CHECK(errors("source:\n  directory: /x\n  git: {}\n")
              .contains("source has both directory and git; keep exactly one"));
}

TEST_CASE("addresses of remotes") {
    using Scheme = RemoteUrl::Scheme;
    const auto scp = parse_remote_url("git@example.org:teams/m.git");
    REQUIRE(scp);
    CHECK((scp->scheme == Scheme::Ssh && scp->user == "git" && scp->host == "example.org" && scp->port == 0));
    const auto ssh = parse_remote_url("ssh://git@127.0.0.1:2222/srv/m.git");
    REQUIRE(ssh);
    CHECK((ssh->host == "127.0.0.1" && ssh->port == 2222 && ssh->path == "/srv/m.git"));
    const auto https = parse_remote_url("https://example.org/m.git");
    REQUIRE(https);
    CHECK((https->scheme == Scheme::Https && https->user.empty() && https->host == "example.org"));
    CHECK(parse_remote_url("file:///srv/m.git")->path == "/srv/m.git");
}

TEST_CASE("a configuration given by name must exist") {
    const auto config = read_config("/nonexistent/config.yaml");
    REQUIRE_FALSE(config);
    CHECK(config.error() == "/nonexistent/config.yaml: No such file or directory");
}

TEST_CASE("a configuration is read from its file, and its errors name it") {
    const left4me::test::Scratch scratch;
    const std::string path = scratch.write("config.yaml", "metrics: {port: 9727}\n");
    const auto config = read_config(path);
    REQUIRE(config);
    CHECK(config->metrics_port == 9727);
    scratch.write("config.yaml", "metrics:\n  prot: 1\n");
    const auto wrong = read_config(path);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().starts_with(path + ":2:3: "));
}

TEST_CASE("the overlay roots have a default, and never include secrets or left4me's own files") {
    CHECK(parse_config("config.yaml", "")->limits.overlay_roots ==
          std::vector<std::string>{"/srv/left4dead2", "/srv/left4me"});
    const auto config = parse_config("config.yaml",
                                     "overlayRoots: [/opt/maps/, /srv/x]\n"
                                     "limits: {overlayBytes: 1073741824, overlayEntries: 10}\n");
    REQUIRE(config);
    CHECK(config->limits.overlay_roots == std::vector<std::string>{"/opt/maps", "/srv/x"});
    CHECK(config->limits.source == SourceLimits{.bytes = 1U << 30U, .entries = 10});
    for (const char* root : {"/", "/etc", "/etc/left4me/secrets", "/var/lib", "/var/lib/left4me/overlays",
                             "/proc", "/run/left4me", "/srv/../proc"}) {
        INFO(root);
        CHECK(errors("overlayRoots: [" + std::string(root) + "]\n").contains("must not be in an overlay"));
    }
    CHECK(errors("overlayRoots: []\n") ==
          "config.yaml:1:15: overlayRoots has 0 items; at least 1 is needed; write e.g. `overlayRoots: "
          "[/srv/left4dead2]`\n");
    CHECK(errors("overlayRoots: [maps]\n") ==
          "config.yaml:1:16: overlayRoots[0]: 'maps' is not an absolute path; begin it with '/'\n");
}

TEST_CASE("a git key among the secrets works, no Blueprint may use it, and a warning says how to move it") {
    const auto with_key = [](const std::string& key) {
        return *parse_config("config.yaml",
                             "source:\n  git: {remote: 'ssh://git@h/y', knownHosts: /k, key: " + key + "}\n");
    };
    for (const char* key : {"/etc/left4me/secrets/deploy-key", "/etc/left4me//git/../secrets/deploy-key"}) {
        const Config config = with_key(key);
        CHECK(config.git->key == "/etc/left4me/secrets/deploy-key");
        CHECK(config.limits.reserved_secrets == std::vector<std::string>{"deploy-key"});
        const std::string told = to_string(config.warnings);
        INFO(told);
        CHECK(told.starts_with("config.yaml:2:"));
        CHECK(told.contains("sudo mv /etc/left4me/secrets/deploy-key /etc/left4me/git/deploy-key"));
    }
    for (const char* key : {"/etc/left4me/git/k", "/etc/left4me/secrets-of-git"}) {
        CHECK(with_key(key).warnings.empty());
        CHECK(with_key(key).limits.reserved_secrets.empty());
    }
}

TEST_CASE("networks that downloads may reach besides public addresses") {
    const auto config =
        parse_config("config.yaml", "downloads: {allowPrivate: [10.0.0.0/8, \"fd00::/8\"]}\n");
    REQUIRE(config);
    CHECK(config->limits.private_networks == std::vector<std::string>{"10.0.0.0/8", "fd00::/8"});
    CHECK(parse_config("config.yaml", "")->limits.private_networks.empty());
    const auto wrong = parse_config("config.yaml", "downloads: {allowPrivate: [mirror.example.org]}\n");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().front().message.contains("is not a network"));
}
