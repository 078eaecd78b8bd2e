// https_file FILE PORT CERTIFICATE PAUSE: serves FILE under any path on 127.0.0.1, and writes the certificate
// to trust. PAUSE: milliseconds before every 16 KiB. For tests of downloads, until it is killed.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <span>
#include <sstream>
#include <string>

#include "support/https_server.hpp"

int main(int argc, char** argv) {
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    if (arguments.size() != 5) return 2;
    std::ifstream file(arguments[1], std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    const std::string content = bytes.str();
    const std::chrono::milliseconds pause(std::stoi(arguments[4]));
    const left4me::HttpsServer server(
        [&](const left4me::HttpRequest& request, left4me::HttpAnswer& answer) {
            answer.slow_down(pause);
            answer.file(request, content, "\"" + std::to_string(content.size()) + "\"");
        },
        left4me::HttpsServer::Certificate::Valid, static_cast<std::uint16_t>(std::stoi(arguments[2])));
    const std::string fresh = std::string(arguments[3]) + ".new";
    std::ofstream(fresh) << server.certificate();
    (void)std::rename(fresh.c_str(), arguments[3]);
    while (true) (void)::pause();
}
