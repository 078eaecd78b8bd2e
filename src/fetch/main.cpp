// left4me-fetch REPOSITORY BRANCH REMOTE KEY KNOWN_HOSTS: one fetch, in a separate process. A server's
// answers are parsed only here: a server that hangs, or crashes a library, ends this process and not the
// daemon.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <span>

#include "adapters/git/fetch.hpp"
#include "adapters/no_tracing.hpp"

namespace {

int fetch(std::span<char*> arguments) {
    if (arguments.size() != 6) {
        (void)std::fputs("usage: left4me-fetch REPOSITORY BRANCH REMOTE KEY KNOWN_HOSTS\n", stderr);
        return 2;
    }
    left4me::GitSettings settings;
    settings.repository = arguments[1];
    settings.branch = arguments[2];
    settings.remote = arguments[3];
    settings.key = arguments[4];
    settings.known_hosts = arguments[5];
    const auto fetched = left4me::git::fetch_remote(settings);
    if (!fetched) (void)std::fputs((fetched.error() + "\n").c_str(), stderr);
    return fetched ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    left4me::deny_tracing();
    try {
        return fetch(std::span(argv, static_cast<std::size_t>(argc)));
    } catch (const std::exception& exception) {
        (void)std::fprintf(stderr, "left4me-fetch: %s\n", exception.what());
        return 1;
    }
}
