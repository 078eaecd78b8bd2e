// The digests of sources, and which sources are refused.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <map>
#include <set>

#include "adapters/digest.hpp"
#include "adapters/store/tree.hpp"
#include "place.hpp"
#include "reconciler/digest.hpp"

using namespace left4me;

TEST_CASE("a digest is SHA-256, truncated to sixteen digits") {
    CHECK(Digest().add("abc").hex() == "ba7816bf8f01cfea");
    Digest digest;
    CHECK(digest.add("ab").add("c").hex() == "ba7816bf8f01cfea");
    CHECK(digest.hex() == "e3b0c44298fc1c14");  // starts anew: of nothing
    CHECK(Digest().field("ab").field("c").hex() != Digest().field("a").field("bc").hex());
}

TEST_CASE("everything that the game could notice changes the digest, and nothing else does") {
    const Place place;
    const std::string source = place.path("source");
    std::set<std::string> seen;
    const auto is_new = [&] { return seen.insert(wanted(place, directory_source(source))).second; };

    place.file("source/a.cfg", "one");
    CHECK(is_new());
    CHECK_FALSE(is_new());
    place.file("source/a.cfg", "two");
    CHECK(is_new());
    place.file("source/b.cfg", "");
    CHECK(is_new());
    place.directory("source/empty");
    CHECK(is_new());
    ::chmod(place.path("source/b.cfg").c_str(), 0755);
    CHECK(is_new());
    place.symlink("source/link", "a.cfg");
    CHECK(is_new());
    place.remove("source/link");
    place.symlink("source/link", "b.cfg");
    CHECK(is_new());
    ::rename(place.path("source/a.cfg").c_str(), place.path("source/c.cfg").c_str());
    CHECK(is_new());

    ::chmod(place.path("source/c.cfg").c_str(), 0600);
    ::chown(place.path("source/c.cfg").c_str(), 1234, 1234);
    const std::array<timespec, 2> past{{{1000, 0}, {1000, 0}}};
    ::utimensat(AT_FDCWD, place.path("source/c.cfg").c_str(), past.data(), 0);
    CHECK_FALSE(is_new());
}

TEST_CASE("inline files have the same digest as the same files in a directory") {
    const Place place;
    place.file("source/left4dead2/cfg/a.cfg", "one");
    place.file("source/left4dead2/cfg-b", "two");
    place.file("source/z", "");
    CHECK(wanted(place, directory_source(place.path("source"))) ==
          wanted(place,
                 inline_source({{"left4dead2/cfg/a.cfg", "one"}, {"left4dead2/cfg-b", "two"}, {"z", ""}})));
}

TEST_CASE("an edit that keeps size and modification time is noticed") {
    const Place place;
    place.file("source/a.cfg", "one");
    struct stat before{};
    ::stat(place.path("source/a.cfg").c_str(), &before);
    place.let_settle();
    const std::string first = input_of(place, directory_source(place.path("source")));
    CHECK(input_of(place, directory_source(place.path("source"))) == first);
    place.file("source/a.cfg", "two");
    const std::array<timespec, 2> times{{before.st_atim, before.st_mtim}};
    ::utimensat(AT_FDCWD, place.path("source/a.cfg").c_str(), times.data(), 0);
    CHECK(input_of(place, directory_source(place.path("source"))) != first);
}

TEST_CASE("an unreadable source is an error that names it") {
    const Place place;
    const std::string source = place.path("source");
    CHECK(refusal(place, directory_source(source)) == source + ": No such file or directory");
    place.file("file", "");
    CHECK(refusal(place, directory_source(place.path("file"))) == place.path("file") + ": Not a directory");
    place.directory("source");
    CHECK(refusal(place, directory_source(source)) == source + " is empty; is its file system mounted?");

    place.file("source/sub/a.cfg", "");
    REQUIRE(::mkfifo(place.path("source/sub/fifo").c_str(), 0666) == 0);
    CHECK(refusal(place, directory_source(source)).find("sub/fifo is neither a file nor a directory") !=
          std::string::npos);
    place.remove("source/sub/fifo");
    const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, place.path("source/sub/socket").c_str(), sizeof(address.sun_path) - 1);
    REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    ::close(listener);
    CHECK(refusal(place, directory_source(source)).find("sub/socket is neither") != std::string::npos);
    place.remove("source/sub/socket");
    REQUIRE(::mknod(place.path("source/sub/whiteout").c_str(), S_IFCHR, 0) == 0);
    CHECK(refusal(place, directory_source(source)).find("sub/whiteout is neither") != std::string::npos);
}

TEST_CASE("symlinks that stay inside are kept, others are refused") {
    const Place place;
    place.file("source/sub/deep/a.cfg", "x");
    for (const char* target : {"a.cfg", "../deep", "../../sub", "../..", "./a.cfg", "missing"}) {
        place.symlink("source/sub/deep/link", target);
        INFO(target);
        CHECK(is_digest(wanted(place, directory_source(place.path("source")))));
        place.remove("source/sub/deep/link");
    }
    for (const char* target : {"/etc/passwd", "../../..", "../../../x", "a/../b", "..//../.././..", "/"}) {
        place.symlink("source/sub/deep/link", target);
        INFO(target);
        CHECK(refusal(place, directory_source(place.path("source")))
                  .find("sub/deep/link is a symlink that leads out") != std::string::npos);
        place.remove("source/sub/deep/link");
    }
}

TEST_CASE("too deep a tree is an error, not a crash") {
    const Place place;
    std::string deep = "source";
    for (int i = 0; i < store::max_tree_depth + 2; ++i) deep += "/d";
    place.directory(deep);
    CHECK(refusal(place, directory_source(place.path("source"))).find("nested too deeply") !=
          std::string::npos);
}

TEST_CASE("what replaced a directory or a file of a source since it was listed is not read") {
    const Place place;
    for (const char* name : {"top", "a/1", "a/2", "a/b/3", "c/4", "c/5", "d/6", "d/7"})
        place.file(std::string("source/") + name, name);
    place.file("elsewhere/1", "secret");
    const Fd root(::open(place.path("source").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto tree = store::scan_tree(root.get());
    REQUIRE(tree);
    place.remove("source/a");
    place.symlink("source/a", "../elsewhere");
    place.remove("source/c/4");
    place.symlink("source/c/4", "../../elsewhere/1");
    place.remove("source/d/6");
    REQUIRE(::mkfifo(place.path("source/d/6").c_str(), 0644) == 0);
    store::TreeFiles files(root.get());
    std::map<std::string, std::string> read;
    for (const store::TreeEntry& entry : tree->entries) {
        if (entry.kind != store::TreeEntry::Kind::File) continue;
        const auto file = files.open(entry);
        std::array<char, 16> text{};
        if (file && ::read(file->get(), text.data(), text.size()) > 0) read[entry.path] = text.data();
    }
    CHECK(read == std::map<std::string, std::string>{{"top", "top"}, {"c/5", "c/5"}, {"d/7", "d/7"}});
}
