// Overlays from an index of maps, fetched by left4me-build from a real web server over TLS.
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>

#include "../adapters/store/place.hpp"
#include "adapters/store/build_files.hpp"
#include "adapters/store/tree.hpp"
#include "builder/map_index/md5.hpp"
#include "builder/map_index/parse_table.hpp"
#include "builder/map_index/read_index.hpp"
#include "check_run.hpp"
#include "hostile_archives.hpp"
#include "kill_build.hpp"
#include "other_host.hpp"
#include "reconciler/pinning.hpp"
#include "site/https_server.hpp"
#include "wrong_answers.hpp"

using namespace left4me;
using namespace left4me::builder;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

using Names = std::vector<std::string>;

std::string md5(const std::string& bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    // Also called in the threads of a server, where nothing may be required.
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr) != 1)
        throw std::runtime_error("MD5");
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        constexpr std::string_view digits = "0123456789abcdef";
        hex += digits[digest[i] >> 4U];
        hex += digits[digest[i] & 0xfU];
    }
    return hex;
}

std::string random_bytes(std::size_t count, unsigned seed) {
    std::mt19937_64 random(seed);
    std::string bytes;
    while (bytes.size() < count) bytes += static_cast<char>(random() & 0xffU);
    return bytes;
}

bool says(const std::string& message, std::string_view text) {
    UNSCOPED_INFO(message);
    return message.contains(text);
}

std::string packed(const std::string& name, const std::string& content) {
    return archive_of(Format::SevenZip, {{name, content}});
}

std::string line(const std::string& name, std::uint64_t size, const std::string& sum,
                 const std::string& url) {
    return name + ";" + std::to_string(size) + ";" + sum + ";" + url + "\n";
}

/// A server that publishes files, and remembers what it was asked for.
class Publisher {
  public:
    using Send = std::function<void(HttpAnswer& answer, const std::string& right)>;

    explicit Publisher(HttpsServer::Certificate certificate = HttpsServer::Certificate::Valid)
        : server([this](const HttpRequest& request, HttpAnswer& answer) { serve(request, answer); },
                 certificate) {}

    /// What is sent instead of the file of that path; nullptr: nothing else.
    void spoil(const std::string& path, Send send) {
        const std::lock_guard lock(mutex_);
        spoiled_[path] = std::move(send);
    }
    void put(const std::string& path, const std::string& content) {
        const std::lock_guard lock(mutex_);
        files_[path] = content;
    }
    void slow_down(std::chrono::milliseconds pause) {
        const std::lock_guard lock(mutex_);
        pause_ = pause;
    }
    /// Paths since the last call; "/a.7z 5-" if the client had 5 bytes already.
    Names asked() {
        const std::lock_guard lock(mutex_);
        return std::exchange(asked_, {});
    }

    /// Publishes `content` as the map NAME, packed; returns its line of the index.
    std::string map(const std::string& name, const std::string& content) {
        const std::string path = "/" + name.substr(0, name.rfind('.')) + ".7z";
        put(path, packed(name, content));
        return line(name, content.size(), md5(content), server.url(path));
    }
    void index(const std::string& lines) { put("/index.csv", "Name;Size;MD5;DownloadLink\n" + lines); }

  private:
    void serve(const HttpRequest& request, HttpAnswer& answer) {
        std::string content;
        Send spoiled;
        {
            const std::lock_guard lock(mutex_);
            std::string asked = request.path;
            if (const auto range = request.headers.find("range"); range != request.headers.end())
                asked += " " + range->second.substr(range->second.find('=') + 1);
            asked_.push_back(asked);
            std::string path = request.path;
            for (std::size_t at = 0; (at = path.find("%20")) != std::string::npos;) path.replace(at, 3, " ");
            const auto file = files_.find(path);
            if (file == files_.end())
                return answer.reply(404, "<html>not found</html>", "Content-Type: text/html\r\n");
            content = file->second;
            answer.slow_down(pause_);
            if (const auto found = spoiled_.find(path); found != spoiled_.end()) spoiled = found->second;
        }
        if (spoiled) return spoiled(answer, content);
        if (content.starts_with("<html>")) return answer.reply(200, content, "Content-Type: text/html\r\n");
        answer.file(request, content, "\"" + md5(content) + "\"");
    }

    std::mutex mutex_;
    std::map<std::string, std::string> files_;
    std::map<std::string, Send> spoiled_;
    Names asked_;
    std::chrono::milliseconds pause_{};

  public:
    // The last member: its threads use the others.
    HttpsServer server;
};

/// Runs left4me-build for the overlay `o`, whose index is that of the publisher.
class MapSite {
  public:
    /// `size`: of a disk of its own; empty: none.
    explicit MapSite(const std::string& size = {}) {
        place.directory("overlays/o");
        if (!size.empty()) disk.emplace(place, size);
        place.file("ca.pem", publisher.server.certificate());
        const Fd overlay(::open(place.path("overlays/o").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        auto made = store::make_build_directory(overlay.get());
        REQUIRE(made);
        directory_ = std::move(*made);
        source.url = publisher.server.url("/index.csv");
        source.private_networks = {"127.0.0.0/8"};
    }

    pid_t start() const {
        REQUIRE(store::write_request(directory_.get(), source));
        REQUIRE(store::read_request(directory_.get()) == OverlaySource(source));
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

    /// Empty: it has built an artifact; else why not.
    std::string run() const {
        int status = 0;
        const pid_t pid = start();
        REQUIRE(::waitpid(pid, &status, 0) == pid);
        REQUIRE(WIFEXITED(status));
        const BuildRecord after = record();
        CHECK((WEXITSTATUS(status) == 0) == !after.failure);
        return after.failure ? after.failure->message : "";
    }

    /// The same, with little patience.
    std::string run_in_haste() const {
        REQUIRE(store::write_request(directory_.get(), source));
        return build_in_haste(place, directory_.get());
    }

    store::Upstream check() const {
        return run_check(directory_.get(), source, [this] { return start(); });
    }
    MapIndexPin pin() const { return std::get<MapIndexPin>(store::read_built_pin(directory_.get()).value()); }

    BuildRecord record() const { return store::read_record(directory_.get()); }
    std::string artifact() const { return record().artifact.value_or(BuiltArtifact{"none", ""}).digest; }
    /// A path in the last artifact.
    std::string in_artifact(const std::string& name) const {
        return "overlays/o/" + artifact() + "/left4dead2/addons/" + name;
    }
    /// The names of all maps in it.
    Names maps() const { return place.names("overlays/o/" + artifact() + "/left4dead2/addons"); }

    Publisher publisher;
    Place place;
    std::optional<OwnDisk> disk;
    MapIndexSource source;
    bool elsewhere = false;  ///< on another host

  private:
    Fd directory_;
};

/// What is said about one index.
std::string answer_to(const std::string& index, const MapIndexSource& source = {}) {
    const Place place;
    place.file("index", index);
    const Fd file(::open(place.path("index").c_str(), O_RDONLY | O_CLOEXEC));
    const auto maps = read_index(file.get(), source);
    if (!maps) {
        CHECK(maps.error().kind == BuildFailureKind::SourceUnavailable);
        return maps.error().message;
    }
    std::string names;
    for (const Map& map : *maps)
        names +=
            map.name + " " + std::to_string(map.size) + " " + map.md5.substr(0, 4) + " " + map.url + "\n";
    return names;
}

const std::string sum(32, 'a');
const std::string address = "https://example.org/a.7z";

}  // namespace

TEST_CASE("an MD5 is what md5sum prints", "[map-index]") {
    const Place place;
    const auto of = [&](const std::string& text) {
        place.file("file", text);
        const Fd file(::open(place.path("file").c_str(), O_RDONLY | O_CLOEXEC));
        return md5_of(file.get(), "file").value();
    };
    CHECK(of("") == "d41d8cd98f00b204e9800998ecf8427e");
    CHECK(of("abc") == "900150983cd24fb0d6963f7d28e17f72");
    const std::string large = random_bytes(3'000'000, 1);
    CHECK(of(large) == md5(large));
}

TEST_CASE("an index is read as people write them", "[map-index]") {
    const std::string wanted = "a.vpk 1 aaaa " + address + "\nb c.vpk 22 aaaa " + address + "\n";
    const std::string a = "a.vpk;1;" + sum + ";" + address;
    const std::string b = "b c.vpk;22;" + sum + ";" + address;
    CHECK(answer_to(a + "\n" + b + "\n") == wanted);
    CHECK(answer_to(b + "\n" + a) == wanted);
    CHECK(answer_to("Name;Size;MD5;DownloadLink\n" + a + "\n" + b) == wanted);
    CHECK(answer_to("\xef\xbb\xbfname;size;md5;link\r\n\r\n" + a + "\r\n" + b + "\r\n\r\n") == wanted);
    CHECK(answer_to("\"a.vpk\"; \"1\" ;\"" + std::string(32, 'A') + "\";\"" + address + "\"\n" +
                    "\t b c.vpk ; 22 ; " + sum + " ;\t" + address + " \n") == wanted);
    CHECK(answer_to("\"a;\"\"b.vpk\";1;" + sum + ";" + address) == "a;\"b.vpk 1 aaaa " + address + "\n");
    CHECK(answer_to("größer 中.vpk;1;" + sum + ";https://example.org/a b.7z?x=1") ==
          "größer 中.vpk 1 aaaa https://example.org/a%20b.7z?x=1\n");
}

TEST_CASE("what is no index is refused, with the line and the remedy", "[map-index]") {
    const std::string good = "good.vpk;1;" + sum + ";" + address + "\n";
    const auto refused = [&](const std::string& bad, std::string_view why) {
        INFO(bad.substr(0, 100));
        const std::string answer = answer_to(good + bad);
        CHECK(says(answer, why));
        CHECK(says(answer, "line 2"));
    };
    const auto with_name = [&](const std::string& name) { return name + ";1;" + sum + ";" + address; };
    refused(with_name("../x.vpk"), "'../x.vpk' is a path");
    refused(with_name("/etc/x.vpk"), "is a path");
    refused(with_name("a\\x.vpk"), "is a path");
    refused(with_name("x.vpk/"), "is a path");
    refused(with_name("x.bsp"), "does not end in .vpk");
    refused(with_name("x.VPK"), "does not end in .vpk");
    refused(with_name(".vpk"), "begins with a dot");
    refused(with_name("..vpk"), "begins with a dot");
    refused(with_name(""), "names no map");
    refused(with_name("x\xff.vpk"), "is not UTF-8");
    refused(with_name("x\u0085.vpk"), "has a control character");
    refused(with_name("x\x1b[2J.vpk"), "has a control character");
    refused(with_name(std::string("x\0.vpk", 6)), "has a control character");
    refused(with_name(std::string(252, 'x') + ".vpk"), "longer than 255 bytes");
    refused(good, "'good.vpk' is there twice");
    for (const char* size : {"", "0", "-1", "+1", "1.5", "1e3", "0x10", "99999999999999999999", "1 2"}) {
        refused("x.vpk;" + std::string(size) + ";" + sum + ";" + address,
                "is not the size of a file in bytes");
    }
    for (const std::string& bad : {std::string(), sum + "a", sum.substr(1), "g" + sum.substr(1)})
        refused("x.vpk;1;" + bad + ";" + address, "is not an MD5");
    refused("x.vpk;1;" + sum + ";http://example.org/a.7z", "is not encrypted; write https://");
    refused("x.vpk;1;" + sum + ";ftp://example.org/a.7z", "is not an https:// address");
    refused("x.vpk;1;" + sum + ";/etc/passwd", "is not an https:// address");
    refused("x.vpk;1;" + sum + ";", "is not an https:// address");
    refused("x.vpk;1;" + sum + ";https://me:secret@h/a", "contains a user");
    refused("x.vpk;1;" + sum + ";https://h/" + std::string(2050, 'a'), "longer than 2048 bytes");
    refused("x.vpk;1;" + sum, "has 3 of the 4 fields");
    refused(with_name("x.vpk") + ";more", "has 5 of the 4 fields");
    refused("x.vpk,1," + sum + "," + address, "has 1 of the 4 fields");
    refused("\"x.vpk;1;" + sum + ";" + address, "a quote that is not closed");
    refused("\"x.vpk\"y;1;" + sum + ";" + address, "text behind a closing quote");
    refused(std::string(5000, 'x'), "has 5000 bytes; 4096 are allowed");
    refused("Name;Size;MD5;DownloadLink", "does not end in .vpk");
    CHECK(says(answer_to(""), "names no map"));
    CHECK(says(answer_to("Name;Size;MD5;DownloadLink\n"), "names no map"));
    CHECK(says(answer_to("<html><body>log in</body></html>"), "is the URL that of an index of maps?"));
    CHECK(says(answer_to("\xff\xd8\xff\xe0" + std::string(1000, '\0')),
               "is the URL that of an index of maps?"));
    CHECK(says(answer_to(std::string(max_table_bytes + 1, '\n')), "has more than 1048576 bytes"));
}

TEST_CASE("an index may have no more maps than the limits allow", "[map-index]") {
    MapIndexSource source;
    source.limits.bytes = 10;
    source.limits.entries = 2;
    const auto map = [](const std::string& name, unsigned size) {
        return name + ".vpk;" + std::to_string(size) + ";" + sum + ";" + address + "\n";
    };
    CHECK(says(answer_to(map("a", 5) + map("b", 5), source), "a.vpk 5"));
    CHECK(says(answer_to(map("a", 5) + map("b", 6), source), "limits.overlayBytes"));
    CHECK(says(answer_to(map("a", 1) + map("b", 1) + map("c", 1), source), "limits.overlayEntries"));
    source.exclude = {"c.*"};
    CHECK(says(answer_to(map("a", 1) + map("b", 1) + map("c", 1), source), "b.vpk 1"));
    source.limits = {};
    source.limits.bytes = UINT64_MAX;
    CHECK(says(answer_to("a.vpk;18446744073709551615;" + sum + ";" + address + "\n" + map("b", 1), source),
               "limits.overlayBytes"));
    std::string many;
    for (unsigned i = 0; i <= max_maps; ++i) many += map(std::to_string(i), 1);
    CHECK(says(answer_to(many), "more than 5000 maps"));
}

TEST_CASE("a map that is excluded need not even be valid", "[map-index]") {
    MapIndexSource source;
    source.exclude = {"bad*", "?.bsp"};
    const std::string good = "a.vpk;1;" + sum + ";" + address + "\n";
    CHECK(answer_to("bad.vpk;x;y;http://z\nbad\n" + good + "b.bsp;1\n", source) ==
          "a.vpk 1 aaaa " + address + "\n");
    source.exclude = {"*"};
    CHECK(says(answer_to(good, source), "names no map that is not excluded"));
}

TEST_CASE("an index with any bytes changed does no harm", "[map-index]") {
    const std::string index = "Name;Size;MD5;DownloadLink\r\n\"a.vpk\";1;" + sum + ";" + address +
                              "\r\nb.vpk;2;" + sum + ";" + address + "\r\n";
    std::mt19937 random(20261129);
    for (int round = 0; round < 300; ++round) {
        std::string changed = index;
        for (unsigned i = 0; i <= random() % 4; ++i) {
            constexpr std::string_view bytes = ";\"\n\r\0/.\x80 9aZ"sv;
            changed[random() % changed.size()] = bytes[random() % bytes.size()];
        }
        CHECK_FALSE(answer_to(changed).empty());
    }
}

TEST_CASE("maps of an index become an overlay, and only those that have changed are fetched again",
          "[map-index]") {
    MapSite site;
    Publisher& publisher = site.publisher;
    const std::string a = random_bytes(200'000, 1);
    const std::string b = random_bytes(3000, 2);
    const std::string c = std::string(2'000'000, '\0') + "c";
    const std::string line_a = publisher.map("a map.vpk", a);
    const std::string line_c = publisher.map("c.vpk", c);
    publisher.index(line_a + publisher.map("b.vpk", b) + line_c);
    REQUIRE(site.run() == "");
    CHECK(publisher.asked() == Names{"/index.csv", "/a%20map.7z", "/b.7z", "/c.7z"});
    CHECK(site.maps() == Names{"a map.vpk", "b.vpk", "c.vpk"});
    CHECK(site.place.read(site.in_artifact("a map.vpk")) == a);
    CHECK(site.place.read(site.in_artifact("c.vpk")) == c);
    CHECK(site.place.mode(site.in_artifact("c.vpk")) == 0664);
    CHECK(site.record().artifact->input == fingerprint(site.source));
    // The digest is that of the same files from elsewhere.
    const std::string first = site.artifact();
    const Fd tree(::open(site.place.path("overlays/o/" + first).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    CHECK(store::digest_tree(tree.get(), store::scan_tree(tree.get()).value()) == first);
    CHECK(site.place.names("overlays/o/.build") == Names{"pin", "record", "request"});

    // Nothing has changed.
    REQUIRE(site.run() == "");
    CHECK(publisher.asked() == Names{"/index.csv"});
    CHECK(site.artifact() == first);

    // b changes without changing its size, c goes, d comes.
    const std::string b2 = random_bytes(3000, 3);
    publisher.index(line_a + publisher.map("b.vpk", b2) + publisher.map("d.vpk", "d"));
    REQUIRE(site.run() == "");
    CHECK(publisher.asked() == Names{"/index.csv", "/b.7z", "/d.7z"});
    CHECK(site.maps() == Names{"a map.vpk", "b.vpk", "d.vpk"});
    CHECK(site.place.read(site.in_artifact("a map.vpk")) == a);
    CHECK(site.place.read(site.in_artifact("b.vpk")) == b2);
    CHECK(site.artifact() != first);
    // The earlier artifact is as it was.
    const std::string old = "overlays/o/" + first + "/left4dead2/addons/";
    CHECK(site.place.read(old + "b.vpk") == b);
    CHECK(site.place.read(old + "a map.vpk") == a);

    // A file of the last artifact that is no longer right is not used.
    site.place.file(site.in_artifact("d.vpk"), "x");
    REQUIRE(site.run() == "");
    CHECK(publisher.asked() == Names{"/index.csv", "/d.7z"});
    site.place.file(site.in_artifact("d.vpk"), "d");
    // Another exclude is another input, and needs nothing of the server but its index.
    site.source.exclude = {"b*"};
    REQUIRE(site.run() == "");
    CHECK(publisher.asked() == Names{"/index.csv"});
    CHECK(site.maps() == Names{"a map.vpk", "d.vpk"});
}

TEST_CASE("the archive of a map may have a directory and a description, and another format", "[map-index]") {
    MapSite site;
    const std::string map = random_bytes(5000, 1);
    const std::vector<TarEntry> entries{{"top/readme.txt", "read me"},
                                        {"top/maps/x.bsp", "not wanted"},
                                        {"top/a.vpk", map, '0', "", 0755},
                                        {"top/link", "", '2', "readme.txt"}};
    for (const Format format : {Format::SevenZip, Format::Zip, Format::TarXz}) {
        site.publisher.put("/a", archive_of(format, entries));
        site.publisher.index(line("a.vpk", map.size(), md5(map), site.publisher.server.url("/a")));
        REQUIRE(site.run() == "");
        CHECK(site.maps() == Names{"a.vpk"});
        CHECK(site.place.read(site.in_artifact("a.vpk")) == map);
        site.place.remove("overlays/o/" + site.artifact());
    }
}

TEST_CASE("one wrong map keeps the last artifact in use, and the error names it", "[map-index]") {
    MapSite site;
    Publisher& publisher = site.publisher;
    const std::string good = publisher.map("good.vpk", "good");
    publisher.index(good);
    REQUIRE(site.run() == "");
    const std::string artifact = site.artifact();
    const std::string map = random_bytes(50'000, 1);
    const auto url = [&](const std::string& path) { return publisher.server.url(path); };
    const auto refused = [&](const std::string& bad, std::string_view why) {
        publisher.index(good + bad);
        const std::string message = site.run();
        CHECK(says(message, why));
        CHECK(says(message, "map 'x.vpk'"));
        CHECK(says(message, "exclude it"));
        CHECK(site.artifact() == artifact);
        CHECK(site.place.read(site.in_artifact("good.vpk")) == "good");
        CHECK(site.record().failure->kind == BuildFailureKind::SourceUnavailable);
        CHECK_FALSE(site.place.exists("overlays/o/.build/tree/left4dead2/addons/x.vpk"));
        CHECK_FALSE(site.place.exists("overlays/o/.build/download/map.vpk"));
        CHECK_FALSE(site.place.exists("overlays/o/x.vpk"));
    };
    const auto entries = [&](const std::vector<TarEntry>& list, std::string_view why) {
        publisher.put("/x.7z", archive_of(Format::SevenZip, list));
        refused(line("x.vpk", map.size(), md5(map), url("/x.7z")), why);
    };
    SECTION("what the index says") {
        publisher.put("/x.7z", packed("x.vpk", map));
        refused(line("x.vpk", map.size(), sum, url("/x.7z")), "not " + sum + " as the index says");
        refused(line("x.vpk", map.size() - 1, md5(map), url("/x.7z")), "more than the 49999 bytes");
        refused(line("x.vpk", map.size() + 1, md5(map), url("/x.7z")), "has 50000 bytes, not the 50001");
    }
    SECTION("what the server sends") {
        publisher.put("/x.7z", "<html>log in</html>");
        refused(line("x.vpk", map.size(), md5(map), url("/x.7z")), "the server sent a web page");
        refused(line("x.vpk", map.size(), md5(map), url("/none.7z")), "status 404");
        const std::string whole = packed("x.vpk", map);
        publisher.put("/x.7z", whole.substr(0, whole.size() / 2));
        refused(line("x.vpk", map.size(), md5(map), url("/x.7z")), "https://127.0.0.1");
        std::string damaged = whole;
        damaged[damaged.size() / 2] = static_cast<char>(~damaged[damaged.size() / 2]);
        publisher.put("/x.7z", damaged);
        refused(line("x.vpk", map.size(), md5(map), url("/x.7z")), "https://127.0.0.1");
        publisher.put("/x.7z", std::string(3'000'000, 'x'));
        refused(line("x.vpk", map.size(), md5(map), url("/x.7z")), "the map in it has 50000");
    }
    SECTION("where it leads") {
        refused(line("x.vpk", 1, sum, "https://10.0.0.1/x.7z"), "10.0.0.1 is not a public address");
        refused(line("x.vpk", 1, sum, "https://[::1]/x.7z"), "::1 is not a public address");
    }
    SECTION("what is in the archive") {
        entries({{"x.vpk", map}, {"y.vpk", map}}, "'y.vpk', which is another VPK");
        entries({{"y.VPK", map}, {"x.vpk", map}}, "'y.VPK', which is another VPK");
        entries({{"x.vpk", map}, {"d/x.vpk", map}}, "'d/x.vpk', which is there twice");
        entries({{"readme.txt", map}}, "has no file 'x.vpk'");
        entries({{"../x.vpk", map}}, "leads out");
        entries({{"../../readme.txt", "x"}, {"x.vpk", map}}, "leads out");
        entries({{"/x.vpk", map}}, "absolute path");
        entries({{"x.vpk", "", '2', "/etc/passwd"}}, "is a symlink");
        entries({}, "has no file 'x.vpk'");
        publisher.put("/x.7z", tar_of({{"x.vpk", "", '3'}}));
        refused(line("x.vpk", map.size(), md5(map), url("/x.7z")), "is a device");
        publisher.put("/x.7z", tar_of({{"x.vpk", map, '0', "", 04755}}));
        refused(line("x.vpk", map.size(), md5(map), url("/x.7z")), "setuid");
        publisher.put("/x.7z", tar_of({{"a", map}, {"x.vpk", "", '1', "a"}}));
        refused(line("x.vpk", map.size(), md5(map), url("/x.7z")), "is a hard link");
    }
    // What was finished is kept, and the next build succeeds when the map is right.
    publisher.index(good + publisher.map("x.vpk", map));
    (void)publisher.asked();
    CHECK(site.run() == "");
    CHECK(site.place.read(site.in_artifact("x.vpk")) == map);
}

TEST_CASE("one wrong index keeps the last artifact in use", "[map-index]") {
    MapSite site;
    Publisher& publisher = site.publisher;
    publisher.index(publisher.map("good.vpk", "good"));
    REQUIRE(site.run() == "");
    const std::string artifact = site.artifact();
    const auto refused = [&](const std::string& index, std::string_view why) {
        publisher.put("/index.csv", index);
        CHECK(says(site.run(), why));
        CHECK(site.artifact() == artifact);
        CHECK(site.place.read(site.in_artifact("good.vpk")) == "good");
    };
    refused("<html>log in</html>", "the server sent a web page: line 1");
    refused("", "names no map");
    refused("Name;Size;MD5;DownloadLink\nx.vpk;1\n", "/index.csv: line 2 has 2 of the 4 fields");
    refused(std::string(max_table_bytes + 1, '\n'), "no index of maps has that many");
    site.source.url = publisher.server.url("/none");
    refused("", "status 404");
    site.source.url = "https://192.168.0.1/index.csv";
    refused("", "192.168.0.1 is not a public address");
    CHECK(site.record().failure->failures == 1);
    CHECK(site.record().failure->input == fingerprint(site.source));
}

TEST_CASE("whatever is sent instead of an index or a map, the error says so and the last artifact stays",
          "[map-index]") {
    MapSite site;
    Publisher& publisher = site.publisher;
    const std::string good = publisher.map("good.vpk", "good");
    publisher.index(good);
    REQUIRE(site.run() == "");
    const std::string artifact = site.artifact();
    const std::string map = random_bytes(50'000, 1);
    const std::string name(150, 'x');  // so that half of the index ends within it
    const std::string path = "/" + name + ".7z";
    publisher.index(good + publisher.map(name + ".vpk", map));
    const auto refused = [&](const std::string& of, const Said& said) {
        for (const WrongAnswer& wrong : wrong_answers(said)) {
            INFO(of.substr(0, 10) << ": " << wrong.name);
            publisher.spoil(of, wrong.send);
            const std::string message = site.run_in_haste();
            CHECK(says(message, wrong.said));
            CHECK(says(message, publisher.server.url(of)));
            CHECK(site.artifact() == artifact);
            CHECK(site.place.read(site.in_artifact("good.vpk")) == "good");
            CHECK(site.record().failure->kind == BuildFailureKind::SourceUnavailable);
        }
        publisher.spoil(of, nullptr);
    };
    SECTION("the index") {
        refused("/index.csv", {.half = "line 3 has 1 of the 4 fields",
                               .more = "line 4 has 1 of the 4 fields",
                               .page = "the server sent a web page",
                               .picture = "is the URL that of an index of maps?",
                               .endless = "no index of maps has that many"});
    }
    SECTION("a map") {
        refused(path, {.half = ".7z: ",  // in the words of libarchive
                       .more = "",
                       .page = "the server sent a web page",
                       .picture = "Unrecognized archive format",
                       .endless = "the index says that the map in it has 50000"});
    }
    REQUIRE(site.run_in_haste() == "");
    CHECK(site.place.read(site.in_artifact(name + ".vpk")) == map);
}

TEST_CASE("a server that asks for a moment is asked again, for an index as for a map", "[map-index]") {
    MapSite site;
    Publisher& publisher = site.publisher;
    publisher.index(publisher.map("x.vpk", "content"));
    const std::string path = GENERATE("/index.csv", "/x.7z");
    std::atomic<unsigned> asked = 0;
    publisher.spoil(path, asks_for_a_moment(asked));
    const auto begun = std::chrono::steady_clock::now();
    CHECK(site.run_in_haste() == "");
    CHECK(std::chrono::steady_clock::now() - begun >= 1s);
    CHECK(asked == 2);
}

TEST_CASE("the download of a map goes on although the server ignores what is there, or sends another part",
          "[map-index]") {
    MapSite site;
    Publisher& publisher = site.publisher;
    const std::string map = random_bytes(50'000, 1);
    publisher.index(publisher.map("x.vpk", map));
    const bool other = GENERATE(false, true);
    std::atomic<unsigned> asked = 0;
    publisher.spoil("/x.7z", breaks_off(asked, other));
    CHECK(site.run_in_haste() == "");
    CHECK(asked == (other ? 3 : 2));
    CHECK(publisher.asked().at(2).starts_with("/x.7z "));
    CHECK(site.place.read(site.in_artifact("x.vpk")) == map);
}

TEST_CASE("the server of an index or a map needs a certificate that is valid", "[map-index]") {
    MapSite site;
    Publisher& publisher = site.publisher;
    Publisher expired(HttpsServer::Certificate::Expired);
    site.place.file("ca.pem", publisher.server.certificate() + expired.server.certificate());
    const std::string good = publisher.map("good.vpk", "good");
    publisher.index(good);
    REQUIRE(site.run_in_haste() == "");
    const std::string artifact = site.artifact();
    SECTION("of the index") {
        expired.index(good);
        site.source.url = expired.server.url("/index.csv");
    }
    SECTION("of a map") { publisher.index(good + expired.map("x.vpk", "x")); }
    CHECK(says(site.run_in_haste(), "the server's certificate is not valid"));
    CHECK(expired.asked().empty());
    CHECK(site.artifact() == artifact);
}

TEST_CASE("a name that leads to a private address once the index is there is not followed", "[map-index]") {
    MapSite site;
    Publisher& publisher = site.publisher;
    const OwnNames names(site.place);
    if (!names.usable()) {
        WARN("only root can lead names elsewhere");
        return;
    }
    names.lead_to("127.0.0.1");
    site.source.url = by_name(site.source.url);
    const std::string good = publisher.map("good.vpk", "good");
    publisher.index(by_name(good));
    REQUIRE(site.run_in_haste() == "");
    const std::string artifact = site.artifact();
    publisher.index(by_name(good) + by_name(publisher.map("x.vpk", "x")));
    publisher.spoil("/index.csv", [&](HttpAnswer& answer, const std::string& right) {
        names.lead_to("10.0.0.1");
        answer.reply(200, right);
    });
    CHECK(says(site.run_in_haste(), "10.0.0.1 is not a public address"));
    CHECK(says(site.run_in_haste(), "10.0.0.1 is not a public address"));
    CHECK(site.artifact() == artifact);
    names.lead_to("127.0.0.1");
    publisher.spoil("/index.csv", nullptr);
    CHECK(site.run_in_haste() == "");
}

TEST_CASE("a wrong map is not downloaded again as long as the server has the same file", "[map-index]") {
    MapSite site;
    Publisher& publisher = site.publisher;
    const std::string map = random_bytes(50'000, 1);
    const std::string archive = packed("x.vpk", map);
    publisher.put("/x.7z", archive);
    publisher.index(line("x.vpk", map.size(), sum, publisher.server.url("/x.7z")));
    CHECK(says(site.run(), "MD5"));
    CHECK(publisher.asked() == Names{"/index.csv", "/x.7z"});
    CHECK(says(site.run(), "MD5"));
    CHECK(publisher.asked() == Names{"/index.csv", "/x.7z " + std::to_string(archive.size()) + "-"});
    const std::string other = random_bytes(50'000, 2);
    publisher.put("/x.7z", packed("x.vpk", other));
    publisher.index(line("x.vpk", other.size(), md5(other), publisher.server.url("/x.7z")));
    CHECK(site.run() == "");
}

TEST_CASE("maps for which the disk has no room are not fetched, and nothing is lost", "[map-index]") {
    MapSite site("3m");
    if (!site.disk->usable()) {
        WARN("only root can mount a small disk");
        return;
    }
    Publisher& publisher = site.publisher;
    const std::string good = publisher.map("good.vpk", "good");
    publisher.index(good);
    REQUIRE(site.run() == "");
    const std::string artifact = site.artifact();
    publisher.index(good + publisher.map("x.vpk", random_bytes(2'000'000, 1)) +
                    publisher.map("y.vpk", random_bytes(2'000'000, 2)));
    (void)publisher.asked();
    CHECK(says(site.run(), "the files that are to be fetched have 4000000 bytes, and the disk has "));
    CHECK(site.record().failure->kind == BuildFailureKind::NoSpace);
    CHECK(publisher.asked() == Names{"/index.csv"});
    CHECK(site.artifact() == artifact);
    CHECK(site.place.read(site.in_artifact("good.vpk")) == "good");
    site.disk->resize("30m");
    CHECK(site.run() == "");
    CHECK(site.maps() == Names{"good.vpk", "x.vpk", "y.vpk"});
}

TEST_CASE("with the same lock two hosts build equal artifacts of an index, however they differ",
          "[map-index]") {
    MapSite one;
    MapSite other("30m");
    other.elsewhere = true;
    const std::string a = random_bytes(50'000, 1);
    const std::string b = std::string(2'000'000, '\0') + "İıß";
    const auto line_b = [&](MapSite& site) {
        site.publisher.put("/b.7z", packed("größer İ.vpk", b));
        return line("größer İ.vpk", b.size(), md5(b), site.publisher.server.url("/b.7z"));
    };
    one.publisher.index(one.publisher.map("a.vpk", a) + line_b(one));
    REQUIRE(one.run() == "");
    other.source.pin = one.pin();
    // In another order, packed in another way, and with a map more.
    other.publisher.put("/a.zip", archive_of(Format::Zip, {{"a.vpk", a}, {"readme.txt", "read"}}));
    other.publisher.index(other.publisher.map("c.vpk", "c") + line_b(other) +
                          line("a.vpk", a.size(), md5(a), other.publisher.server.url("/a.zip")));
    REQUIRE(other.run() == "");
    CHECK(other.artifact() == one.artifact());
    for (const char* name : {"", "a.vpk", "größer İ.vpk"})
        CHECK(other.place.mode(other.in_artifact(name)) == one.place.mode(one.in_artifact(name)));
}

TEST_CASE("a build of maps that was killed keeps the maps that it has, and its partial download",
          "[map-index]") {
    MapSite site;
    Publisher& publisher = site.publisher;
    const std::string b = random_bytes(1'000'000, 2);
    publisher.index(publisher.map("a.vpk", random_bytes(100'000, 1)) + publisher.map("b.vpk", b) +
                    publisher.map("c.vpk", "c"));
    publisher.slow_down(100ms);
    const std::string data = site.place.path("overlays/o/.build/download/map");
    const auto partly = [&] {
        struct stat status{};
        // The partial download of the first map has 100 kB.
        const bool first = site.place.exists("overlays/o/.build/tree/left4dead2/addons/a.vpk");
        return first && ::stat(data.c_str(), &status) == 0 && status.st_size > 200'000;
    };
    kill_build_when([&] { return site.start(); }, partly);
    CHECK(publisher.asked() == Names{"/index.csv", "/a.7z", "/b.7z"});
    publisher.slow_down(0ms);
    REQUIRE(site.run() == "");
    const Names asked = publisher.asked();
    REQUIRE(asked.size() == 3);
    CHECK(asked[1].starts_with("/b.7z "));
    CHECK(asked[2] == "/c.7z");
    CHECK(site.place.read(site.in_artifact("b.vpk")) == b);
}

TEST_CASE("exactly the pinned maps are built, and an index without them is refused with the remedy",
          "[maps]") {
    MapSite site;
    const std::string one = site.publisher.map("one.vpk", "the first map");
    const std::string two = site.publisher.map("two.vpk", "the second map");
    site.publisher.index(one + two);
    REQUIRE(site.run() == "");
    const std::string artifact = site.artifact();
    const MapIndexPin pin{
        {{"one.vpk", {13, md5("the first map")}}, {"two.vpk", {14, md5("the second map")}}}};
    CHECK(site.pin() == pin);
    site.source.pin = pin;

    // A map more, and another order.
    const std::string three = site.publisher.map("three.vpk", "the third map");
    site.publisher.index(three + two + one);
    REQUIRE(site.run() == "");
    CHECK(site.artifact() == artifact);
    auto upstream = site.check();
    REQUIRE(upstream.pin);
    CHECK(changes(Pin(pin), *upstream.pin) ==
          std::vector<PinChange>{{"three.vpk", "", "13 bytes, md5 " + md5("the third map")}});

    const auto refused = [&](std::string_view why) {
        const std::string message = site.run();
        CHECK(says(message, why));
        CHECK(says(message, "left4me.lock pins"));
        CHECK(says(message, "sudo l4d2ctl lock"));
        CHECK(site.artifact() == artifact);
    };
    site.publisher.index(one + three);
    refused("1 of 2 maps are not what left4me.lock pins: 'two.vpk' is not in the index any more");
    site.publisher.index(one + site.publisher.map("two.vpk", "the SECOND map"));
    refused("'two.vpk' has 14 bytes and the MD5 " + md5("the SECOND map"));
    // Elsewhere, but the same.
    site.publisher.put("/moved.7z", packed("two.vpk", "the second map"));
    site.publisher.index(one +
                         line("two.vpk", 14, md5("the second map"), site.publisher.server.url("/moved.7z")));
    REQUIRE(site.run() == "");
    CHECK(site.artifact() == artifact);
    site.publisher.put("/index.csv", "<html>");
    upstream = site.check();
    REQUIRE_FALSE(upstream.pin);
    CHECK(says(upstream.pin.error(), "web page"));
}

TEST_CASE("a build of maps that is killed at any moment gives the right artifact in the end", "[map-index]") {
    MapSite site;
    Publisher& publisher = site.publisher;
    std::string lines;
    for (unsigned i = 0; i < 6; ++i)
        lines += publisher.map(std::to_string(i) + ".vpk", random_bytes(100'000 + i, i));
    publisher.index(lines);
    REQUIRE(site.run() == "");
    const std::string artifact = site.artifact();
    const Names names = site.place.names("overlays/o/" + artifact);
    publisher.slow_down(1ms);
    std::mt19937 random(20261129);
    for (int round = 0; round < 5; ++round) {
        site.place.remove("overlays/o/" + artifact);
        kill_builds([&] { return site.start(); }, 10, 60ms, random);
        REQUIRE(site.run() == "");
        CHECK(site.artifact() == artifact);
        CHECK(site.place.names("overlays/o/" + artifact) == names);
        CHECK(site.place.names("overlays/o/.build") == Names{"pin", "record", "request"});
    }
}
