// Overlays from git: repositories that git made, and ones that nobody should make, over https from git's own
// server and from the host.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <random>

#include "builder/git/packets.hpp"
#include "git_place.hpp"
#include "kill_build.hpp"
#include "other_host.hpp"
#include "reconciler/pinning.hpp"
#include "wrong_answers.hpp"

using namespace left4me;
using namespace std::chrono_literals;

namespace {

constexpr const char* refs_request = "/m.git/info/refs?service=git-upload-pack";

/// A pack as the community publishes one.
void fill(const GitPlace& git) {
    git.place.file("work/README.md", "read\n");
    git.place.file("work/.github/ci.yml", "ci\n");
    git.place.file("work/left4dead2/cfg/server.cfg", "sv_maxrate 1\r\n");
    git.place.file("work/left4dead2/addons/plugin (1), größer & 中文`.smx", "plugin");
    git.place.file("work/left4dead2/empty", "");
    git.place.file("work/left4dead2/run.sh", "#!/bin/sh\n");
    (void)git.shell("chmod +x work/left4dead2/run.sh; ln -s cfg/server.cfg work/left4dead2/link.cfg");
}

/// The same content everywhere.
void check_content(const GitBuild& build, const std::string& commit) {
    const std::string root = build.artifact() + "/";
    const Place& place = build.place;
    CHECK(place.read(root + "left4dead2/cfg/server.cfg") == "sv_maxrate 1\r\n");
    CHECK(place.read(root + "left4dead2/addons/plugin (1), größer & 中文`.smx") == "plugin");
    CHECK(place.read(root + "left4dead2/link.cfg") == "sv_maxrate 1\r\n");
    CHECK(place.mode(root + "left4dead2/run.sh") == 0775);
    CHECK(place.mode(root + "left4dead2/cfg/server.cfg") == 0664);
    CHECK(place.exists(root + "left4dead2/empty"));
    CHECK_FALSE(place.exists(root + ".git"));
    CHECK(build.record().artifact->revision == commit);
    CHECK_FALSE(place.exists("overlays/o/.build/download"));
}

std::string tree_item(const std::string& mode, const std::string& name, const std::string& id) {
    return mode + " " + name + std::string(1, '\0') + id;
}

}  // namespace

TEST_CASE("a branch, a tag, a commit and HEAD are built, from a server and from the host", "[git]") {
    const GitPlace git;
    fill(git);
    const std::string first = git.commit();
    (void)git.shell("git tag plain; git tag -a -m tagged annotated; git branch old");
    git.place.file("work/left4dead2/cfg/later.cfg", "later\n");
    const std::string second = git.commit();
    const HttpsServer server(serve(git));
    std::string digest;
    for (const bool packed : {false, true}) {
        if (packed) (void)git.shell("git gc -q; git pack-refs --all; test -z \"$(ls $GIT_DIR/refs/heads)\"");
        for (const bool local : {false, true}) {
            INFO("local " << local << ", packed " << packed);
            GitBuild build = local ? GitBuild(git) : GitBuild(git, server);
            for (const std::string& ref :
                 {std::string("old"), std::string("plain"), std::string("annotated"),
                  std::string("refs/heads/old"), std::string("refs/tags/annotated"), first}) {
                INFO(ref);
                build.source.ref = ref;
                CHECK(build.run() == "");
                check_content(build, first);
                if (digest.empty()) digest = build.record().artifact->digest;
                CHECK(build.record().artifact->digest == digest);
            }
            build.source.ref = "";
            CHECK(build.run() == "");
            check_content(build, second);
            CHECK(build.place.exists(build.artifact() + "/left4dead2/cfg/later.cfg"));
        }
    }
}

TEST_CASE("the files of a working tree on the host are those of its repository", "[git]") {
    const GitPlace git;
    fill(git);
    const std::string commit = git.commit();
    (void)git.shell(
        "mkdir repos/tree; mv repos/m.git repos/tree/.git; mkdir -p repos/m.git; "
        "echo uncommitted >repos/tree/more");
    GitBuild build(git);
    build.source.url = git.place.path("repos/tree");
    CHECK(build.run() == "");
    check_content(build, commit);
}

TEST_CASE("a repository goes where the manifest says, without what it leaves out", "[git]") {
    const GitPlace git;
    fill(git);
    (void)git.commit();
    const HttpsServer server(serve(git));
    GitBuild build(git, server);
    build.source.path = "left4dead2/cfg";
    build.source.into = "left4dead2/cfg/sourcemod";
    CHECK(build.run() == "");
    CHECK(build.names() == std::vector<std::string>{"left4dead2", "left4dead2/cfg",
                                                    "left4dead2/cfg/sourcemod",
                                                    "left4dead2/cfg/sourcemod/server.cfg"});
    build.source.path = "left4dead2";
    build.source.into = "left4dead2";
    build.source.exclude = {"addons", "*.sh", "cfg/*.cfg", "link.cfg"};
    CHECK(build.run() == "");
    CHECK(build.names() == std::vector<std::string>{"left4dead2", "left4dead2/cfg", "left4dead2/empty"});
    build.source.exclude = {"*"};
    CHECK(says(build.refusal(), "no file is left of it"));
}

TEST_CASE("what no overlay may contain is refused with its name, unless it is left out", "[git]") {
    const GitPlace git;
    git.place.file("work/a.cfg", "a\n");
    std::string what;
    std::string why;
    SECTION("a symlink that leads out") {
        (void)git.shell("mkdir work/d; ln -s ../../../etc/passwd work/d/out");
        what = "out";
        why = "d/out";
    }
    SECTION("an absolute symlink") {
        (void)git.shell("ln -s /home/steam/addonlist.txt work/addonlist.txt");
        what = "addonlist.txt";
        why = "addonlist.txt";
    }
    SECTION("a submodule") {
        (void)git.commit();
        (void)git.shell("cd work; git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),d/sub");
        what = "sub";
        why = "'d/sub' is a submodule, whose files are in another repository; exclude it";
    }
    SECTION("a file that LFS keeps elsewhere") {
        git.place.file("work/d/map.vpk", "version https://git-lfs.github.com/spec/v1\noid sha256:" +
                                             std::string(64, 'a') + "\nsize 12345\n");
        what = "*.vpk";
        why = "'d/map.vpk' is a pointer to a file that git LFS keeps elsewhere; exclude it";
    }
    (void)git.shell(
        "cd work; test -e .gitmodules || git ls-files -s | grep -q ^160000 || git add -A -f .; "
        "git commit -q -m x");
    const HttpsServer server(serve(git));
    for (const bool local : {false, true}) {
        GitBuild build = local ? GitBuild(git) : GitBuild(git, server);
        CHECK(says(build.refusal(), why));
        build.source.exclude = {what};
        CHECK(build.run() == "");
        CHECK(build.place.read(build.artifact() + "/a.cfg") == "a\n");
    }
}

TEST_CASE("a ref or a path that is not there is named, with the remedy", "[git]") {
    const GitPlace git;
    fill(git);
    const std::string commit = git.commit();
    (void)git.shell("git branch twice; git commit -q --allow-empty -m y; git tag twice");
    (void)git.shell("git tag tree HEAD^{tree}; git tag blob HEAD:README.md");
    const HttpsServer server(serve(git));
    for (const bool local : {false, true}) {
        INFO("local " << local);
        GitBuild build = local ? GitBuild(git) : GitBuild(git, server);
        const auto refusal = [&](const std::string& ref, const std::string& path = "") {
            build.source.ref = ref;
            build.source.path = path;
            return build.refusal();
        };
        CHECK(says(refusal("gone"), "it has no branch or tag 'gone'; correct `ref`"));
        CHECK(says(refusal("refs/heads/gone"), "it has no ref 'refs/heads/gone'"));
        CHECK(says(refusal(commit.substr(0, 10)), "write all 40 digits of a commit"));
        CHECK(says(refusal("twice"), "both a branch and a tag are called 'twice'"));
        CHECK(says(refusal(std::string(40, 'a')), local ? "it is missing" : "the server says: "));
        CHECK(says(refusal("tree"), "not a commit"));
        CHECK(says(refusal("blob"), "not a commit"));
        CHECK(says(refusal("main", "left4dead2/gone"),
                   "it has no directory 'left4dead2/gone'; correct `path`"));
        CHECK(says(refusal("main", "README.md"), "it has no directory 'README.md'"));
        (void)git.shell("git symbolic-ref HEAD refs/heads/nowhere");
        CHECK(says(refusal(""), "name a branch, a tag or a commit with `ref`"));
        (void)git.shell("git symbolic-ref HEAD refs/heads/main");
    }
}

TEST_CASE("files that are stored as differences of others are whole", "[git]") {
    const GitPlace git;
    std::string text = random_bytes(20'000);
    std::vector<std::string> versions;
    for (int i = 0; i < 60; ++i) {
        text.replace(static_cast<std::size_t>(i) * 300, 10, "changed!!!");
        text += std::to_string(i);
        versions.push_back(text);
        git.place.file("work/" + std::to_string(i), text);
    }
    (void)git.commit();
    SECTION("at a distance") { (void)git.shell("git repack -q -a -d -f --depth=50 --window=100"); }
    SECTION("by their names") {
        (void)git.shell("git -c repack.useDeltaBaseOffset=false repack -q -a -d -f --depth=50 --window=100");
    }
    REQUIRE(git.shell("git verify-pack -v $GIT_DIR/objects/pack/*.idx | grep -c 'chain length'") > "1");
    const HttpsServer server(serve(git));
    for (const bool local : {false, true}) {
        const GitBuild build = local ? GitBuild(git) : GitBuild(git, server);
        CHECK(build.run() == "");
        for (std::size_t i = 0; i < versions.size(); ++i)
            CHECK(build.place.read(build.artifact() + "/" + std::to_string(i)) == versions[i]);
    }
}

TEST_CASE("trees that git does not make are refused", "[git]") {
    const GitPlace git;
    const std::string blob = git.blob("text");
    const std::string file = tree_item("100644", "a", blob);
    std::string tree;
    std::string why;
    SECTION("..") {
        tree = tree_item("100644", "..", blob);
        why = "'..' has a name that leads elsewhere";
    }
    SECTION(".") {
        tree = tree_item("100644", ".", blob);
        why = "'.' has a name that leads elsewhere";
    }
    SECTION("a slash") {
        tree = tree_item("100644", "../../x", blob);
        why = "'../../x' has a name that leads elsewhere";
    }
    SECTION(".git") {
        tree = tree_item("100644", ".git", blob);
        why = "'.git' has git's own name";
    }
    SECTION(".GIT") {
        tree = tree_item("100644", ".GIT", blob);
        why = "'.GIT' has git's own name";
    }
    SECTION("a name twice") {
        tree = file + file;
        why = "has a name twice";
    }
    SECTION("a file and a directory of one name") {
        git.place.file("tree-object", file);
        const std::string id = git.shell("git hash-object -t tree -w --literally tree-object");
        std::string bytes;
        for (std::size_t i = 0; i < id.size(); i += 2)
            bytes += static_cast<char>(std::stoi(id.substr(i, 2), nullptr, 16));
        tree = file + tree_item("40000", "a", bytes);
        why = "'a'";
    }
    SECTION("out of order") {
        tree = tree_item("100644", "b", blob) + file;
        why = "is damaged";
    }
    SECTION("no name") {
        tree = tree_item("100644", "", blob);
        why = "is damaged";
    }
    SECTION("cut short") {
        tree = file.substr(0, file.size() - 1);
        why = "is damaged";
    }
    SECTION("a mode that is none") {
        tree = tree_item("10o644", "a", blob);
        why = "is damaged";
    }
    SECTION("a device") {
        tree = tree_item("20644", "a", blob);
        why = "'a' is neither a file, a directory nor a link";
    }
    SECTION("a directory that is a file") {
        tree = tree_item("40000", "a", blob);
        why = "a: is something else than the repository says";
    }
    SECTION("an object that is not there") {
        tree = tree_item("100644", "a", std::string(20, 'x'));
        why = "a: it is missing in the repository";
    }
    SECTION("a control character") {
        tree = tree_item("100644", "a\nb", blob);
        why = "control character";
    }
    SECTION("a backslash") {
        tree = tree_item("100644", "a\\..\\b", blob);
        why = "backslash";
    }
    SECTION("not UTF-8") {
        tree = tree_item("100644", "a\xff", blob);
        why = "not UTF-8";
    }
    SECTION("a link with a NUL") {
        const std::string target = git.blob(std::string("a\0/../../..", 11));
        tree = tree_item("120000", "l", target);
        why = "'l' is a symlink to a path that cannot exist";
    }
    (void)git.commit_tree(tree);
    const GitBuild build(git);
    CHECK(says(build.refusal(), why));
    CHECK_FALSE(build.record().artifact);
}

TEST_CASE("a tree that is nested without end, or repeats itself, is refused", "[git]") {
    const GitPlace git;
    SECTION("deep") {
        (void)git.shell(
            "t=$(printf '100644 blob %s\\ta\\n' $(echo x | git hash-object -w --stdin) | git mktree)\n"
            "for i in $(seq 70); do t=$(printf '040000 tree %s\\td\\n' $t | git mktree); done\n"
            "git update-ref refs/heads/main $(git commit-tree -m x $t)");
        const GitBuild build(git);
        CHECK(says(build.refusal(), "is nested too deeply"));
    }
    SECTION("ten of ten of ten") {
        (void)git.shell(
            "t=$(printf '100644 blob %s\\ta\\n' $(echo x | git hash-object -w --stdin) | git mktree)\n"
            "for i in $(seq 12); do t=$(for n in 0 1 2 3 4 5 6 7 8 9; do printf '040000 tree %s\\td%s\\n' "
            "$t $n; done | git mktree); done\n"
            "git update-ref refs/heads/main $(git commit-tree -m x $t)");
        GitBuild build(git);
        build.source.limits.entries = 5000;
        CHECK(says(build.refusal(), "limits.overlayEntries"));
        build.source.exclude = {"d*"};
        CHECK(says(build.refusal(), "limits.overlayEntries"));
    }
}

TEST_CASE("a repository that unpacks to far more than its size is refused", "[git]") {
    const GitPlace git;
    (void)git.shell("git config core.compression 9; head -c 120M /dev/zero >work/zeros");
    (void)git.commit();
    const HttpsServer server(serve(git));
    for (const bool local : {false, true}) {
        const GitBuild build = local ? GitBuild(git) : GitBuild(git, server);
        CHECK(says(build.refusal(), "unpacks to more than 200 times its size"));
    }
    (void)git.shell("head -c 140M /dev/zero >work/zeros");
    (void)git.commit();
    const GitBuild build(git);
    CHECK(says(build.refusal(), "'zeros' has more than 128 MiB; exclude it"));
}

TEST_CASE("a pack with any byte changed gives the right files or none", "[git]") {
    const GitPlace git;
    std::string text = random_bytes(300);
    git.place.file("work/a", text);
    git.place.file("work/b", text + "more");
    git.place.file("work/d/c", "c\n");
    const std::string commit = git.commit();
    (void)git.shell("git repack -q -a -d -f");
    const std::string root = git.place.path("repos");
    std::mutex mutex;
    std::string abilities;
    std::string pack;
    std::string sent;
    const HttpsServer server([&](const HttpRequest& request, HttpAnswer& answer) {
        const std::lock_guard lock(mutex);
        if (request.path == refs_request) {
            if (abilities.empty()) abilities = git_answer(request, root);
            (void)answer.send(abilities);
            return;
        }
        if (pack.empty()) sent = pack = pack_of(git_answer(request, root));
        (void)answer.send(answer_with(sent));
    });
    GitBuild build(git, server);
    build.source.ref = commit;
    REQUIRE(build.run() == "");
    const std::string digest = build.record().artifact->digest;
    const auto try_with = [&](const std::string& changed) {
        {
            const std::lock_guard lock(mutex);
            sent = changed;
        }
        git.place.remove("overlays/o/" + digest);
        const std::string said = build.run();
        if (said.empty()) CHECK(build.record().artifact->digest == digest);
        return said;
    };
    SECTION("changed") {
        std::size_t noticed = 0;
        std::size_t tried = 0;
        // The checksum at the end is not needed: each object has its own.
        for (std::size_t at = 0; at < pack.size() - 20; at += 3, ++tried) {
            INFO(at);
            std::string changed = pack;
            changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
            noticed += try_with(changed).empty() ? 0U : 1U;
        }
        // What fills up the last byte of a compressed stream has no meaning.
        CHECK(noticed * 10 > tried * 9);
    }
    SECTION("cut") {
        for (std::size_t at = 0; at < pack.size(); at += 17) {
            INFO(at);
            CHECK(says(try_with(pack.substr(0, at)), "it is damaged"));
        }
    }
    SECTION("longer") { CHECK(says(try_with(pack + "x"), "it is damaged")); }
    SECTION("more objects than it says, or than there can be") {
        std::string changed = pack;
        changed[11] = '\1';
        CHECK(says(try_with(changed), "it is damaged"));
        changed[8] = '\x7f';
        CHECK(says(try_with(changed), "far more than its size"));
    }
    SECTION("another commit") {
        git.place.file("work/a", "other");
        const std::string other = git.commit();
        build.source.ref = other;
        CHECK(says(try_with(pack), "it is missing"));
    }
    SECTION("what was damaged is downloaded again, and what is whole is not") {
        CHECK_FALSE(try_with(pack.substr(0, 50)).empty());
        CHECK(try_with(pack).empty());
        build.source.exclude = {"*"};
        CHECK_FALSE(try_with(pack).empty());
        const unsigned before = server.requests();
        CHECK_FALSE(try_with("nothing").empty());
        CHECK(server.requests() == before + 1);
    }
}

TEST_CASE("wrong answers of a git server are refused, and named", "[git]") {
    const GitPlace git;
    fill(git);
    (void)git.commit();
    const std::string root = git.place.path("repos");
    std::atomic<unsigned> asked = 0;
    std::string kind;
    const HttpsServer server([&](const HttpRequest& request, HttpAnswer& answer) {
        ++asked;
        const bool first = request.path.contains("/info/refs");
        const bool listing = request.body.contains("ls-refs");
        const bool fetching = request.body.contains("command=fetch");
        if (kind == "login") return answer.reply(401, "who?", "WWW-Authenticate: Basic\r\n");
        if (kind == "page") return answer.reply(200, "<html>hello</html>", "Content-Type: text/html\r\n");
        if (kind == "old") return (void)answer.send(git_answer(request, root, "version=0"));
        if (kind == "dumb") return answer.reply(200, std::string(40, 'a') + "\trefs/heads/main\n");
        if (kind == "private") return answer.reply(302, "", "Location: https://10.0.0.1/m.git\r\n");
        if (kind == "post" && !first) return answer.reply(302, "", "Location: /elsewhere\r\n");
        if (kind == "503" && fetching && asked < 5) return answer.reply(503, "later");
        if (kind == "sha256" && first) {
            return answer.reply(200, builder::packet("version 2\n") + builder::packet("ls-refs\n") +
                                         builder::packet("fetch=shallow\n") +
                                         builder::packet("object-format=sha256\n") + "0000");
        }
        if (kind == "whole-history" && first) {
            return answer.reply(200, builder::packet("version 2\n") + builder::packet("ls-refs\n") +
                                         builder::packet("fetch\n") + "0000");
        }
        if (kind == "length" && listing) return answer.reply(200, "0003");
        if (kind == "letters" && listing) return answer.reply(200, "zzzz");
        if (kind == "half" && listing) return answer.reply(200, "00ffabc");
        if (kind == "no-id" && listing)
            return answer.reply(200, builder::packet("x refs/heads/main\n") + "0000");
        if (kind == "error" && fetching)
            return answer.reply(200,
                                builder::packet("packfile\n") + builder::packet("\3out of\x1b[1m memory\n"));
        if (kind == "band" && fetching)
            return answer.reply(200, builder::packet("packfile\n") + builder::packet("\7what") + "0000");
        if (kind == "no-pack" && fetching) return answer.reply(200, "0000");
        if (kind == "unended" && fetching)
            return answer.reply(200, builder::packet("packfile\n") + builder::packet("\1PACK"));
        if ((kind == "endless" && fetching) || (kind == "endless-list" && listing)) {
            (void)answer.send("HTTP/1.1 200 OK\r\n\r\n" + (fetching ? builder::packet("packfile\n") : ""));
            const std::string more =
                fetching ? builder::packet("\1" + std::string(60'000, 'x'))
                         : builder::packet(std::string(40, 'a') + " refs/heads/" + std::string(60'000, 'x'));
            while (answer.send(more)) {
            }
            return;
        }
        if (kind == "trickle" && fetching) {
            (void)answer.send("HTTP/1.1 200 OK\r\n\r\n" + builder::packet("packfile\n"));
            answer.slow_down(100ms);
            while (answer.send(builder::packet("\1x"))) {
            }
            return;
        }
        const std::string whole = git_answer(request, root);
        if (kind == "broken" && fetching && asked < 5)
            return (void)answer.send(std::string_view(whole).substr(0, whole.size() - 30));
        (void)answer.send(whole);
    });
    Fetching fetching(git);
    fetching.source.limits.bytes = 20U << 20U;
    const auto answer = [&](const std::string& of) {
        kind = of;
        asked = 0;
        return fetching.run(server);
    };
    SECTION("no git server") {
        CHECK(says(answer("login"), "status 401: it has no such repository, or one that needs a login"));
        CHECK(says(answer("page"), "does not answer as a git server does"));
        CHECK(says(answer("old"), "version 2 of git's protocol"));
        CHECK(says(answer("dumb"), "does not answer as a git server does"));
        kind = "";
        CHECK(says(fetching.run(server, "/other.git"), "status 404: it has no such repository"));
    }
    SECTION("what left4me cannot use") {
        CHECK(says(answer("sha256"), "its objects are named by sha256"));
        CHECK(says(answer("whole-history"), "no commit without its history"));
    }
    SECTION("redirects") {
        CHECK(says(answer("private"), "10.0.0.1 is not a public address"));
        CHECK(says(answer("post"), "status 302"));
    }
    SECTION("nonsense") {
        CHECK(says(answer("length"), "does not answer as a git server does"));
        CHECK(says(answer("letters"), "does not answer as a git server does"));
        CHECK(says(answer("half"), "sent only a part"));
        CHECK(says(answer("no-id"), "list of references cannot be read"));
        CHECK(says(answer("error"), "the server says: out of?[1m memory"));
        CHECK(says(answer("band"), "the server says: what"));
        CHECK(says(answer("no-pack"), "sent only a part"));
        CHECK(says(answer("unended"), "sent only a part"));
    }
    SECTION("without end") {
        CHECK(says(answer("endless"), "limits.overlayBytes"));
        CHECK(says(answer("endless-list"), "does not end"));
    }
    SECTION("too slow") { CHECK(says(answer("trickle"), "stalled")); }
    SECTION("another try helps when the server is busy") {
        CHECK(answer("503") == "");
        CHECK(asked == 5);
    }
    SECTION("another try helps when the connection breaks") {
        CHECK(answer("broken") == "");
        CHECK(asked == 5);
    }
}

TEST_CASE("whatever a git server sends instead, the error says so and the last artifact stays", "[git]") {
    const GitPlace git;
    fill(git);
    (void)git.commit();
    const std::string root = git.place.path("repos");
    std::mutex mutex;
    std::string spoiled;  // a part of the request
    std::function<void(HttpAnswer & answer, const std::string& right)> send;
    const HttpsServer server([&](const HttpRequest& request, HttpAnswer& answer) {
        const std::string whole = git_answer(request, root);
        std::unique_lock lock(mutex);
        if (spoiled.empty() || !(request.path + request.body).contains(spoiled))
            return (void)answer.send(whole);
        const auto wrong = send;
        lock.unlock();
        wrong(answer, body_of(whole));
    });
    GitBuild build(git, server);
    build.source.limits.bytes = 20U << 20U;
    REQUIRE(build.run_in_haste() == "");
    const std::string artifact = build.artifact();
    git.place.file("work/left4dead2/cfg/later.cfg", random_bytes(5000));
    const std::string later = git.commit();
    const auto set = [&](const std::string& part, const decltype(send)& wrong) {
        const std::lock_guard lock(mutex);
        spoiled = part;
        send = wrong;
    };
    const auto refused = [&](const std::string& part, const Said& said) {
        for (const WrongAnswer& wrong : wrong_answers(said)) {
            INFO(part << ": " << wrong.name);
            set(part, wrong.send);
            const std::string message = build.run_in_haste();
            CHECK(says(message, wrong.said));
            CHECK(says(message, server.url("/m.git")));
            REQUIRE(build.record().failure);
            CHECK(build.record().failure->kind == BuildFailureKind::SourceUnavailable);
            CHECK(build.artifact() == artifact);
            CHECK(git.place.read(artifact + "/left4dead2/cfg/server.cfg") == "sv_maxrate 1\r\n");
        }
    };
    const std::string no_git = "the server does not answer as a git server does";
    Said said{.half = "the server sent only a part",
              .more = no_git,
              .page = no_git,
              .picture = no_git,
              .endless = "the server's answer does not end"};
    SECTION("what it can do") { refused("/info/refs", said); }
    said.is_post = true;
    SECTION("its references") { refused("ls-refs", said); }
    SECTION("the pack") {
        said.endless = "the server says: ";  // what follows the first pack is none; see "endless" above
        refused("command=fetch", said);
    }
    SECTION("a moment's patience") {
        const std::string part = GENERATE("/info/refs", "ls-refs", "command=fetch");
        std::atomic<unsigned> asked = 0;
        set(part, asks_for_a_moment(asked));
        const auto begun = std::chrono::steady_clock::now();
        CHECK(build.run_in_haste() == "");
        CHECK(std::chrono::steady_clock::now() - begun >= 1s);
        CHECK(asked == 2);
    }
    set("", nullptr);
    REQUIRE(build.run_in_haste() == "");
    check_content(build, later);
}

TEST_CASE("a git server whose name leads to a private address in the middle is not followed", "[git]") {
    const GitPlace git;
    fill(git);
    (void)git.commit();
    const OwnNames names(git.place);
    if (!names.usable()) {
        WARN("only root can lead names elsewhere");
        return;
    }
    names.lead_to("127.0.0.1");
    const std::string root = git.place.path("repos");
    std::string last;  // after this part of a request, the name leads elsewhere
    const HttpsServer server([&](const HttpRequest& request, HttpAnswer& answer) {
        const std::string whole = git_answer(request, root);
        if (!last.empty() && (request.path + request.body).contains(last)) names.lead_to("10.0.0.1");
        (void)answer.send(whole);
    });
    GitBuild build(git, server);
    build.source.url = by_name(build.source.url);
    REQUIRE(build.run_in_haste() == "");
    const std::string artifact = build.artifact();
    git.place.file("work/left4dead2/cfg/later.cfg", "later");
    (void)git.commit();
    for (const char* part : {"/info/refs", "ls-refs"}) {
        names.lead_to("127.0.0.1");
        last = part;
        CHECK(says(build.run_in_haste(), "10.0.0.1 is not a public address"));
        CHECK(build.artifact() == artifact);
    }
    CHECK(says(build.run_in_haste(), "10.0.0.1 is not a public address"));
    last.clear();
    names.lead_to("127.0.0.1");
    CHECK(build.run_in_haste() == "");
}

TEST_CASE("a commit for which the disk has no room is refused, and nothing is lost", "[git]") {
    const GitPlace git;
    const OwnDisk disk(git.place, "3m");
    if (!disk.usable()) {
        WARN("only root can mount a small disk");
        return;
    }
    fill(git);
    (void)git.commit();
    const HttpsServer server(serve(git));
    const bool local = GENERATE(false, true);
    CAPTURE(local);
    GitBuild build = local ? GitBuild(git) : GitBuild(git, server);
    REQUIRE(build.run_in_haste() == "");
    const std::string artifact = build.artifact();
    SECTION("its pack") { git.place.file("work/large", random_bytes(5'000'000)); }
    SECTION("its files, which are packed") {
        std::string letters = random_bytes(4'000'000);
        for (char& letter : letters) letter = static_cast<char>('a' + (letter & 1));
        git.place.file("work/large", letters);
    }
    (void)git.commit();
    CHECK(says(build.run_in_haste(), "No space left on device"));
    REQUIRE(build.record().failure);
    CHECK(build.record().failure->kind == BuildFailureKind::NoSpace);
    CHECK(build.artifact() == artifact);
    CHECK(git.place.read(artifact + "/left4dead2/cfg/server.cfg") == "sv_maxrate 1\r\n");
    CHECK_FALSE(git.place.exists("overlays/o/.build/tree"));
    disk.resize("30m");
    CHECK(build.run_in_haste() == "");
}

TEST_CASE("with the same lock two hosts build equal artifacts of a repository, however they differ",
          "[git]") {
    const GitPlace git;
    const GitPlace moved;
    fill(git);
    const std::string commit = git.commit();
    git.place.file("work/later", "later");
    (void)git.commit();
    // Another server packs it in another way, and has other branches.
    fill(moved);
    (void)moved.shell("git config core.compression 0");
    REQUIRE(moved.commit() == commit);
    (void)moved.shell("git repack -q -a -d -f");
    const OwnDisk disk(moved.place, "30m");
    const HttpsServer server(serve(git));
    const HttpsServer other_server(serve(moved));
    GitBuild one(git, server);
    GitBuild other(moved, other_server);
    other.elsewhere = true;
    for (GitBuild* build : {&one, &other}) {
        build->source.ref = "main";
        build->source.pin = GitPin{commit};
        REQUIRE(build->run() == "");
        check_content(*build, commit);
    }
    CHECK(one.record().artifact->digest == other.record().artifact->digest);
}

TEST_CASE("a repository that has moved is found", "[git]") {
    const GitPlace git;
    fill(git);
    (void)git.commit();
    const std::string root = git.place.path("repos");
    const HttpsServer server([&](const HttpRequest& request, HttpAnswer& answer) {
        if (request.path.starts_with("/old/"))
            return answer.reply(301, "", "Location: " + request.path.substr(4) + "\r\n");
        (void)answer.send(git_answer(request, root));
    });
    Fetching fetching(git);
    CHECK(fetching.run(server, "/old/m.git") == "");
}

TEST_CASE("a git server's certificate must be trusted, and its address public", "[git]") {
    const GitPlace git;
    fill(git);
    (void)git.commit();
    const HttpsServer server(serve(git));
    const HttpsServer expired(serve(git), HttpsServer::Certificate::Expired);
    Fetching fetching(git);
    CHECK(says(fetching.run(expired), "certificate"));
    GitBuild build(git, server);
    REQUIRE(build.run() == "");
    const std::string artifact = build.artifact();
    const unsigned asked = server.requests();
    git.place.file("ca.pem", expired.certificate());
    CHECK(says(build.refusal(), "certificate"));
    git.place.file("ca.pem", server.certificate());
    build.source.private_networks.clear();
    CHECK(says(build.refusal(), "127.0.0.1 is not a public address"));
    CHECK(server.requests() == asked);
    CHECK(expired.requests() == 0);
    CHECK(build.artifact() == artifact);
}

TEST_CASE("a repository on the host cannot lead elsewhere", "[git]") {
    const GitPlace git;
    fill(git);
    (void)git.commit();
    git.place.file("secret", "secret\n");
    (void)git.shell("cp -a repos/m.git elsewhere.git");
    const std::string path = git.repository();
    GitBuild build(git);
    const auto refused = [&](std::string_view why) {
        const std::string said = build.refusal();
        CHECK_FALSE(said.contains("secret"));
        return says(said, why);
    };
    SECTION("a symlink to a repository") {
        (void)git.shell("rm -r repos/m.git; ln -s ../elsewhere.git repos/m.git");
        CHECK(refused("is a symlink"));
    }
    SECTION("symlinks in it") {
        SECTION("its objects") {
            (void)git.shell("rm -r $GIT_DIR/objects; ln -s $PWD/elsewhere.git/objects $GIT_DIR/objects");
            CHECK(refused("it is missing"));
        }
        SECTION("its packs") {
            (void)git.shell(
                "git gc -q; cp -a $GIT_DIR/objects/pack elsewhere.git/packs; rm -rf "
                "$GIT_DIR/objects/pack; ln -s $PWD/elsewhere.git/packs $GIT_DIR/objects/pack");
            CHECK(refused("Too many levels of symbolic links"));
        }
        SECTION("one pack") {
            (void)git.shell(
                "git gc -q; cd $GIT_DIR/objects/pack; mv *.pack $OLDPWD/x.pack; ln -s "
                "$OLDPWD/x.pack $(basename *.idx .idx).pack");
            CHECK(refused("Too many levels of symbolic links"));
        }
        SECTION("one object") {
            (void)git.shell(
                "cd $GIT_DIR/objects; f=$(ls -d [0-9a-f][0-9a-f]/* | head -1); mv $f $OLDPWD/x; "
                "ln -s $OLDPWD/x $f");
            CHECK(refused("Too many levels of symbolic links"));
        }
        SECTION("its branch") {
            (void)git.shell("ln -sf $PWD/secret $GIT_DIR/refs/heads/main");
            CHECK(refused("Too many levels of symbolic links"));
        }
    }
    SECTION("a FIFO in the place of an object") {
        (void)git.shell("cd $GIT_DIR/objects; f=$(ls -d [0-9a-f][0-9a-f]/* | head -1); rm -f $f; mkfifo $f");
        CHECK(refused("is not a file of the repository"));
    }
    SECTION("a branch that leads out") {
        (void)git.shell("echo 'ref: ../../secret' >$GIT_DIR/HEAD");
        CHECK(refused("leads to one that cannot be"));
    }
    SECTION("a branch that leads to itself") {
        (void)git.shell("echo 'ref: HEAD' >$GIT_DIR/HEAD");
        CHECK(refused("leads to one that cannot be"));
    }
    SECTION("a branch that is another file") {
        (void)git.shell("cp secret $GIT_DIR/refs/heads/main");
        CHECK(refused("does not name an object"));
    }
    SECTION("objects of another repository") {
        (void)git.shell("echo $PWD/elsewhere.git/objects >$GIT_DIR/objects/info/alternates");
        CHECK(refused("borrows objects"));
    }
    SECTION("a linked working tree") {
        (void)git.shell("echo $PWD/elsewhere.git >$GIT_DIR/commondir");
        CHECK(refused("is a linked working tree"));
    }
    SECTION("no repository") {
        (void)git.shell("rm -r $GIT_DIR; mkdir $GIT_DIR");
        CHECK(refused("is not a git repository"));
    }
    SECTION("nothing of its configuration is followed") {
        (void)git.shell(
            "git config core.fsmonitor $PWD/run; git config include.path $PWD/secret; "
            "git config core.worktree /; printf '#!/bin/sh\\ntouch $PWD/ran\\n' >run; chmod +x run");
        CHECK(build.run() == "");
        CHECK_FALSE(git.place.exists("ran"));
    }
    SECTION("damaged objects") {
        (void)git.shell("cd $GIT_DIR/objects; for f in [0-9a-f][0-9a-f]/*; do chmod u+w $f; : >$f; done");
        CHECK(refused("it is damaged"));
    }
    SECTION("an object under another's name") {
        (void)git.shell(
            "cd $GIT_DIR/objects; c=$(git rev-parse HEAD | sed 's,^..,&/,'); "
            "t=$(git rev-parse HEAD^{tree} | sed 's,^..,&/,'); chmod u+w $c; cat $t >$c");
        CHECK(refused("it is damaged"));
    }
}

TEST_CASE("a pack index that is wrong in any byte gives the right files or none", "[git]") {
    const GitPlace git;
    fill(git);
    (void)git.commit();
    (void)git.shell("git gc -q; chmod u+w $GIT_DIR/objects/pack/*; cp $GIT_DIR/objects/pack/*.idx idx");
    const std::string index = git.place.read("idx");
    const std::string path = git.shell("cd $GIT_DIR/objects/pack; echo repos/m.git/objects/pack/$(ls *.idx)");
    const GitBuild build(git);
    REQUIRE(build.run() == "");
    const std::string digest = build.record().artifact->digest;
    std::mt19937 random(20261129);
    for (int round = 0; round < 150; ++round) {
        std::string changed = index;
        // Most of it is the table of first bytes.
        const std::size_t at =
            round % 2 == 0 ? random() % changed.size() : 1032 + random() % (changed.size() - 1032);
        changed[at] = static_cast<char>(random());
        if (round % 10 == 0) changed.resize(random() % changed.size());
        git.place.file(path, changed);
        git.place.remove("overlays/o/" + digest);
        INFO(round);
        const std::string said = build.run();
        if (said.empty()) CHECK(build.record().artifact->digest == digest);
    }
}

TEST_CASE("a build from git that is killed at any moment gives the right artifact in the end", "[git]") {
    const GitPlace git;
    for (int i = 0; i < 200; ++i)
        git.place.file("work/addons/" + std::to_string(i), random_bytes(3000) + std::to_string(i));
    const std::string commit = git.commit();
    const std::string root = git.place.path("repos");
    const HttpsServer server([&](const HttpRequest& request, HttpAnswer& answer) {
        answer.slow_down(1ms);
        (void)answer.send(git_answer(request, root));
    });
    std::mt19937 random(20261129);
    std::string digest;
    for (const bool local : {false, true}) {
        const GitBuild build = local ? GitBuild(git) : GitBuild(git, server);
        for (int round = 0; round < 5; ++round) {
            kill_builds([&] { return build.start(); }, 10, 100ms, random);
            CHECK(build.run() == "");
            CHECK(build.record().artifact->revision == commit);
            if (digest.empty()) digest = build.record().artifact->digest;
            CHECK(build.record().artifact->digest == digest);
            CHECK(build.names().size() == 201);
            CHECK_FALSE(git.place.exists("overlays/o/.build/download"));
            CHECK_FALSE(git.place.exists("overlays/o/.build/tree"));
            git.place.remove("overlays/o/" + digest);
        }
    }
}

TEST_CASE("packets arrive in any pieces", "[git]") {
    const std::string stream =
        builder::packet("one\n") + "0001" + builder::packet("") + builder::packet("two") + "0000" + "0002";
    for (std::size_t size = 1; size <= stream.size(); ++size) {
        builder::PacketReader reader;
        std::string seen;
        for (std::size_t at = 0; at < stream.size(); at += size) {
            CHECK(reader.add(std::string_view(stream).substr(at, size), [&](const builder::Packet& packet) {
                seen +=
                    std::to_string(static_cast<int>(packet.kind)) + ":" + std::string(text_of(packet)) + ";";
                return true;
            }));
        }
        CHECK(seen == "0:one;2:;0:;0:two;1:;3:;");
        CHECK(reader.is_complete());
    }
}

TEST_CASE("the pinned commit is built wherever the branch has gone, and a check tells where", "[git]") {
    const GitPlace git;
    fill(git);
    const std::string first = git.commit();
    const HttpsServer server(serve(git));
    const bool local = GENERATE(false, true);
    CAPTURE(local);
    GitBuild build = local ? GitBuild(git) : GitBuild(git, server);
    build.source.ref = "main";
    REQUIRE(build.run() == "");
    const std::string artifact = build.artifact();
    CHECK(build.pin() == GitPin{first});
    CHECK(build.record().artifact->pinned == pinned_inputs(build.source, GitPin{first}));

    git.place.file("work/README.md", "read it again\n");
    const std::string second = git.commit();
    build.source.pin = GitPin{first};
    CHECK(build.check().pin == Pin(GitPin{second}));
    REQUIRE(build.run() == "");
    CHECK(build.artifact() == artifact);
    check_content(build, first);
    // A tag leads to its commit.
    (void)git.shell("git tag -f -m annotated v1 main");
    build.source.ref = "v1";
    CHECK(build.check().pin == Pin(GitPin{second}));
    build.source.pin = GitPin{second};
    REQUIRE(build.run() == "");
    CHECK(build.pin() == GitPin{second});
    CHECK(build.artifact() != artifact);
    build.source.ref = "gone";
    const auto upstream = build.check();
    REQUIRE_FALSE(upstream.pin);
    CHECK(says(upstream.pin.error(), "has no branch or tag 'gone'"));

    // Somebody has rewritten the branch, and the commit is gone.
    build.source.ref = "main";
    build.source.pin = GitPin{"0123456789abcdef0123456789abcdef01234567"};
    const std::string refusal = build.refusal();
    CHECK(says(refusal, "left4me.lock pins commit 0123456789abcdef0123456789abcdef01234567"));
    CHECK(says(refusal, "sudo l4d2ctl lock"));
}

TEST_CASE("a check that was killed is answered, and is no failed build", "[git]") {
    const GitPlace git;
    fill(git);
    (void)git.commit();
    const GitBuild build(git);
    REQUIRE(build.run() == "");
    const store::Upstream upstream = build.killed_check();
    CHECK(upstream.question == "killed");
    REQUIRE_FALSE(upstream.pin);
    CHECK(upstream.pin.error() == "the check was ended");
}

TEST_CASE("the record of a build names the commit, and one of an earlier version names none", "[git]") {
    const GitPlace git;
    fill(git);
    const std::string commit = git.commit();
    const GitBuild build(git);
    REQUIRE(build.run() == "");
    const std::string name = "overlays/o/.build/record";
    std::string text = git.place.read(name);
    const std::string revision = ",\"revision\":\"" + commit + "\"";
    REQUIRE(text.contains(revision));
    text.erase(text.find(revision), revision.size());
    git.place.file(name, text);
    REQUIRE(build.record().artifact);
    CHECK(build.record().artifact->revision.empty());
}
