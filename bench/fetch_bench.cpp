// fetch_bench [ITEMS [MEGABYTES]]: left4me-build fetching items of the workshop over loopback, against
// `curl --parallel` fetching the same files from the same server to the same disk.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "adapters/store/build_files.hpp"
#include "site/https_server.hpp"

namespace {

namespace fs = std::filesystem;
using left4me::HttpAnswer;
using left4me::HttpRequest;

std::string little(std::uint64_t value, unsigned bytes) {
    std::string text;
    for (unsigned i = 0; i < bytes; ++i) text += static_cast<char>((value >> (8 * i)) & 0xffU);
    return text;
}

/// A VPK with one file of random bytes.
std::string make_vpk(std::size_t size) {
    std::mt19937_64 random(20261129);
    std::string data(size, '\0');
    for (char& byte : data) byte = static_cast<char>(random());
    const std::string nul(1, '\0');
    const std::string entry = little(0, 4) + little(0, 2) + little(0x7fff, 2) + little(0, 4) +
                              little(data.size(), 4) + little(0xffff, 2);
    const std::string tree = "txt" + nul + "scripts" + nul + "mission" + nul + entry + nul + nul + nul;
    return little(0x55aa1234, 4) + little(1, 4) + little(tree.size(), 4) + tree + data;
}

std::string details(unsigned items, std::size_t size, const std::string& url) {
    std::string list;
    for (unsigned i = 1; i <= items; ++i)
        list += fmt::format(R"({}{{"publishedfileid":"{}","result":1,"consumer_app_id":550,"file_size":"{}",)"
                            R"("file_url":"{}/{}","title":"Item {}","time_updated":1700000000,"banned":0}})",
                            i == 1 ? "" : ",", i, size, url, i, i);
    return R"({"response":{"publishedfiledetails":[)" + list + "]}}";
}

/// Seconds until the program has ended well.
double run(const std::vector<std::string>& words) {
    const auto begun = std::chrono::steady_clock::now();
    const pid_t pid = ::fork();
    if (pid == 0) {
        std::vector<char*> arguments;
        for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        ::execvp(arguments.front(), arguments.data());
        ::_exit(127);
    }
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid || status != 0) {
        fmt::print(stderr, "{} failed\n", words.front());
        std::exit(1);  // NOLINT(concurrency-mt-unsafe): the server's threads do not mind
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

double with_curl(const fs::path& place, const std::string& url, unsigned items, unsigned at_once) {
    const fs::path into = place / "curl";
    fs::remove_all(into);
    fs::create_directories(into);
    std::vector<std::string> words{"curl",     "--silent",       "--fail",         "--parallel",
                                   "--cacert", place / "ca.pem", "--parallel-max", std::to_string(at_once)};
    for (unsigned i = 1; i <= items; ++i) {
        words.insert(words.end(), {"-o", into / std::to_string(i), fmt::format("{}/{}", url, i)});
    }
    return run(words);
}

double with_left4me(const fs::path& place, const std::string& url, unsigned items) {
    fs::remove_all(place / "overlays");
    fs::create_directories(place / "overlays/o");
    const left4me::Fd overlay(::open((place / "overlays/o").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto build = left4me::store::make_build_directory(overlay.get());
    left4me::WorkshopSource source;
    for (unsigned i = 1; i <= items; ++i) source.items.push_back(std::to_string(i));
    source.private_networks = {"127.0.0.0/8"};
    if (!build || !left4me::store::write_request(build->get(), source)) std::exit(1);
    return run({"env", "LEFT4ME_BUILD_STATE=" + place.string(),
                "LEFT4ME_BUILD_CA=" + (place / "ca.pem").string(), "LEFT4ME_BUILD_STEAM_API=" + url,
                LEFT4ME_BUILD_PROGRAM, "o"});
}

}  // namespace

int main(int argc, char** argv) {
    const unsigned items = argc > 1 ? static_cast<unsigned>(std::stoul(argv[1])) : 50;
    const std::size_t megabytes = argc > 2 ? std::stoul(argv[2]) : 20;
    const std::string content = make_vpk(megabytes * 1'000'000);
    std::string url;
    left4me::HttpsServer server([&](const HttpRequest& request, HttpAnswer& answer) {
        if (request.path.starts_with("/ISteamRemoteStorage/"))
            return answer.reply(200, details(items, content.size(), url));
        answer.file(request, content, "\"1\"");
    });
    url = server.url("");
    const fs::path place = fs::temp_directory_path() / fmt::format("fetch_bench.{}", ::getpid());
    fs::create_directories(place);
    std::ofstream(place / "ca.pem") << server.certificate();
    fmt::print("{} items of {} MB\n", items, megabytes);
    constexpr int rounds = 3;
    for (int round = 0; round < rounds; ++round) {
        const double curl_4 = with_curl(place, url, items, 4);
        const double curl_50 = with_curl(place, url, items, 50);
        const double own = with_left4me(place, url, items);
        fmt::print(
            "curl --parallel-max 4: {:.2f} s; 50: {:.2f} s; left4me-build: {:.2f} s ({:.2f} of the "
            "faster one)\n",
            curl_4, curl_50, own, own / std::min(curl_4, curl_50));
        (void)std::fflush(stdout);
    }
    fs::remove_all(place);
    return 0;
}
