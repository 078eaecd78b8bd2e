// left4me-build NAME [unrecorded|ended]: one build of an overlay, in left4me-build@NAME.service. A file
// written by left4me says what to build; see adapters/store/build_files.hpp. `ended` is for ExecStopPost=,
// and records what came of an `unrecorded` one.
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "adapters/no_tracing.hpp"
#include "adapters/paths.hpp"
#include "builder/build.hpp"
#include "specs/name.hpp"

namespace {

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

int run(std::span<char*> arguments) {
    const std::string_view word = arguments.size() == 3 ? arguments[2] : "";
    const bool ended = word == "ended";
    const bool unrecorded = word == "unrecorded";
    if ((arguments.size() != 2 && !ended && !unrecorded) || !left4me::is_valid_name(arguments[1])) {
        (void)std::fputs("usage: left4me-build NAME [unrecorded|ended]\n", stderr);
        return 2;
    }
    const std::string state = variable("LEFT4ME_BUILD_STATE");  // for tests
    const auto overlays =
        (state.empty() ? left4me::Paths{}.state : std::filesystem::path(state)) / "overlays";
    if (ended) {
        return left4me::builder::record_end(
            overlays, arguments[1],
            {variable("INVOCATION_ID"), variable("SERVICE_RESULT"), variable("EXIT_STATUS")});
    }
    left4me::builder::DownloadSettings downloads;
    downloads.ca_file = variable("LEFT4ME_BUILD_CA");                         // for tests
    if (std::string api = variable("LEFT4ME_BUILD_STEAM_API"); !api.empty())  // for tests
        downloads.steam_api = std::move(api);
    if (!variable("LEFT4ME_BUILD_HASTE").empty()) {  // for tests
        downloads.wait = std::chrono::milliseconds(5);
        downloads.limits.stalled = std::chrono::seconds(1);
        downloads.tries = 3;
    }
    if (const std::string credentials = variable("CREDENTIALS_DIRECTORY"); !credentials.empty())
        downloads.deploy_key.file = credentials + "/deploy-key";
    downloads.deploy_key.place = std::string("/etc/left4me/deploy-keys/") + arguments[1];
    using left4me::builder::Recording;
    return left4me::builder::build(overlays, arguments[1], variable("INVOCATION_ID"),
                                   unrecorded ? Recording::AtEnd : Recording::Now, downloads);
}

}  // namespace

int main(int argc, char** argv) {
    left4me::deny_tracing();
    // The address space is limited (LimitAS=), and glibc would reserve 64 MiB of it for each thread.
    (void)::mallopt(M_ARENA_MAX, 1);
    try {
        return run(std::span(argv, static_cast<std::size_t>(argc)));
    } catch (const std::exception& exception) {
        (void)std::fprintf(stderr, "left4me-build: %s\n", exception.what());
        return 1;
    }
}
