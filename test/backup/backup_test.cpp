// Backups: what comes back as it was, and which archives are refused before anything is in place.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <clocale>
#include <cstdlib>

#include "../builder/hostile_archives.hpp"
#include "adapters/fd.hpp"
#include "backup/entry.hpp"
#include "backup/pack.hpp"
#include "backup/unpack.hpp"
#include "reconciler/digest.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using namespace left4me::backup;

namespace {

constexpr const char* about = "format 1\n";

class Backups {
  public:
    Backups() {
        (void)std::setlocale(LC_CTYPE, "C.UTF-8");  // as left4me-backup does
        for (const char* room : {"about", "servers", "manifests"})
            std::filesystem::create_directories(scratch.path() / "rooms" / room);
    }

    std::filesystem::path path(const std::string& name) const { return scratch.path() / name; }
    int open(const std::string& name, int flags) const {
        return ::open(path(name).c_str(), flags | O_CLOEXEC, 0600);
    }

    void pack(std::vector<Root> roots) {
        Packing packing{.about = about, .roots = std::move(roots)};
        packing.left_out = [this](const std::string& what) { left_out.push_back(what); };
        const Fd out(open("backup", O_WRONLY | O_CREAT | O_TRUNC));
        const auto packed = backup::pack(packing, out.get());
        REQUIRE(packed.has_value());
    }

    /// Empty: it is verified and unpacked; else why not.
    std::string unpack() const {
        const Fd archive(open("backup", O_RDONLY));
        const auto unpacked = backup::unpack(archive.get(),
                                             {{"about", path("rooms/about")},
                                              {"servers", path("rooms/servers")},
                                              {"manifests", path("rooms/manifests")}},
                                             "root");
        return unpacked ? "" : unpacked.error();
    }

    std::string unpack(const std::vector<TarEntry>& entries) {
        scratch.write("backup", tar_of(entries));
        return unpack();
    }

    test::Scratch scratch;
    std::vector<std::string> left_out;
};

/// What is right but for what a test changes: with the sums of its entries, as tar_of() writes them.
std::vector<TarEntry> with_sums(std::vector<TarEntry> entries) {
    entries.insert(entries.begin(), TarEntry{.path = about_name, .content = about});
    Sums sums;
    for (const TarEntry& entry : entries) {
        const bool is_file = entry.type == '0';
        Entry added{.type = is_file             ? Type::File
                            : entry.type == '5' ? Type::Directory
                            : entry.type == '2' ? Type::Link
                                                : Type::Whiteout,
                    .path = entry.path,
                    .mode = entry.mode,
                    .user = {},
                    .group = {},
                    .target = entry.type == '2' ? entry.link : "",
                    .attributes = {}};
        sums.add(added, is_file ? Digest().add(entry.content).hex(Digest::all_digits) : "");
    }
    entries.push_back({.path = sums_name, .content = sums.text()});
    return entries;
}

}  // namespace

TEST_CASE("what a server wrote comes back with modes, whiteouts, links and attributes", "[backup]") {
    Backups backups;
    const auto upper = backups.path("upper");
    backups.scratch.write("upper/left4dead2/logs/a.log", std::string(400'000, 'x'));
    backups.scratch.write("upper/left4dead2/logs/\xe4\xb8\xad\\.log", "");
    std::filesystem::create_symlink("logs/a.log", upper / "left4dead2/latest");
    REQUIRE(::mknod((upper / "left4dead2/gone.cfg").c_str(), S_IFCHR, 0) == 0);
    REQUIRE(::chmod((upper / "left4dead2").c_str(), 02770) == 0);
    REQUIRE(::chmod((upper / "left4dead2/logs/a.log").c_str(), 0640) == 0);
    REQUIRE(::mkfifo((upper / "left4dead2/fifo").c_str(), 0600) == 0);
    const bool marked =
        ::setxattr((upper / "left4dead2/logs").c_str(), "trusted.overlay.opaque", "y", 1, 0) == 0;
    (void)::setxattr((upper / "left4dead2/logs").c_str(), "trusted.overlay.origin", "host", 4, 0);
    const std::array<timespec, 2> times{timespec{.tv_sec = 1000, .tv_nsec = 0},
                                        timespec{.tv_sec = 2000, .tv_nsec = 0}};
    REQUIRE(::utimensat(AT_FDCWD, (upper / "left4dead2/logs/a.log").c_str(), times.data(), 0) == 0);

    backups.pack({{"servers/comp1/upper", upper}, {"servers/comp1/removed", backups.path("not there")}});
    CHECK(backups.left_out ==
          std::vector<std::string>{"'servers/comp1/upper/left4dead2/fifo' is a FIFO, a socket or a device"});
    CHECK(backups.unpack() == "");

    const auto back = backups.path("rooms/servers/comp1/upper");
    CHECK(backups.scratch.read("rooms/servers/comp1/upper/left4dead2/logs/a.log") ==
          std::string(400'000, 'x'));
    CHECK(std::filesystem::exists(back / "left4dead2/logs/\xe4\xb8\xad\\.log"));
    CHECK(std::filesystem::read_symlink(back / "left4dead2/latest") == "logs/a.log");
    CHECK_FALSE(std::filesystem::exists(back / "left4dead2/fifo"));
    struct stat status{};
    REQUIRE(::lstat((back / "left4dead2/gone.cfg").c_str(), &status) == 0);
    CHECK(S_ISCHR(status.st_mode));
    CHECK(status.st_rdev == 0);
    REQUIRE(::stat((back / "left4dead2").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 02770);
    REQUIRE(::stat((back / "left4dead2/logs/a.log").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0640);
    CHECK(status.st_mtim.tv_sec == 2000);
    if (marked) {
        char value = 0;
        CHECK(::getxattr((back / "left4dead2/logs").c_str(), "trusted.overlay.opaque", &value, 1) == 1);
        CHECK(::getxattr((back / "left4dead2/logs").c_str(), "trusted.overlay.origin", &value, 1) == -1);
    }
}

TEST_CASE("sha256sum can check a backup that tar unpacked", "[backup]") {
    Backups backups;
    backups.scratch.write("upper/left4dead2/a.cfg", "a");
    backups.pack({{"servers/comp1/upper", backups.path("upper")}});
    const std::string where = backups.path("by-hand");
    CHECK(std::system(("mkdir " + where + " && cd " + where +
                       " && zstd -qdc ../backup 2>/dev/null | tar -x 2>/dev/null"
                       " && sha256sum --check --quiet SHA256SUMS || test ! -x /usr/bin/zstd")
                          .c_str()) == 0);
}

TEST_CASE("a backup that was cut, changed or is none is refused", "[backup]") {
    Backups backups;
    backups.scratch.write("upper/left4dead2/a.cfg", std::string(100'000, 'a') + "b");
    backups.pack({{"servers/comp1/upper", backups.path("upper")}});
    const std::string whole = backups.scratch.read("backup");
    CHECK(backups.unpack() == "");
    std::filesystem::remove_all(backups.path("rooms/servers/comp1"));
    std::filesystem::remove(backups.path("rooms/about/left4me-backup"));
    for (const std::size_t bytes : {whole.size() - 1, whole.size() / 2, std::size_t{20}, std::size_t{0}}) {
        CAPTURE(bytes);
        backups.scratch.write("backup", whole.substr(0, bytes));
        // The last bytes are zstd's, after all that is tar's.
        if (bytes != whole.size() - 1) CHECK(backups.unpack() != "");
        std::filesystem::remove_all(backups.path("rooms/servers/comp1"));
        std::filesystem::remove(backups.path("rooms/about/left4me-backup"));
    }
    CHECK(backups.unpack({{.path = "evil"}}) == "it is no backup of l4d2ctl");
    auto entries = with_sums({{.path = "servers/a", .content = "text"}});
    entries[1].content = "tent";
    CHECK(backups.unpack(entries).find("SHA-256") != std::string::npos);
    std::filesystem::remove(backups.path("rooms/servers/a"));
    std::filesystem::remove(backups.path("rooms/about/left4me-backup"));
    entries = with_sums({{.path = "servers/a"}});
    entries.pop_back();
    CHECK(backups.unpack(entries) == "it ends too early: it is not whole");
}

TEST_CASE("a backup as nobody makes one is refused, and nothing is written outside", "[backup]") {
    const std::vector<std::pair<std::vector<TarEntry>, std::string>> cases{
        {{{.path = "servers/../../evil"}}, "is no path within the backup"},
        {{{.path = "/servers/evil"}}, "is no path within the backup"},
        {{{.path = "servers//evil"}}, "is no path within the backup"},
        {{{.path = "servers/\x1b[2J"}}, "has a control character"},
        {{{.path = "servers/su", .mode = 04755}}, "has the setuid or setgid bit"},
        {{{.path = "servers/su", .mode = 02755}}, "has the setuid or setgid bit"},
        {{{.path = "servers/null", .type = '3'}}, "is neither a file, a directory, a symlink nor a whiteout"},
        {{{.path = "servers/disk", .type = '4'}}, "is neither a file, a directory, a symlink nor a whiteout"},
        {{{.path = "servers/fifo", .type = '6'}}, "is neither a file, a directory, a symlink nor a whiteout"},
        {{{.path = "servers/shadow", .type = '1', .link = "/etc/shadow"}}, "is neither a file"},
        {{{.path = "servers/a"}, {.path = "servers/a"}}, "is there twice"},
        {{{.path = "servers/out", .type = '2', .link = "../../outside"}, {.path = "servers/out/evil"}},
         "needs a directory where there is none"},
        {{{.path = "servers"}}, "is no path within the backup"},
    };
    for (const auto& [entries, why] : cases) {
        CAPTURE(entries.front().path);
        Backups backups;
        std::filesystem::create_directory(backups.path("outside"));
        CHECK(backups.unpack(with_sums(entries)).find(why) != std::string::npos);
        CHECK(std::filesystem::is_empty(backups.path("outside")));
    }
    Backups backups;
    auto entries = with_sums({{.path = "servers/a"}});
    entries.push_back({.path = "servers/b"});
    CHECK(backups.unpack(entries).find("comes after the sums") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(backups.path("rooms/servers/b")));
}

TEST_CASE("sections that nobody asked for are verified and not written", "[backup]") {
    Backups backups;
    CHECK(backups.unpack(with_sums({{.path = "secrets/rcon", .content = "secret"}, {.path = "servers/a"}})) ==
          "");
    CHECK(std::filesystem::exists(backups.path("rooms/servers/a")));
    CHECK_FALSE(std::filesystem::exists(backups.path("rooms/secrets")));
}
