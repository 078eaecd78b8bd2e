// https_git DIRECTORY PORT CERTIFICATE: serves the git repositories of DIRECTORY on 127.0.0.1 with git's own
// server, and writes the certificate to trust. For tests of overlays from git, until it is killed.
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <span>
#include <string>

#include "site/git_backend.hpp"
#include "site/https_server.hpp"

int main(int argc, char** argv) {
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    if (arguments.size() != 4) return 2;
    const std::string root = arguments[1];
    const left4me::HttpsServer server(
        [&](const left4me::HttpRequest& request, left4me::HttpAnswer& answer) {
            (void)answer.send(left4me::git_answer(request, root));
        },
        left4me::HttpsServer::Certificate::Valid, static_cast<std::uint16_t>(std::stoi(arguments[2])));
    const std::string fresh = std::string(arguments[3]) + ".new";
    std::ofstream(fresh) << server.certificate();
    (void)std::rename(fresh.c_str(), arguments[3]);
    while (true) (void)::pause();
}
