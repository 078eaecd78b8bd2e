// Overlays from git over ssh: the host's own sshd, which runs git's own server, and others that nobody should
// meet.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <random>
#include <thread>
#include <utility>

#include "../../builder/git_place.hpp"
#include "../../builder/kill_build.hpp"
#include "host/native/support.hpp"

using namespace left4me;
using namespace std::chrono_literals;

namespace {

constexpr unsigned port = 2223;

/// sshd on a port of its own, for root with the keys that may log in.
class SshServer {
  public:
    explicit SshServer(const GitPlace& git) : place_(git.place), git_(git) {
        place_.directory("ssh");
        (void)git.shell(
            "mkdir -p /run/sshd; for k in host good other; do ssh-keygen -q -t ed25519 -N '' -f ssh/$k; "
            "done\n"
            "ssh-keygen -q -t ecdsa -b 384 -N '' -f ssh/ecdsa; ssh-keygen -q -t ed25519 -N secret -f "
            "ssh/locked");
        place_.file("ssh/config", fmt::format("Port {}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\n"
                                              "AuthorizedKeysFile {}\nStrictModes no\nUsePAM no\n"
                                              "PermitRootLogin prohibit-password\nAcceptEnv GIT_PROTOCOL\n"
                                              "MaxStartups 100\nLogLevel VERBOSE\n",
                                              port, place_.path("ssh/host"), place_.path("ssh/allowed")));
        allow("");
        pid_ = ::fork();
        REQUIRE(pid_ >= 0);
        if (pid_ == 0) {
            const int log =
                ::open(place_.path("ssh/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
            ::dup2(log, STDERR_FILENO);
            ::execl("/usr/sbin/sshd", "/usr/sbin/sshd", "-D", "-e", "-f", place_.path("ssh/config").c_str(),
                    nullptr);
            ::_exit(127);
        }
        REQUIRE(host::eventually([this] { return place_.read("ssh/log").contains("Server listening"); }, 60));
    }
    SshServer(const SshServer&) = delete;
    SshServer& operator=(const SshServer&) = delete;
    ~SshServer() {
        ::kill(pid_, SIGTERM);
        (void)::waitpid(pid_, nullptr, 0);
    }

    /// What the keys `good` and `ecdsa` run instead of what is asked for; empty: that.
    void allow(const std::string& script) const {
        place_.file("ssh/hostile", "#!/bin/sh\n" + script + "\n");
        const std::string forced =
            script.empty() ? "" : fmt::format("command=\"sh {}\" ", place_.path("ssh/hostile"));
        place_.file("ssh/allowed",
                    forced + place_.read("ssh/good.pub") + forced + place_.read("ssh/ecdsa.pub"));
    }

    std::string url() const { return fmt::format("ssh://root@127.0.0.1:{}{}", port, git_.repository()); }
    std::string host_key() const { return public_key("host"); }
    std::string public_key(const std::string& name) const {
        const std::string line = place_.read("ssh/" + name + ".pub");
        return line.substr(0, line.find(' ', line.find(' ') + 1));
    }
    std::string fingerprint() const { return git_.shell("ssh-keygen -l -f ssh/host.pub | cut -d' ' -f2"); }

  private:
    const Place& place_;
    const GitPlace& git_;
    pid_t pid_ = -1;
};

/// Asks over ssh, with the key `good`.
class FetchingOverSsh : public Fetching {
  public:
    FetchingOverSsh(const GitPlace& git, std::string url, std::vector<std::string> host_keys)
        : Fetching(git), place_(git.place) {
        source.url = std::move(url);
        source.host_keys = std::move(host_keys);
        source.limits.bytes = 20U << 20U;
        settings.limits.connect = 30s;
        settings.limits.stalled = 10s;
        settings.tries = 2;
        use_key("good");
    }

    void use_key(const std::string& name) {
        settings.deploy_key = {place_.path("ssh/" + name), "/etc/left4me/deploy-keys/o"};
    }

  private:
    const Place& place_;
};

/// A program that is no ssh server, on a port of 127.0.0.1.
class Stranger {
  public:
    /// `more`: what is said without end after `greeting`; empty: silence.
    Stranger(std::string greeting, std::string more)
        : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::listen(listener_.get(), 10) == 0);
        REQUIRE(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread(
            [this, greeting = std::move(greeting), more = std::move(more)](const std::stop_token& stop) {
                while (!stop.stop_requested()) {
                    const Fd client(::accept(listener_.get(), nullptr, nullptr));
                    if (!client) return;
                    bool open = ::send(client.get(), greeting.data(), greeting.size(), MSG_NOSIGNAL) >= 0;
                    while (open && !more.empty() && !stop.stop_requested())
                        open = ::send(client.get(), more.data(), more.size(), MSG_NOSIGNAL) >= 0;
                    std::array<char, 4096> ignored{};
                    while (open && ::recv(client.get(), ignored.data(), ignored.size(), 0) > 0) {
                    }
                }
            });
    }
    Stranger(const Stranger&) = delete;
    Stranger& operator=(const Stranger&) = delete;
    ~Stranger() {
        thread_.request_stop();
        (void)::shutdown(listener_.get(), SHUT_RDWR);
    }

    std::string url() const { return fmt::format("ssh://git@127.0.0.1:{}/pack.git", port_); }

  private:
    Fd listener_;
    unsigned port_ = 0;
    std::jthread thread_;
};

}  // namespace

TEST_CASE("a commit comes over ssh, from whoever shows a pinned key, to whoever has the key", "[ssh]") {
    const GitPlace git;
    git.place.file("work/a.cfg", "a\n");
    const std::string commit = git.commit();
    const SshServer server(git);
    FetchingOverSsh fetching(git, server.url(), {server.host_key()});
    CHECK(fetching.run() == "");
    fetching.source.ref = "main";
    CHECK(fetching.run() == "");
    fetching.source.ref = commit;
    CHECK(fetching.run() == "");
    fetching.use_key("ecdsa");
    CHECK(fetching.run() == "");
    // One of several will do, of whatever kind.
    fetching.source.host_keys = {server.public_key("ecdsa"), server.host_key()};
    CHECK(fetching.run() == "");
    fetching.source.ref = "gone";
    CHECK(says(fetching.run(), "it has no branch or tag 'gone'"));
}

TEST_CASE("a host key that is not pinned is refused with what was seen, before the key is looked for",
          "[ssh]") {
    const GitPlace git;
    (void)git.commit();
    const SshServer server(git);
    for (const char* pinned : {"other", "ecdsa"}) {
        FetchingOverSsh fetching(git, server.url(), {server.public_key(pinned)});
        // Whoever looked for it would say so.
        fetching.use_key("nothing");
        const std::string said = fetching.run();
        CHECK(says(said, server.fingerprint()));
        CHECK(says(said, "add \"" + server.host_key() + "\" to `hostKeys`"));
    }
}

TEST_CASE("a key that does not let us in is named, with the remedy", "[ssh]") {
    const GitPlace git;
    (void)git.commit();
    const SshServer server(git);
    FetchingOverSsh fetching(git, server.url(), {server.host_key()});
    const auto refusal = [&](const std::string& key) {
        fetching.use_key(key);
        return fetching.run();
    };
    CHECK(says(refusal("other"),
               "does not let user root in with the key of this overlay; add the line in "
               "/etc/left4me/deploy-keys/o.pub to the repository"));
    const char* const none =
        "this overlay has none; as root: ssh-keygen -t ed25519 -N '' -f /etc/left4me/deploy-keys/o";
    CHECK(says(refusal("nothing"), none));
    git.place.file("ssh/empty", "");
    CHECK(says(refusal("empty"), none));
    const char* const odd = "/etc/left4me/deploy-keys/o is not a private key without a passphrase";
    CHECK(says(refusal("locked"), odd));
    CHECK(says(refusal("good.pub"), odd));
    git.place.file("ssh/garbage", "-----BEGIN OPENSSH PRIVATE KEY-----\n" + std::string(4000, 'A') +
                                      "\n-----END OPENSSH PRIVATE KEY-----\n");
    CHECK(says(refusal("garbage"), odd));
    CHECK(refusal("good") == "");
}

TEST_CASE("an address that is not public is not connected to over ssh either", "[ssh]") {
    const GitPlace git;
    (void)git.commit();
    const SshServer server(git);
    FetchingOverSsh fetching(git, server.url(), {server.host_key()});
    const auto allowed = std::exchange(fetching.source.private_networks, {});
    CHECK(says(fetching.run(), "127.0.0.1 is not a public address"));
    // What sshd writes comes late. Once it has written of a connection that was made afterwards, that is the
    // only one.
    fetching.source.private_networks = allowed;
    CHECK(fetching.run() == "");
    const auto log = [&] { return git.place.read("ssh/log"); };
    REQUIRE(host::eventually([&] { return log().contains("Accepted publickey"); }, 60));
    const std::string text = log();
    CHECK(text.contains("Connection from"));
    CHECK(text.find("Connection from") == text.rfind("Connection from"));
}

TEST_CASE("wrong answers over ssh are refused, and named", "[ssh]") {
    const GitPlace git;
    git.place.file("work/a.cfg", "a\n");
    const std::string commit = git.commit();
    const SshServer server(git);
    FetchingOverSsh fetching(git, server.url(), {server.host_key()});
    fetching.source.ref = commit;
    const auto answer = [&](const std::string& script) {
        server.allow(script);
        return fetching.run();
    };
    const std::string introduction =
        fmt::format("GIT_PROTOCOL=version=2 git upload-pack --advertise-refs {}\n", git.repository());
    SECTION("no git server") {
        CHECK(says(answer("echo Welcome"), "does not answer as a git server does"));
        CHECK(says(answer("exit 0"), "the connection ended too early"));
        CHECK(says(answer("printf 'ERROR: Repository \\033[1mnot found.\\n' >&2; exit 1"),
                   "the server says: ERROR: Repository ?[1mnot found."));
        CHECK(says(answer("env -u GIT_PROTOCOL git-upload-pack " + git.repository()),
                   "AcceptEnv GIT_PROTOCOL"));
        fetching.source.url += "x";
        CHECK(says(answer(""), "does not appear to be a git repository"));
    }
    SECTION("without end") {
        fetching.settings.limits.stalled = 1s;
        CHECK(says(answer("cat /dev/zero"), "does not answer as a git server does"));
        CHECK(says(answer("yes 0008abc | tr -d '\\n'"), "does not end"));
        CHECK(says(answer(introduction + "head -c 4 >/dev/null; printf '000dpackfile\\n'; yes \"$(printf "
                                         "'0009\\001abcd')\" | tr -d '\\n'"),
                   "limits.overlayBytes"));
        CHECK(says(answer("yes >&2"), "stalled"));
    }
    SECTION("too slow") {
        fetching.settings.limits.stalled = 1s;
        CHECK(says(answer("sleep 100"), "stalled"));
        CHECK(says(answer(introduction + "sleep 100"), "stalled"));
        CHECK(says(answer("while printf 0008abcd; do sleep 0.1; done"), "stalled"));
    }
    SECTION("another try helps when the connection breaks") {
        const std::string mark = git.place.path("ssh/once");
        CHECK(answer(fmt::format("test -e {0} || {{ touch {0}; exit 0; }}; git-upload-pack {1}", mark,
                                 git.repository())) == "");
        CHECK(git.place.exists("ssh/once"));
    }
    SECTION("and when it breaks while the pack comes") {
        const std::string mark = git.place.path("ssh/once");
        CHECK(
            answer(fmt::format("test -e {0} || {{ touch {0}; git-upload-pack {1} | head -c 700; exit 0; }}; "
                               "git-upload-pack {1}",
                               mark, git.repository())) == "");
        CHECK(git.place.exists("ssh/once"));
    }
}

TEST_CASE("what does not speak ssh is left in time", "[ssh]") {
    const GitPlace git;
    (void)git.shell("mkdir ssh; ssh-keygen -q -t ed25519 -N '' -f ssh/good");
    const auto begun = std::chrono::steady_clock::now();
    const auto answer = [&](const std::string& greeting, const std::string& more) {
        const Stranger stranger(greeting, more);
        std::string key = git.place.read("ssh/good.pub");
        FetchingOverSsh fetching(git, stranger.url(), {key.substr(0, key.find(' ', 20))});
        fetching.settings.limits.connect = 3s;
        fetching.settings.limits.stalled = 1s;
        return fetching.run();
    };
    CHECK(says(answer("", ""), "stalled"));
    CHECK(says(answer("SSH-2.0-x\r\n", ""), "stalled"));
    CHECK_FALSE(answer("HTTP/1.1 400 Bad Request\r\n\r\n", "").empty());
    CHECK_FALSE(answer("", std::string(4096, 'x')).empty());
    CHECK_FALSE(answer("SSH-2.0-x\r\n", std::string(4096, '\0')).empty());
    // SSH_MSG_IGNORE, without end.
    CHECK_FALSE(answer("SSH-2.0-x\r\n", std::string("\0\0\0\x0c\x0a\x02\0\0\0\0\0\0\0\0\0\0", 16)).empty());
    CHECK(std::chrono::steady_clock::now() - begun < 60s);
}

TEST_CASE("a build over ssh that is killed at any moment gives the right artifact in the end", "[ssh]") {
    const GitPlace git;
    for (int i = 0; i < 200; ++i)
        git.place.file("work/addons/" + std::to_string(i), random_bytes(3000) + std::to_string(i));
    const std::string commit = git.commit();
    const SshServer server(git);
    GitBuild build(git);
    build.source.url = server.url();
    build.source.root.clear();
    build.source.host_keys = {server.host_key()};
    (void)git.shell("cp ssh/good ssh/deploy-key");
    REQUIRE(::setenv("CREDENTIALS_DIRECTORY", git.place.path("ssh").c_str(), 1) == 0);
    std::mt19937 random(20261129);
    kill_builds([&] { return build.start(); }, 50, 500ms, random);
    CHECK(build.run() == "");
    CHECK(build.record().artifact->revision == commit);
    CHECK(build.names().size() == 201);
    CHECK(build.check().pin == Pin(GitPin{commit}));
    // The key is nowhere but where it was.
    const std::string secret = git.shell("sed -n 3p ssh/deploy-key");
    CHECK(git.shell("grep -rlF '" + secret + "' overlays log || true") == "");
}
