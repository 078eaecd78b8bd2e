// left4me-probe: asks the games of this host how many players they have (A2S_INFO), and writes what they
// answer beneath /run/left4me/probe. It reads no manifest, holds no secret, and takes no argument. It finds
// the games by the user that owns their sockets. docs/decisions/0024-the-probe.md
#include <fmt/format.h>
#include <pwd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include "adapters/confinement/confinement.hpp"
#include "probe/probe.hpp"

namespace {

constexpr const char* game_user = "left4me-server";

int fail(const std::string& message) {
    fmt::print(stderr, "left4me-probe: {}\n", message);
    return 1;
}

}  // namespace

int main(int argc, char** /*argv*/) {
    using namespace left4me;
    if (argc != 1) return fail("it takes no arguments");
    const passwd* const user = ::getpwnam(game_user);  // NOLINT(concurrency-mt-unsafe): there is one thread
    if (user == nullptr) return fail(fmt::format("there is no user {}; sysusers.d makes it", game_user));
    const auto asking = probe::Probe::open({.paths = {}, .user = user->pw_uid});
    if (!asking) return fail(asking.error());
    // From here on it reads what games send.
    if (const auto confined = confine(Confinement::BoundSockets); !confined)
        return fail("seccomp: " + std::generic_category().message(confined.error()));
    for (;;) {
        if (const auto stepped = (*asking)->step(); !stepped) return fail(stepped.error());
    }
}
