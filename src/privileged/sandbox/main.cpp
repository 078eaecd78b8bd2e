// left4me-sandbox NAME: what a server's unit runs. It begins as root with four capabilities, makes the
// sandbox that the game lives in, and ends as the launcher in it. No option of systemd does that: any of them
// that makes a mount namespace reads the host's whole mount table, and with N overlays on it N servers start
// in a time that grows with N squared.
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>

#include "privileged/overlay/overlay.hpp"
#include "privileged/sandbox/filter.hpp"
#include "privileged/sandbox/identity.hpp"
#include "privileged/sandbox/place.hpp"
#include "privileged/sandbox/root.hpp"

namespace {

using namespace left4me;
using overlay::Failure;
using overlay::Owner;
using overlay::Result;

constexpr const char* game_user = "left4me-server";
constexpr const char* state = "/var/lib/left4me";
constexpr const char* launcher = LEFT4ME_LIBEXEC "/left4me-launch";

Result<Owner> find_game() {
    errno = 0;
    const passwd* user = ::getpwnam(game_user);  // NOLINT(concurrency-mt-unsafe): there is one thread
    if (user == nullptr || user->pw_uid == 0) {
        return overlay::fail(Failure::System,
                             fmt::format("there is no user {}; sysusers.d makes it", game_user));
    }
    return Owner{user->pw_uid, user->pw_gid};
}

Result<> enter(const std::string& server) {
    if (auto checked = overlay::check_name(server); !checked) return checked;
    if (::geteuid() != 0) return overlay::fail(Failure::System, "only root can; the server's unit does it");
    const auto game = find_game();
    if (!game) return std::unexpected(game.error());
    ::umask(0);
    if (auto done = sandbox::take_groups(*game); !done) return done;
    if (auto done = sandbox::leave_the_hosts_mounts(); !done) return done;
    {
        const auto place = sandbox::open_place(state, server, *game);
        if (!place) return std::unexpected(place.error());
        if (auto done = sandbox::enter_root(state, *place); !done) return done;
    }
    if (auto done = sandbox::become(*game); !done) return done;
    sandbox::stay_among_own();
    ::umask(022);
    return sandbox::forbid_calls();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: left4me-sandbox NAME\n");
        return static_cast<int>(Failure::Usage);
    }
    if (const auto entered = enter(argv[1]); !entered) {
        fmt::print(stderr, "left4me-sandbox: {}\n", entered.error().message);
        return static_cast<int>(entered.error().failure);
    }
    ::execl("/bin/sh", "sh", launcher, argv[1], static_cast<char*>(nullptr));
    fmt::print(stderr, "left4me-sandbox: {}\n", overlay::system_failure(launcher).error().message);
    return static_cast<int>(Failure::System);
}
