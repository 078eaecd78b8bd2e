// Archives as an overlay's source: what is unpacked, and what is refused. Each refusal names the entry.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstdint>
#include <random>

#include "../adapters/store/place.hpp"
#include "adapters/store/build_files.hpp"
#include "adapters/store/tree.hpp"
#include "builder/archive/unpack.hpp"
#include "builder/tree_writer.hpp"
#include "hostile_archives.hpp"

using namespace left4me;
using namespace left4me::builder;

namespace {

/// Unpacks into the directory `tree` of a place; beside it is nothing that may change.
class Unpacking {
  public:
    Unpacking() {
        place.directory("tree");
        place.file("outside/file", "untouched");
        tree_ = Fd(::open(place.path("tree").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }

    /// Empty: it is unpacked; else the refusal.
    std::string run(const std::string& archive) {
        place.file("archive", archive);
        const Fd file(::open(place.path("archive").c_str(), O_RDONLY | O_CLOEXEC));
        const store::ExactModes exact;
        Progress progress(tree_.get());
        progress.begin(BuildPhase::Unpacking, archive.size(), 0, "");
        TreeWriter writer(tree_.get(), mapping, limits);
        const auto unpacked = unpack(file.get(), archive.size(), writer, progress);
        store::remove_progress(tree_.get());
        bytes = writer.bytes();
        CHECK(place.read("outside/file") == "untouched");
        CHECK(place.names("outside").size() == 1);
        if (!unpacked) {
            CHECK(unpacked.error().kind == BuildFailureKind::SourceUnavailable);
            return unpacked.error().message;
        }
        const auto scanned = store::scan_tree(tree_.get(), limits);
        return scanned ? "" : scanned.error();
    }

    Place place;
    PathMapping mapping;
    SourceLimits limits;
    std::uint64_t bytes = 0;

  private:
    Fd tree_;
};

/// What is said about one archive that must be refused.
std::string refusal(const std::string& archive) {
    Unpacking unpacking;
    const std::string said = unpacking.run(archive);
    CHECK_FALSE(said.empty());
    return said;
}

bool says(const std::string& message, std::string_view text) {
    UNSCOPED_INFO(message);
    return message.contains(text);
}

}  // namespace

TEST_CASE("every format is unpacked alike", "[archive]") {
    const std::vector<TarEntry> entries{{"top/", "", '5', "", 0755},
                                        {"top/cfg/a.cfg", "sv_maxrate 1\n"},
                                        {"top/addons/plugin (1), größer & 中文`.smx", "plugin"},
                                        {"top/run.sh", "#!/bin/sh\n", '0', "", 0755},
                                        {"top/empty", ""},
                                        {"top/link.cfg", "", '2', "cfg/a.cfg"}};
    std::vector<std::pair<std::string, std::string>> archives{{"tar", tar_of(entries)}};
    archives.emplace_back("tar.gz", archive_of(Format::TarGzip, entries));
    archives.emplace_back("tar.xz", archive_of(Format::TarXz, entries));
    archives.emplace_back("tar.zst", archive_of(Format::TarZstd, entries));
    archives.emplace_back("tar.bz2", archive_of(Format::TarBzip2, entries));
    archives.emplace_back("zip", archive_of(Format::Zip, entries));
    archives.emplace_back("7z", archive_of(Format::SevenZip, entries));
    for (const auto& [name, archive] : archives) {
        INFO(name);
        Unpacking unpacking;
        CHECK(unpacking.run(archive) == "");
        CHECK(unpacking.place.read("tree/top/cfg/a.cfg") == "sv_maxrate 1\n");
        CHECK(unpacking.place.read("tree/top/addons/plugin (1), größer & 中文`.smx") == "plugin");
        CHECK(unpacking.place.mode("tree/top/run.sh") == 0775);
        CHECK(unpacking.place.mode("tree/top/cfg/a.cfg") == 0664);
        CHECK(unpacking.place.mode("tree/top/cfg") == 0775);
        CHECK(unpacking.place.exists("tree/top/empty"));
        CHECK(unpacking.place.read("tree/top/link.cfg") == "sv_maxrate 1\n");
    }
}

TEST_CASE("an archive goes where the manifest says, without what it leaves out", "[archive]") {
    Unpacking unpacking;
    unpacking.mapping = {"left4dead2", 1, {"*.md", ".github", "addons/*.dll"}};
    CHECK(unpacking.run(tar_of({{"rework-1.0/", "", '5'},
                                {"rework-1.0/README.md", "read"},
                                {"rework-1.0/docs/README.md", "read"},
                                {"rework-1.0/.github/workflows/ci.yml", "ci"},
                                {"rework-1.0/addons/a.dll", "windows"},
                                {"rework-1.0/addons/a.so", "linux"},
                                {"rework-1.0/addons/deep/b.dll", "kept"},
                                {"./rework-1.0/./cfg//x.cfg", "x"},
                                {"top.txt", "stripped whole"}})) == "");
    CHECK(unpacking.place.names("tree") ==
          std::vector<std::string>{"left4dead2", "left4dead2/addons", "left4dead2/addons/a.so",
                                   "left4dead2/addons/deep", "left4dead2/addons/deep/b.dll", "left4dead2/cfg",
                                   "left4dead2/cfg/x.cfg"});
}

TEST_CASE("what no overlay may contain can be left out", "[archive]") {
    Unpacking unpacking;
    unpacking.mapping.exclude = {"addonlist.txt", "dev", "su"};
    CHECK(unpacking.run(tar_of({{"a", "a"},
                                {"addonlist.txt", "", '2', "/home/steam/addonlist.txt"},
                                {"dev/null", "", '3'},
                                {"bin/su", "", '0', "", 04755}})) == "");
    CHECK(unpacking.place.names("tree") == std::vector<std::string>{"a"});
}

TEST_CASE("a hard link within the archive is the same file", "[archive]") {
    Unpacking unpacking;
    unpacking.mapping = {"left4dead2", 1, {}};
    CHECK(unpacking.run(tar_of({{"x/a", "text"}, {"x/d/b", "", '1', "x/a"}})) == "");
    CHECK(unpacking.place.read("tree/left4dead2/d/b") == "text");
}

TEST_CASE("names that differ in case are two files", "[archive]") {
    Unpacking unpacking;
    CHECK(unpacking.run(tar_of({{"PR3_Highway_F.cfg", "1"}, {"pr3_highway_f.cfg", "2"}})) == "");
    CHECK(unpacking.place.names("tree").size() == 2);
}

TEST_CASE("hostile names are refused", "[archive]") {
    const auto file = [](const std::string& path) { return refusal(tar_of({{path, "x"}})); };
    CHECK(says(file("/etc/cron.d/x"), "'/etc/cron.d/x' is an absolute path"));
    CHECK(says(file("../outside/file"), "leads out"));
    CHECK(says(file("a/../../outside/file"), "leads out"));
    CHECK(says(file("a/.."), "leads out"));
    CHECK(says(file("cfg/a\nb.cfg"), "control character"));
    CHECK(says(file("cfg/\x1b[2J.cfg"), "control character"));
    CHECK(says(file("cfg\\a.cfg"), "backslash"));
    CHECK(says(file("cfg/\xff\xfe.cfg"), "not UTF-8"));
    CHECK(says(file(std::string(256, 'n')), "too long"));
    CHECK(says(file("d/" + std::string(4096, 'n')), "too long"));
    std::string deep;
    for (int i = 0; i < 100; ++i) deep += "d/";
    CHECK(says(file(deep + "x"), "nested too deeply"));
    std::string long_path;
    for (int i = 0; i < 30; ++i) long_path += std::string(100, 'p') + "/";
    CHECK(says(file(long_path + "x"), "too long"));
    CHECK(says(refusal(archive_of(Format::Zip, {{"../outside/file", "x"}})), "leads out"));
    CHECK(says(refusal(archive_of(Format::SevenZip, {{"/outside/file", "x"}})), "absolute"));
}

TEST_CASE("names with a colon, a comma or a quote are names", "[archive]") {
    Unpacking unpacking;
    CHECK(unpacking.run(tar_of({{"a:b,c'd\"e;$(f).cfg", "x"}})) == "");
    CHECK(unpacking.place.read("tree/a:b,c'd\"e;$(f).cfg") == "x");
}

TEST_CASE("links cannot lead out, and nothing is written through them", "[archive]") {
    CHECK(says(refusal(tar_of({{"a", "", '2', "/etc"}})), "leads out"));
    CHECK(says(refusal(tar_of({{"a", "", '2', "../outside"}})), "leads out"));
    CHECK(says(refusal(tar_of({{"d/a", "", '2', "x/../../../outside"}})), "leads out"));
    CHECK(says(refusal(tar_of({{"a", "", '2', "../outside"}, {"a/file", "x"}})), "a file or a link"));
    CHECK(says(refusal(tar_of({{"d/", "", '5'}, {"a", "", '2', "d"}, {"a/file", "x"}})), "a file or a link"));
    CHECK(says(refusal(tar_of({{"a", "", '2', "../outside/file"}, {"a", "x"}})), "twice"));
    CHECK(says(refusal(tar_of({{"a", "", '2', ""}})), "cannot exist"));
    CHECK(says(refusal(tar_of({{"a", "", '1', "../outside/file"}})), "leads out"));
    CHECK(says(refusal(tar_of({{"a", "", '1', "/etc/passwd"}})), "absolute"));
    CHECK(says(refusal(tar_of({{"a", "", '1', "b"}, {"b", "x"}})), "hard link"));
    CHECK(says(refusal(tar_of({{"b", "", '2', "c"}, {"a", "", '1', "b"}})), "hard link"));
    CHECK(says(refusal(archive_of(Format::Zip, {{"a", "", '2', "../outside"}, {"a/file", "x"}})), "link"));
}

TEST_CASE("devices, FIFOs, setuid programs and files that are there twice are refused", "[archive]") {
    CHECK(says(refusal(tar_of({{"null", "", '3'}})), "'null' is a device"));
    CHECK(says(refusal(tar_of({{"sda", "", '4'}})), "a device"));
    CHECK(says(refusal(tar_of({{"pipe", "", '6'}})), "a FIFO"));
    CHECK(says(refusal(tar_of({{"su", "x", '0', "", 04755}})), "setuid"));
    CHECK(says(refusal(tar_of({{"sg", "x", '0', "", 02755}})), "setgid"));
    CHECK(says(refusal(tar_of({{"a", "1"}, {"./a", "2"}})), "twice"));
    CHECK(says(refusal(tar_of({{"a", "1"}, {"a/b", "2"}})), "a file or a link"));
    CHECK(says(refusal(tar_of({{"a/b", "1"}, {"a", "2"}})), "twice"));
}

TEST_CASE("bombs are refused before they fill the disk", "[archive]") {
    Unpacking unpacking;
    const std::string bomb = gzip_of(tar_of({{"zeros", std::string(200U << 20U, '\0')}}));
    CHECK(says(unpacking.run(bomb), "times its size"));
    CHECK(unpacking.bytes < 128U << 20U);
}

TEST_CASE("a file of holes that is too large is refused before it grows", "[archive]") {
    // As GNU tar --sparse --format=pax writes it: no data, of a tebibyte.
    const std::string headers =
        "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n24 GNU.sparse.name=hole\n37 "
        "GNU.sparse.realsize=1099511627776\n";
    Unpacking unpacking;
    const std::string map = "0\n" + std::string(510, '\0');
    CHECK(says(unpacking.run(tar_of({{"headers", headers, 'x'}, {"GNUSparseFile.0/hole", map}})),
               "'hole' has 1099511627776 bytes"));
    CHECK(std::filesystem::file_size(unpacking.place.path("tree/hole")) == 0);
}

TEST_CASE("entries of a ZIP that share their data are unpacked once", "[archive]") {
    // David Fifield's: one file of a mebibyte, which a thousand entries name.
    const std::string data(1U << 20U, 'x');
    const auto sum = ::crc32(0, reinterpret_cast<const unsigned char*>(data.data()), 1U << 20U);
    const auto number = [](std::uint64_t value, int bytes) {
        std::string text;
        for (int i = 0; i < bytes; ++i)
            text += static_cast<char>((value >> (8U * static_cast<unsigned>(i))) & 0xffU);
        return text;
    };
    const auto shared = [&](std::string_view name) {
        return number(20, 2) + std::string(8, '\0') + number(sum, 4) + number(data.size(), 4) +
               number(data.size(), 4) + number(name.size(), 2) + number(0, 2);
    };
    const std::string first = "PK\3\4" + shared("0000") + "0000" + data;
    std::string directory;
    for (int i = 0; i < 1000; ++i) {
        const std::string name = std::to_string(10'000 + i).substr(1);
        directory += "PK\1\2" + number(20, 2) + shared(name) + std::string(14, '\0') + name;
    }
    const std::string end = "PK\5\6" + std::string(4, '\0') + number(1000, 2) + number(1000, 2) +
                            number(directory.size(), 4) + number(first.size(), 4) + number(0, 2);
    Unpacking unpacking;
    (void)unpacking.run(first + directory + end);
    CHECK(unpacking.bytes <= data.size());
}

TEST_CASE("a 7z that asks for a dictionary of terabytes is refused", "[archive]") {
    // Made by libarchive, and one property of its coder changed.
    constexpr std::string_view digits =
        "377abcaf271c0003ff0a7433ff000000000000002200000000000002a4c388b900389d880263d1eeac618863194ec96c"
        "3c95dd22e011b1c80ca870ce9cdf79213de1b1da6e06ffffc19e00000000813307ae0fd0c44b3c9f3f474158d6fe026a"
        "25a8e880857ee07da7ecd78571f2f76640d587218a053d1ca3028c6a6626903b37bb90cb41ebea73b0cd8e09c0e1c989"
        "b323a56d22e44b9456f04ffe67f430ff1edde75adaa703f5e82d8af3be9da9cd702a8ba1064ac7a7cd83cb81b9526385"
        "011a2e83300e450849ade355824a23df7e1ee4e49a302af43a59a6b601181606201741241aff816924002c4647a92bfa"
        "89ed56f7ce88b6aa96cf0f9221621ed1995d650a31b4579a4c7c14530a8f16b33dd5c62a3288b2c2a4665ffe06750017"
        "062c010980d300070b01000123030101fba2ffff7ffff3746c0a01da81013e0000";
    std::string archive;
    for (std::size_t i = 0; i < digits.size(); i += 2)
        archive += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
    const std::string said = refusal(archive);
    INFO(said);
    // libarchive of Debian 12, and of Debian 13.
    CHECK((said.contains("memory") || said.contains("Malformed 7-Zip archive")));
}

TEST_CASE("a million empty files are refused before they are read", "[archive]") {
    std::vector<TarEntry> many;
    for (int i = 0; i < 10'000; ++i) many.push_back({std::to_string(i)});
    constexpr std::size_t header_bytes = 512;
    const std::string part = gzip_of(tar_of(many).substr(0, many.size() * header_bytes));
    std::string archive;
    for (int i = 0; i < 100; ++i) archive += part;
    Unpacking unpacking;
    unpacking.mapping.exclude = {"*"};
    CHECK(says(unpacking.run(archive), "limits.overlayEntries"));
}

TEST_CASE("limits of the host are kept", "[archive]") {
    Unpacking unpacking;
    SECTION("entries") {
        unpacking.limits.entries = 100;
        std::vector<TarEntry> many;
        for (int i = 0; i < 1000; ++i) many.push_back({std::to_string(i), ""});
        CHECK(says(unpacking.run(tar_of(many)), "limits.overlayEntries"));
    }
    SECTION("entries that are left out") {
        unpacking.limits.entries = 100;
        unpacking.mapping.exclude = {"*"};
        std::vector<TarEntry> many;
        for (int i = 0; i < 1000; ++i) many.push_back({std::to_string(i), ""});
        CHECK(says(unpacking.run(tar_of(many)), "limits.overlayEntries"));
    }
    SECTION("bytes") {
        unpacking.limits.bytes = 1000;
        CHECK(says(unpacking.run(tar_of({{"a", std::string(600, 'a')}, {"b", std::string(600, 'b')}})),
                   "limits.overlayBytes"));
    }
}

TEST_CASE("what is no archive, or a damaged one, is refused", "[archive]") {
    CHECK_FALSE(refusal("<!DOCTYPE html><html>not found</html>").empty());
    CHECK_FALSE(refusal(std::string(4096, '\xd8')).empty());
    const std::vector<TarEntry> entries{{"a", std::string(100'000, 'a') + "b"}, {"c", "d"}};
    for (const Format format :
         {Format::TarGzip, Format::TarXz, Format::TarZstd, Format::TarBzip2, Format::Zip, Format::SevenZip}) {
        const std::string whole = archive_of(format, entries);
        CHECK_FALSE(refusal(whole.substr(0, whole.size() / 2)).empty());
    }
    const std::string tar = tar_of(entries);
    CHECK_FALSE(refusal(tar.substr(0, 50'000)).empty());
}

TEST_CASE("an archive with any byte changed does no harm", "[archive]") {
    std::mt19937 random(20261129);
    const std::vector<TarEntry> entries{{"d/", "", '5'}, {"d/a", "text"}, {"l", "", '2', "d/a"}};
    std::vector<std::string> archives{tar_of(entries)};
    for (const Format format : {Format::TarGzip, Format::TarXz, Format::Zip, Format::SevenZip})
        archives.push_back(archive_of(format, entries));
    for (const std::string& archive : archives) {
        for (int i = 0; i < 40; ++i) {
            std::string changed = archive;
            for (int j = 0; j < 4; ++j)
                changed[random() % changed.size()] = static_cast<char>(random() & 0xffU);
            Unpacking unpacking;
            (void)unpacking.run(changed);  // checks that nothing outside has changed
        }
    }
}
