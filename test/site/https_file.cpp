// https_file FILE PORT CERTIFICATE PAUSE: serves FILE under any path on 127.0.0.1, or what is in the
// directory FILE under its path, and writes the certificate to trust. PAUSE: milliseconds before every 16
// KiB. For tests of downloads, until it is killed.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <sstream>
#include <string>

#include "site/https_server.hpp"

namespace {

std::string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
}

}  // namespace

int main(int argc, char** argv) {
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    if (arguments.size() != 5) return 2;
    const std::filesystem::path served = arguments[1];
    const bool directory = std::filesystem::is_directory(served);
    const std::string whole = directory ? "" : read(served);
    const std::chrono::milliseconds pause(std::stoi(arguments[4]));
    const left4me::HttpsServer server(
        [&](const left4me::HttpRequest& request, left4me::HttpAnswer& answer) {
            std::string name = request.path.substr(1, request.path.find('?') - 1);
            if (name.ends_with('/')) name.pop_back();
            if (directory && !std::filesystem::is_regular_file(served / name))
                return answer.reply(404, "not found");
            const std::string content = directory ? read(served / name) : whole;
            answer.slow_down(pause);
            answer.file(request, content, "\"" + std::to_string(std::hash<std::string>()(content)) + "\"");
        },
        left4me::HttpsServer::Certificate::Valid, static_cast<std::uint16_t>(std::stoi(arguments[2])));
    const std::string fresh = std::string(arguments[3]) + ".new";
    std::ofstream(fresh) << server.certificate();
    (void)std::rename(fresh.c_str(), arguments[3]);
    while (true) (void)::pause();
}
