// left4me-overlay mount|umount|attach NAME: runs as root, mount and umount from the server's unit, attach
// from left4me-attach@. Exit codes: failure.hpp.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>

#include "privileged/overlay/overlay.hpp"
#include "specs/name.hpp"

namespace {

using left4me::overlay::Failure;

constexpr const char* game_user = "left4me-server";

int failed(std::string_view what, const left4me::overlay::Error& error) {
    std::string line = fmt::format("left4me-overlay: {}: {}", what, error.message);
    for (char& c : line) {
        if (c == '\n') c = ' ';
    }
    fmt::print(stderr, "{}\n", line);
    return static_cast<int>(error.failure);
}

const char* in_words(left4me::overlay::Attached attached) {
    switch (attached) {
        case left4me::overlay::Attached::Done:
            return "the overlay that the game still had is mounted again";
        case left4me::overlay::Attached::WasMounted:
            return "its overlay is mounted: nothing to attach";
        case left4me::overlay::Attached::NotRunning:
            break;
    }
    return "the server does not run: nothing to attach";
}

std::string in_words(const left4me::overlay::SetAside& aside) {
    const std::size_t more = aside.count - aside.names.size();
    return fmt::format("{} that the game wrote and may not keep {} in removed/{}: {}{}",
                       aside.count == 1 ? "1 entry" : fmt::format("{} entries", aside.count),
                       aside.count == 1 ? "is now" : "are now", aside.set, fmt::join(aside.names, ", "),
                       more > 0 ? fmt::format(" and {} more", more) : "");
}

left4me::overlay::Result<left4me::overlay::Owner> find_owner() {
    errno = 0;
    const passwd* user = ::getpwnam(game_user);  // NOLINT(concurrency-mt-unsafe): there is one thread
    if (user == nullptr) {
        return left4me::overlay::fail(Failure::System,
                                      fmt::format("there is no user {}; sysusers.d makes it", game_user));
    }
    return left4me::overlay::Owner{user->pw_uid, user->pw_gid};
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view verb = argc > 1 ? argv[1] : "";
    if (argc != 3 || (verb != "mount" && verb != "umount" && verb != "attach")) {
        fmt::print(stderr, "usage: left4me-overlay mount|umount|attach NAME\n");
        return static_cast<int>(Failure::Usage);
    }
    const std::string server = argv[2];
    const std::string what =
        left4me::is_valid_name(server) ? fmt::format("{} {}", verb, server) : std::string(verb);
    if (const auto checked = left4me::overlay::check_name(server); !checked) {
        return failed(what, checked.error());
    }
    if (::geteuid() != 0) {
        return failed(what, {Failure::System, "only root can mount; the server's unit does it", 0});
    }
    ::umask(0);
    left4me::overlay::OverlaySettings settings;
    if (verb == "umount") {
        const auto done = left4me::overlay::umount_server(settings, server);
        return done ? 0 : failed(what, done.error());
    }
    if (verb == "attach") {
        const auto done = left4me::overlay::attach_server(settings, server, left4me::overlay::find_game);
        if (!done) return failed(what, done.error());
        fmt::print("{}\n", in_words(*done));
        return 0;
    }
    const auto owner = find_owner();
    if (!owner) return failed(what, owner.error());
    settings.owner = *owner;
    settings.tell = [&what](const left4me::overlay::SetAside& aside) {
        fmt::print(stderr, "left4me-overlay: {}: {}\n", what, in_words(aside));
    };
    const auto done = left4me::overlay::mount_server(settings, server, left4me::overlay::best_mount_api());
    return done ? 0 : failed(what, done.error());
}
