#include "privileged/sandbox/server_dirs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

#include "privileged/overlay/runtime.hpp"

namespace left4me::sandbox {

using overlay::fail;
using overlay::Failure;
using overlay::system_failure;

namespace {

constexpr int just_there = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// Switches the effective user for its lifetime. Only the effective user, so that it can switch back.
class ActingAs {
  public:
    explicit ActingAs(uid_t user) : done_(::seteuid(user) == 0) {}
    ~ActingAs() {
        // If it cannot become root again, it must not continue as another user.
        if (done_ && ::seteuid(0) != 0) ::_exit(static_cast<int>(Failure::System));
    }
    ActingAs(const ActingAs&) = delete;
    ActingAs& operator=(const ActingAs&) = delete;
    explicit operator bool() const { return done_; }

  private:
    bool done_;
};

/// One component at a time, because openat2(2) is ENOSYS if the unit has RestrictSUIDSGID=.
Result<Fd> walk(int from, std::initializer_list<std::string> names) {
    Fd at;
    std::string gone;
    for (const std::string& name : names) {
        gone += "/" + name;
        Fd next(::openat(at ? at.get() : from, name.c_str(), just_there));
        if (!next) return system_failure(gone.substr(1));
        at = std::move(next);
    }
    return at;
}

}  // namespace

Result<ServerDirs> open_server_dirs(const std::string& state_directory, const std::string& server,
                                    Owner game) {
    const ActingAs acting(game.user);
    if (!acting) return system_failure("acting as the game's user");
    const Fd state(::open(state_directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!state) return system_failure(state_directory);
    const auto runtime = walk(state.get(), {"runtime", server});
    if (!runtime) return std::unexpected(runtime.error());
    const auto digest = overlay::linked_rendering(runtime->get(), server);
    if (!digest) return std::unexpected(digest.error());
    ServerDirs dirs;
    dirs.server = server;
    auto rendering = walk(state.get(), {"instances", server, *digest});
    if (!rendering) return std::unexpected(rendering.error());
    dirs.rendering = std::move(*rendering);
    auto merged = walk(runtime->get(), {"merged"});
    if (!merged) return std::unexpected(merged.error());
    dirs.merged = std::move(*merged);
    struct statx status{};
    if (::statx(dirs.merged.get(), "", AT_EMPTY_PATH, 0, &status) != 0) return system_failure("merged");
    if ((status.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0) {
        return fail(Failure::NotRendered, "its overlay is not mounted");
    }
    return dirs;
}

}  // namespace left4me::sandbox
