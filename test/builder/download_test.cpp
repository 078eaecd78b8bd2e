// Archives from a real web server over TLS: what it may do wrong, and what comes of it.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <optional>
#include <random>

#include "../adapters/store/place.hpp"
#include "adapters/network.hpp"
#include "adapters/store/build_files.hpp"
#include "builder/archive/download.hpp"
#include "hostile_archives.hpp"
#include "kill_build.hpp"
#include "other_host.hpp"
#include "reconciler/digest.hpp"
#include "site/https_server.hpp"

using namespace left4me;
using namespace left4me::builder;
using namespace std::chrono_literals;

namespace {

std::string sha256(const std::string& bytes) {
    std::string hex;
    for (const unsigned char byte : Digest().add(bytes).finish()) {
        constexpr std::string_view digits = "0123456789abcdef";
        hex += digits[byte >> 4U];
        hex += digits[byte & 0xfU];
    }
    return hex;
}

std::string random_bytes(std::size_t count) {
    std::mt19937_64 random(20261129);
    std::string bytes;
    while (bytes.size() < count) bytes += static_cast<char>(random() & 0xffU);
    return bytes;
}

bool says(const std::string& message, std::string_view text) {
    UNSCOPED_INFO(message);
    return message.contains(text);
}

/// Downloads into the directory `build`.
class Downloading {
  public:
    explicit Downloading(const std::string& content) {
        place.directory("build");
        directory_ = Fd(::open(place.path("build").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        source.sha256 = sha256(content);
        source.private_networks = {"127.0.0.0/8"};
        settings.wait = 5ms;
        settings.limits.stalled = 2s;
        settings.tries = 3;
    }

    void trust(const HttpsServer& server) {
        place.file("ca.pem", server.certificate());
        settings.ca_file = place.path("ca.pem");
    }

    /// Empty: it is there; else why not.
    std::string run() {
        Progress progress(directory_.get());
        const auto got = fetch_archive(source, directory_.get(), progress, settings);
        if (!got) return got.error().message;
        CHECK(sha256(place.read("build/download/data")) == source.sha256);
        return "";
    }
    std::string run(const HttpsServer& server, const std::string& path = "/file") {
        trust(server);
        source.locations = {{server.url(path), ""}};
        return run();
    }

    Place place;
    ArchiveSource source;
    DownloadSettings settings;

  private:
    Fd directory_;
};

}  // namespace

TEST_CASE("a file is downloaded, and is not fetched again when it is there", "[download]") {
    const std::string content = random_bytes(300'000);
    const HttpsServer server(
        [&](const HttpRequest& request, HttpAnswer& answer) { answer.file(request, content, "\"1\""); });
    Downloading downloading(content);
    CHECK(downloading.run(server) == "");
    CHECK(downloading.run(server) == "");
    CHECK(server.requests() == 1);
}

TEST_CASE("a download continues after a break, with what the server still has", "[download]") {
    const std::string content = random_bytes(600'000);
    std::atomic<unsigned> breaks = 3;
    std::atomic<std::size_t> sent = 0;
    std::string etag = "\"1\"";
    bool ranges = true;
    SECTION("the server knows ranges") {}
    SECTION("the server ignores ranges") { ranges = false; }
    SECTION("the file changes meanwhile") { etag = ""; }
    const HttpsServer server([&](const HttpRequest& request, HttpAnswer& answer) {
        const std::string tag = etag.empty() ? "\"" + std::to_string(breaks) + "\"" : etag;
        HttpRequest asked = request;
        if (!ranges) asked.headers.erase("range");
        if (breaks > 0) {
            --breaks;
            const bool part = asked.headers.contains("range") && asked.headers["if-range"] == tag;
            const std::size_t from = part ? std::stoull(asked.headers["range"].substr(6)) : 0;
            (void)answer.send("HTTP/1.1 " + std::string(part ? "206" : "200") + " OK\r\nETag: " + tag +
                              "\r\nContent-Length: " + std::to_string(content.size() - from) +
                              (part ? "\r\nContent-Range: bytes " + std::to_string(from) + "-" +
                                          std::to_string(content.size() - 1) + "/" +
                                          std::to_string(content.size())
                                    : "") +
                              "\r\n\r\n");
            sent += 150'000;
            (void)answer.send(std::string_view(content).substr(from, 150'000));
            return;
        }
        if (asked.headers.contains("range") && asked.headers["if-range"] == tag) {
            sent += content.size() - std::stoull(asked.headers["range"].substr(6));
        } else {
            sent += content.size();
        }
        answer.file(asked, content, tag);
    });
    Downloading downloading(content);
    downloading.settings.tries = 5;
    CHECK(downloading.run(server) == "");
    CHECK(server.requests() == 4);
    if (ranges && !etag.empty()) CHECK(sent == content.size());
}

TEST_CASE(
    "what is there already outlives a server that is away, and one that sends less than it was asked for",
    "[download]") {
    const std::string content = random_bytes(600'000);
    std::atomic<int> step = 0;
    std::atomic<std::size_t> sent = 0;
    const HttpsServer server([&](const HttpRequest& request, HttpAnswer& answer) {
        std::size_t from = 0;
        if (const auto range = request.headers.find("range"); range != request.headers.end())
            from = std::stoull(range->second.substr(6));
        const std::size_t count = std::min<std::size_t>(content.size() - from, 200'000);
        switch (step++) {
            case 0:  // breaks off
                sent += count;
                (void)answer.send("HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 600000\r\n\r\n");
                (void)answer.send(std::string_view(content).substr(0, count));
                return;
            case 1:
                return answer.reply(503, "later");
            default:
                sent += count;
                (void)answer.send("HTTP/1.1 206 OK\r\nETag: \"1\"\r\nContent-Length: " +
                                  std::to_string(count) + "\r\nContent-Range: bytes " + std::to_string(from) +
                                  "-" + std::to_string(from + count - 1) + "/600000\r\n\r\n");
                (void)answer.send(std::string_view(content).substr(from, count));
        }
    });
    Downloading downloading(content);
    CHECK(downloading.run(server) == "");
    CHECK(sent == content.size());
    CHECK(step == 4);
}

TEST_CASE("a mirror that has the file is used when others do not", "[download]") {
    const std::string content = random_bytes(1000);
    const HttpsServer server([&](const HttpRequest& request, HttpAnswer& answer) {
        if (request.path == "/good") return answer.file(request, content, "\"1\"");
        if (request.path == "/other") return answer.reply(200, "another file");
        answer.reply(404, "not found");
    });
    Downloading downloading(content);
    downloading.trust(server);
    downloading.source.locations = {
        {server.url("/missing"), ""}, {server.url("/other"), ""}, {server.url("/good"), ""}};
    CHECK(downloading.run() == "");
}

TEST_CASE("a file of this host is copied and checked", "[download]") {
    const std::string content = random_bytes(5000);
    Downloading downloading(content);
    downloading.place.file("root/d/pack.zip", content);
    downloading.source.locations = {
        {downloading.place.path("root/d/pack.zip"), downloading.place.path("root")}};
    SECTION("as it is") { CHECK(downloading.run() == ""); }
    SECTION("another one") {
        downloading.place.file("root/d/pack.zip", "another");
        CHECK(says(downloading.run(), "SHA-256"));
    }
    SECTION("a symlink") {
        downloading.place.file("secret", content);
        downloading.place.remove("root/d/pack.zip");
        downloading.place.symlink("root/d/pack.zip", "../../secret");
        CHECK(says(downloading.run(), "is a symlink"));
    }
    SECTION("a FIFO") {
        downloading.place.remove("root/d/pack.zip");
        REQUIRE(::mkfifo(downloading.place.path("root/d/pack.zip").c_str(), 0600) == 0);
        CHECK(says(downloading.run(), "is not a file"));
    }
}

TEST_CASE("wrong answers are refused, and named", "[download]") {
    const std::string content = random_bytes(50'000);
    std::atomic<unsigned> asked = 0;
    const HttpsServer server([&](const HttpRequest& request, HttpAnswer& answer) {
        ++asked;
        if (request.path == "/404") return answer.reply(404, "no");
        if (request.path == "/500") return answer.reply(500, "no");
        if (request.path == "/500-once")
            return asked == 1 ? answer.reply(500, "no") : answer.file(request, content, "\"1\"");
        if (request.path == "/429")
            return asked == 1 ? answer.reply(429, "no", "Retry-After: 1\r\n")
                              : answer.file(request, content, "\"1\"");
        if (request.path == "/429-long") return answer.reply(429, "no", "Retry-After: 7200\r\n");
        if (request.path == "/html")
            return answer.reply(200, "<html>log in</html>", "Content-Type: text/html\r\n");
        if (request.path == "/jpeg") return answer.reply(200, std::string(content.size(), '\xff'));
        if (request.path == "/short") {
            (void)answer.send("HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + content.substr(0, 100));
            return;
        }
        if (request.path == "/endless") {
            (void)answer.send("HTTP/1.1 200 OK\r\n\r\n");
            while (answer.send(content)) {
            }
            return;
        }
        if (request.path == "/huge") {
            (void)answer.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\nx");
            return;
        }
        if (request.path == "/trickle") {
            (void)answer.send("HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n");
            answer.slow_down(100ms);
            while (answer.send("x")) {
            }
            return;
        }
        if (request.path == "/loop") return answer.reply(302, "", "Location: /loop\r\n");
        if (request.path == "/http") return answer.reply(302, "", "Location: http://127.0.0.1/x\r\n");
        if (request.path == "/file-scheme") return answer.reply(302, "", "Location: file:///etc/passwd\r\n");
        if (request.path.starts_with("/to/"))
            return answer.reply(302, "", "Location: https://" + request.path.substr(4) + "/\r\n");
        answer.reply(400, "what?");
    });
    Downloading downloading(content);
    downloading.source.limits.bytes = 10U << 20U;
    const auto answer = [&](const std::string& path) { return downloading.run(server, path); };
    SECTION("status") {
        CHECK(says(answer("/404"), "status 404"));
        CHECK(asked == 1);
        CHECK(says(answer("/500"), "status 500"));
        CHECK(asked == 4);
    }
    SECTION("a server that is busy is asked again") {
        CHECK(answer("/500-once") == "");
        CHECK(asked == 2);
    }
    SECTION("a server says when to come back") {
        const auto begin = std::chrono::steady_clock::now();
        CHECK(answer("/429") == "");
        CHECK(std::chrono::steady_clock::now() - begin >= 1s);
    }
    SECTION("too late") { CHECK(says(answer("/429-long"), "asks to wait for 7200 s")); }
    SECTION("content") {
        CHECK(says(answer("/html"), "web page"));
        CHECK(says(answer("/jpeg"), "SHA-256"));
        CHECK(says(answer("/short"), "ended too early"));
        CHECK(says(answer("/endless"), "limits.overlayBytes"));
        CHECK(says(answer("/huge"), "limits.overlayBytes"));
    }
    SECTION("too slow") { CHECK(says(answer("/trickle"), "stalled")); }
    SECTION("redirects") {
        CHECK(says(answer("/loop"), "redirects"));
        CHECK(says(answer("/http"), "not https"));
        CHECK(says(answer("/file-scheme"), "not https"));
        for (const std::string host :
             {"10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "[::1]", "[fe80::1]",
              "[fd00::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "224.0.0.1"}) {
            INFO(host);
            CHECK(says(answer("/to/" + host), "is not a public address"));
        }
    }
}

TEST_CASE("a name that leads to this host is refused, unless its network is allowed", "[download]") {
    const std::string content = random_bytes(1000);
    const HttpsServer server(
        [&](const HttpRequest& request, HttpAnswer& answer) { answer.file(request, content, "\"1\""); });
    Downloading downloading(content);
    downloading.source.private_networks = {};
    CHECK(says(downloading.run(server), "127.0.0.1 is not a public address"));
    std::string url = server.url("/file");
    url.replace(url.find("127.0.0.1"), 9, "localhost");
    downloading.source.locations = {{url, ""}};
    CHECK(says(downloading.run(), "is not a public address"));
    CHECK(server.requests() == 0);
}

TEST_CASE("a certificate must be valid and trusted", "[download]") {
    const std::string content = random_bytes(1000);
    const auto handler = [&](const HttpRequest& request, HttpAnswer& answer) {
        answer.file(request, content, "\"1\"");
    };
    const HttpsServer expired(handler, HttpsServer::Certificate::Expired);
    const HttpsServer valid(handler);
    Downloading downloading(content);
    CHECK(says(downloading.run(expired), "certificate"));
    downloading.trust(expired);
    downloading.source.locations = {{valid.url("/file"), ""}};
    CHECK(says(downloading.run(), "certificate"));
    CHECK(expired.requests() + valid.requests() == 0);
}

TEST_CASE("addresses that are not public", "[download]") {
    const auto is = [](const std::string& text) {
        sockaddr_storage storage{};
        auto* const six = reinterpret_cast<sockaddr_in6*>(&storage);
        auto* const four = reinterpret_cast<sockaddr_in*>(&storage);
        if (::inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
            storage.ss_family = AF_INET;
        } else {
            REQUIRE(::inet_pton(AF_INET6, text.c_str(), &six->sin6_addr) == 1);
            storage.ss_family = AF_INET6;
        }
        return is_public(reinterpret_cast<const sockaddr&>(storage));
    };
    for (const char* address : {"0.0.0.0",
                                "0.1.2.3",
                                "10.255.255.255",
                                "100.64.0.1",
                                "100.127.255.255",
                                "127.0.0.1",
                                "127.255.255.255",
                                "169.254.169.254",
                                "172.16.0.1",
                                "172.31.255.255",
                                "192.0.0.8",
                                "192.0.2.1",
                                "192.168.0.1",
                                "198.18.0.1",
                                "198.51.100.1",
                                "203.0.113.1",
                                "224.0.0.1",
                                "239.255.255.255",
                                "240.0.0.1",
                                "255.255.255.255",
                                "::",
                                "::1",
                                "fe80::1",
                                "fec0::1",
                                "fc00::1",
                                "fd12::1",
                                "ff02::1",
                                "::ffff:127.0.0.1",
                                "::ffff:10.0.0.1",
                                "::127.0.0.1",
                                "64:ff9b::7f00:1",
                                "2002:7f00:1::",
                                "2001::1",
                                "2001:db8::1",
                                "100::1",
                                "3fff::1"}) {
        INFO(address);
        CHECK_FALSE(is(address));
    }
    for (const char* address :
         {"1.1.1.1", "9.255.255.255", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1",
          "192.169.0.1", "223.255.255.255", "::ffff:1.1.1.1", "2606:4700::1111", "2a01:4f8::1"}) {
        INFO(address);
        CHECK(is(address));
    }
    CHECK(Network::parse("10.0.0.0/8"));
    CHECK(Network::parse("fd00::/8"));
    CHECK(Network::parse("127.0.0.1"));
    for (const char* text :
         {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "fd00::/129", "example.org", "10.0.0"}) {
        INFO(text);
        CHECK_FALSE(Network::parse(text));
    }
}

/// Runs left4me-build for the overlay `o`.
struct Building {
    /// `size`: of a disk of its own; empty: none.
    Building(const HttpsServer& server, const std::string& archive, const std::string& size = {}) {
        place.directory("overlays/o");
        if (!size.empty()) disk.emplace(place, size);
        place.file("ca.pem", server.certificate());
        const Fd overlay(::open(place.path("overlays/o").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        auto made = store::make_build_directory(overlay.get());
        REQUIRE(made);
        directory = std::move(*made);
        source.locations = {{server.url("/pack"), ""}};
        source.into = "left4dead2";
        source.strip_components = 1;
        source.private_networks = {"127.0.0.0/8"};
        ask(archive);
    }

    void ask(const std::string& archive) {
        source.sha256 = sha256(archive);
        REQUIRE(store::write_request(directory.get(), source));
        REQUIRE(store::read_request(directory.get()) == OverlaySource(source));
    }

    pid_t start() const {
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

    /// Its exit code.
    int run() const {
        int status = 0;
        const pid_t pid = start();
        REQUIRE(::waitpid(pid, &status, 0) == pid);
        REQUIRE(WIFEXITED(status));
        return WEXITSTATUS(status);
    }

    BuildRecord record() const { return store::read_record(directory.get()); }

    Place place;
    std::optional<OwnDisk> disk;
    Fd directory;
    ArchiveSource source;
    bool elsewhere = false;  ///< on another host
};

TEST_CASE("an archive for which the disk has no room is refused with the numbers, and nothing is lost",
          "[download]") {
    // Half a megabyte becomes four.
    std::string letters = random_bytes(4'000'000);
    for (char& letter : letters) letter = static_cast<char>('a' + (letter & 1));
    const std::string small = archive_of(Format::TarGzip, {{"top/a.cfg", "a"}});
    const std::string large = archive_of(Format::TarGzip, {{"top/a.cfg", random_bytes(5'000'000)}});
    const std::string packed = archive_of(Format::TarGzip, {{"top/a.cfg", letters}});
    std::mutex mutex;
    std::string archive = small;
    std::atomic<bool> says_length = true;
    const HttpsServer server([&](const HttpRequest& request, HttpAnswer& answer) {
        std::unique_lock lock(mutex);
        const std::string content = archive;
        lock.unlock();
        if (says_length) return answer.file(request, content, "\"1\"");
        (void)answer.send("HTTP/1.1 200 OK\r\n\r\n" + content);
    });
    Building building(server, small, "3m");
    if (!building.disk->usable()) {
        WARN("only root can mount a small disk");
        return;
    }
    REQUIRE(building.run() == 0);
    const std::string artifact = building.record().artifact->digest;
    const auto ask = [&](const std::string& content) {
        const std::lock_guard lock(mutex);
        archive = content;
        building.ask(content);
    };
    std::string why;
    SECTION("it says how large it is") {
        ask(large);
        why = " more bytes to download do not fit on the disk, which has ";
    }
    SECTION("it does not") {
        says_length = false;
        ask(large);
        why = "the downloaded file: No space left on device";
    }
    SECTION("what is in it is larger") {
        ask(packed);
        why = "a.cfg': No space left on device";
    }
    CHECK(building.run() == 1);
    const BuildRecord record = building.record();
    REQUIRE(record.failure);
    CHECK(record.failure->kind == BuildFailureKind::NoSpace);
    CHECK(says(record.failure->message, why));
    CHECK(record.artifact->digest == artifact);
    CHECK(building.place.read("overlays/o/" + artifact + "/left4dead2/a.cfg") == "a");
    // Others need the space.
    CHECK_FALSE(building.place.exists("overlays/o/.build/tree"));
    building.disk->resize("30m");
    CHECK(building.run() == 0);
    CHECK(building.record().artifact->digest != artifact);
}

TEST_CASE("two hosts build equal artifacts of an archive, however they differ", "[download]") {
    const std::vector<TarEntry> entries{{"top/cfg/server.cfg", "sv_maxrate 1"},
                                        {"top/addons/größer 中.vpk", random_bytes(5000)},
                                        {"top/I.sh", "#!/bin/sh", '0', "", 0755},
                                        {"top/link", "", '2', "cfg/server.cfg"}};
    const Format format = GENERATE(Format::TarGzip, Format::Zip, Format::SevenZip);
    const std::string archive = archive_of(format, entries);
    const HttpsServer server(
        [&](const HttpRequest& request, HttpAnswer& answer) { answer.file(request, archive, "\"1\""); });
    const Building one(server, archive);
    Building other(server, archive, "30m");
    other.elsewhere = true;
    REQUIRE(one.run() == 0);
    REQUIRE(other.run() == 0);
    CHECK(one.record().artifact == other.record().artifact);
    const std::string place = "overlays/o/" + one.record().artifact->digest;
    CHECK(one.place.names(place) == other.place.names(place));
    for (const char* name : {"", "/left4dead2/cfg", "/left4dead2/cfg/server.cfg", "/left4dead2/I.sh"})
        CHECK(one.place.mode(place + name) == other.place.mode(place + name));
}

TEST_CASE("an archive that is refused is not downloaded again", "[download]") {
    const std::string archive = tar_of({{"top/pipe", "", '6', ""}});
    const HttpsServer server(
        [&](const HttpRequest& request, HttpAnswer& answer) { answer.file(request, archive, "\"1\""); });
    const Building building(server, archive);
    for (int round = 0; round < 2; ++round) {
        CHECK(building.run() != 0);
        CHECK(building.place.exists("overlays/o/.build/download/data"));
    }
    CHECK(server.requests() == 1);
}

TEST_CASE("a build of an archive that is killed at any moment gives the right artifact in the end",
          "[download]") {
    std::vector<TarEntry> entries;
    for (int i = 0; i < 200; ++i)
        entries.push_back({"top/addons/" + std::to_string(i), random_bytes(5000) + std::to_string(i)});
    const std::string archive = archive_of(Format::TarGzip, entries);
    const HttpsServer server([&](const HttpRequest& request, HttpAnswer& answer) {
        answer.slow_down(1ms);
        answer.file(request, archive, "\"1\"");
    });
    const Building building(server, archive);
    const Place& place = building.place;
    std::mt19937 random(20261129);
    std::string digest;
    for (int round = 0; round < 5; ++round) {
        kill_builds([&] { return building.start(); }, 10, 120ms, random);
        const int code = building.run();
        INFO(place.read("log"));
        REQUIRE(code == 0);
        const auto record = store::read_record(building.directory.get());
        REQUIRE(record.artifact);
        CHECK(record.artifact->input == fingerprint(building.source));
        if (digest.empty()) digest = record.artifact->digest;
        CHECK(record.artifact->digest == digest);
        CHECK(place.names("overlays/o/" + digest).size() == 202);
        CHECK_FALSE(place.exists("overlays/o/.build/download"));
        CHECK_FALSE(place.exists("overlays/o/.build/tree"));
        place.remove("overlays/o/" + digest);
    }
}
