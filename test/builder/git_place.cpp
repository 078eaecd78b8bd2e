#include "git_place.hpp"
#include "check_run.hpp"
#include "other_host.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "builder/build.hpp"
#include "builder/git/fetch.hpp"
#include "builder/git/packets.hpp"
#include "reconciler/build.hpp"
#include "reconciler/pinning.hpp"
#include "wrong_answers.hpp"

namespace left4me {

using builder::Packet;

GitPlace::GitPlace() {
    place.directory("repos");
    place.directory("work");
    (void)shell("unset GIT_DIR GIT_WORK_TREE; git init -q --bare -b main repos/m.git");
}

std::string GitPlace::shell(const std::string& script) const {
    place.file("script", script);
    const std::string command = fmt::format(
        "cd {} && mkdir -p repos/m.git && export GIT_DIR=$PWD/repos/m.git GIT_WORK_TREE=$PWD/work "
        "GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org "
        "GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org GIT_AUTHOR_DATE='1700000000 +0000' "
        "GIT_COMMITTER_DATE='1700000000 +0000' && sh -e script >out 2>err",
        place.path(""));
    const int code = std::system(command.c_str());  // NOLINT(cert-env33-c): the shell of a test
    INFO(script << "\n" << place.read("err"));
    REQUIRE(code == 0);
    std::string said = place.read("out");
    while (said.ends_with('\n')) said.pop_back();
    return said;
}

std::string GitPlace::commit() const {
    return shell("cd work && git add -A -f . && git commit -q --allow-empty -m x && git rev-parse HEAD");
}

std::string GitPlace::commit_tree(const std::string& tree) const {
    place.file("tree-object", tree);
    return shell(
        "c=$(git commit-tree -m x $(git hash-object -t tree -w --literally tree-object))\n"
        "git update-ref refs/heads/main $c; echo $c");
}

std::string GitPlace::blob(const std::string& content) const {
    place.file("blob-object", content);
    std::string bytes;
    const std::string id = shell("git hash-object -w blob-object");
    for (std::size_t i = 0; i < id.size(); i += 2)
        bytes += static_cast<char>(std::stoi(id.substr(i, 2), nullptr, 16));
    return bytes;
}

GitBuild::GitBuild(const GitPlace& repository) : place(repository.place) {
    place.directory("overlays/o");
    const Fd overlay(::open(place.path("overlays/o").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    auto made = store::make_build_directory(overlay.get());
    REQUIRE(made);
    directory_ = std::move(*made);
    source.url = repository.repository();
    source.root = place.path("repos");
    source.private_networks = {"127.0.0.0/8"};
}

GitBuild::GitBuild(const GitPlace& repository, const HttpsServer& server) : GitBuild(repository) {
    source.url = server.url("/m.git");
    source.root.clear();
    place.file("ca.pem", server.certificate());
}

void GitBuild::request() const {
    REQUIRE(store::write_request(directory_.get(), source));
    REQUIRE(store::read_request(directory_.get()) == OverlaySource(source));
}

pid_t GitBuild::start() const {
    request();
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        ::setenv("LEFT4ME_BUILD_STATE", place.paths.state.c_str(), 1);
        ::setenv("LEFT4ME_BUILD_CA", place.path("ca.pem").c_str(), 1);
        const int log = ::open(place.path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
        ::dup2(log, STDERR_FILENO);
        if (elsewhere) be_another_host();
        ::execl(LEFT4ME_BUILD_PROGRAM, "left4me-build", "o", nullptr);
        ::_exit(127);
    }
    return pid;
}

std::string GitBuild::run() const {
    int status = 0;
    const pid_t pid = start();
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    INFO(place.read("log"));
    REQUIRE(WIFEXITED(status));
    const auto made = record();
    if (WEXITSTATUS(status) == 0) {
        REQUIRE(made.artifact);
        CHECK(made.artifact->input == fingerprint(source));
        return "";
    }
    REQUIRE(made.failure);
    CHECK(made.failure->kind == BuildFailureKind::SourceUnavailable);
    CHECK(made.failure->message.contains(source.url));
    return made.failure->message;
}

std::string GitBuild::run_in_haste() const {
    request();
    return build_in_haste(place, directory_.get());
}

std::string GitBuild::refusal() const {
    const std::string said = run();
    CHECK_FALSE(said.empty());
    return said;
}

store::Upstream GitBuild::check() const {
    return run_check(directory_.get(), source, [this] { return start(); });
}

store::Upstream GitBuild::killed_check() const {
    REQUIRE(store::write_check(directory_.get(), {source, "killed"}));
    CHECK(store::is_check_waiting(directory_.get()));
    const auto taken = store::take_check(directory_.get());
    REQUIRE(taken);
    CHECK(taken->source == OverlaySource(source));
    CHECK_FALSE(store::take_check(directory_.get()));
    const BuildRecord before = record();
    CHECK(builder::record_end(place.paths.state / "overlays", "o", {"another", "oom-kill", "9"}) == 0);
    CHECK(record() == before);
    CHECK_FALSE(store::read_taken_check(directory_.get()));
    return store::read_upstream(directory_.get()).value();
}

std::string GitBuild::artifact() const { return "overlays/o/" + record().artifact.value().digest; }

Fetching::Fetching(const GitPlace& repository) : place_(repository.place) {
    place_.directory("build");
    directory_ = Fd(::open(place_.path("build").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    source.private_networks = {"127.0.0.0/8"};
    settings.wait = std::chrono::milliseconds(5);
    settings.limits.stalled = std::chrono::seconds(1);
    settings.tries = 3;
}

std::string Fetching::run() {
    builder::discard_pack(directory_.get());
    builder::Progress progress(directory_.get());
    const auto objects = builder::fetch_commit(source, directory_.get(), progress, settings);
    return objects ? "" : objects.error().message;
}

std::string Fetching::run(const HttpsServer& server, const std::string& path) {
    place_.file("ca.pem", server.certificate());
    settings.ca_file = place_.path("ca.pem");
    source.url = server.url(path);
    return run();
}

std::string random_bytes(std::size_t count) {
    std::mt19937_64 random(20261129);
    std::string bytes;
    while (bytes.size() < count) bytes += static_cast<char>(random() & 0xffU);
    return bytes;
}

HttpsServer::Handler serve(const GitPlace& repository) {
    return [root = repository.place.path("repos")](const HttpRequest& request, HttpAnswer& answer) {
        (void)answer.send(git_answer(request, root));
    };
}

std::string pack_of(const std::string& answer) {
    std::string pack;
    bool begun = false;
    builder::PacketReader reader;
    REQUIRE(reader.add(body_of(answer), [&](const Packet& packet) {
        if (packet.kind != Packet::Kind::Data) return true;
        if (begun && packet.data.starts_with('\1')) pack += packet.data.substr(1);
        begun = begun || builder::text_of(packet) == "packfile";
        return true;
    }));
    REQUIRE(pack.starts_with("PACK"));
    return pack;
}

std::string answer_with(const std::string& pack) {
    std::string body = builder::packet("packfile\n");
    constexpr std::size_t most = 60'000;
    for (std::size_t at = 0; at < pack.size(); at += most)
        body += builder::packet("\1" + pack.substr(at, most));
    body += builder::flush_packet;
    return "HTTP/1.1 200 Said\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

bool says(const std::string& message, std::string_view text) {
    UNSCOPED_INFO(message);
    return message.contains(text);
}

}  // namespace left4me
