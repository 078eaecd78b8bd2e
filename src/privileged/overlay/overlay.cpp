#include "privileged/overlay/overlay.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <thread>

#include "adapters/overlayfs/mounts.hpp"
#include "privileged/overlay/attaching.hpp"
#include "privileged/overlay/holders.hpp"
#include "privileged/overlay/kernel.hpp"
#include "privileged/overlay/pinned.hpp"
#include "specs/name.hpp"

namespace left4me::overlay {

namespace {

/// The state directory and its canonical name, as shown in mountinfo.
struct State {
    Fd directory;
    std::string name;

    std::string merged(const std::string& server) const {
        return fmt::format("{}/runtime/{}/merged", name, server);
    }
};

Result<State> open_state(const OverlaySettings& settings, const std::string& server) {
    if (auto checked = check_name(server); !checked) return std::unexpected(checked.error());
    State state;
    state.directory = Fd(::open(settings.state.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!state.directory) return system_failure(settings.state);
    std::array<char, PATH_MAX> name{};
    const std::string link = kernel::descriptor_path(state.directory.get());
    const ssize_t length = ::readlink(link.c_str(), name.data(), name.size());
    if (length <= 0) return system_failure(settings.state);
    state.name.assign(name.data(), static_cast<std::size_t>(length));
    return state;
}

Result<Mounted> inspect(const State& state, const std::string& server) {
    const auto text = read_mountinfo("/proc/self/mountinfo");
    if (!text) return fail(Failure::System, text.error());
    auto mounts = parse_mounted(*text, state.name);
    const auto found = mounts.find(server);
    return found == mounts.end() ? Mounted{} : std::move(found->second);
}

Result<> unmount_all(const State& state, const Runtime& runtime, std::chrono::milliseconds timeout) {
    // Uses a relative name from an open directory: umount2(2) takes no descriptor and, with UMOUNT_NOFOLLOW,
    // no link to one.
    const auto inside = WorkingDirectory::enter(runtime.directory.get());
    if (!inside) return std::unexpected(inside.error());
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    auto pause = std::chrono::milliseconds(2);
    while (runtime.is_mounted()) {
        if (::umount2("merged", UMOUNT_NOFOLLOW) == 0) continue;
        if (errno == EINVAL && !runtime.is_mounted()) return {};
        if (errno != EBUSY) return system_failure("unmounting " + state.merged(runtime.server));
        if (std::chrono::steady_clock::now() >= deadline) {
            const auto holders = find_holders(state.merged(runtime.server));
            return fail(Failure::Busy,
                        fmt::format("{} is in use by {}", state.merged(runtime.server),
                                    holders.empty() ? "the kernel (a mount or a swap file on it?)"
                                                    : fmt::format("{}", fmt::join(holders, ", "))));
        }
        // Usually temporary: a process that has just exited releases its files a moment later, and while
        // systemd sets up another unit's namespace it holds all mounts of the host. Nothing signals the end
        // of either.
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::milliseconds(20));
    }
    return {};
}

/// Compares the requested layers with the mounted ones: the kernel sometimes mounts fewer layers without an
/// error.
Result<> check_mounted(const State& state, const Stack& stack, const Runtime& runtime) {
    const auto mounted = inspect(state, runtime.server);
    if (!mounted) return std::unexpected(mounted.error());
    if (mounted->layers == stack.names() && mounted->upper == runtime.upper_name()) return {};
    return fail(Failure::System,
                fmt::format("the kernel mounted {} layers ({}) instead of the {} asked for",
                            mounted->layers.size(), fmt::join(mounted->layers, ":"), stack.layers.size()));
}

/// The game's mount must be the one that it was started with, or the host must not show it.
Result<> check_attached(const State& state, const Runtime& runtime) {
    const auto digest = linked_rendering(runtime.directory.get(), runtime.server);
    if (!digest) return std::unexpected(digest.error());
    const auto names = read_layer_names(state.directory.get(), runtime.server, *digest);
    if (!names) return std::unexpected(names.error());
    const auto mounted = inspect(state, runtime.server);
    if (!mounted) return std::unexpected(mounted.error());
    if (mounted->layers == *names && mounted->upper == runtime.upper_name()) return {};
    return fail(Failure::Refused,
                fmt::format("the game has another stack ({}) than the one that it was started with ({})",
                            fmt::join(mounted->layers, ":"), fmt::join(*names, ":")));
}

Result<> attach_to(const State& state, const OverlaySettings& settings, const Runtime& runtime,
                   const Game& game) {
    {
        // The sandbox shows the game its overlay under the compiled-in name, whatever links lead there on the
        // host.
        const auto clone = clone_overlay(game.mounts.get(),
                                         fmt::format("{}/runtime/{}/merged", settings.state, runtime.server));
        if (!clone) return std::unexpected(clone.error());
        const auto merged = kernel::open_beneath(runtime.directory.get(), "merged");
        if (!merged) return std::unexpected(merged.error());
        if (auto done = attach_overlay(clone->get(), merged->get()); !done) return done;
    }  // open descriptors would keep it busy
    auto checked = check_attached(state, runtime);
    if (checked) return checked;
    const auto undone = unmount_all(state, runtime, settings.timeout);
    if (!undone) checked.error().message += "; " + undone.error().message;
    return checked;
}

}  // namespace

Result<> check_name(const std::string& server) {
    if (!is_valid_name(server)) {
        return fail(Failure::Usage,
                    fmt::format("a server's name is 1 to {} of a-z, 0-9 and - inside", max_name_length));
    }
    return {};
}

Result<> mount_server(const OverlaySettings& settings, const std::string& server, MountApi api) {
    const auto state = open_state(settings, server);
    if (!state) return std::unexpected(state.error());
    auto runtime = make_runtime(state->directory.get(), server, settings.owner);
    if (!runtime) return std::unexpected(runtime.error());
    const auto stack = read_stack(state->directory.get(), server);
    if (!stack) return std::unexpected(stack.error());

    if (runtime->is_mounted()) {
        // Files beneath a live mount must not change.
        const auto clean = is_clean(*runtime, stack->writable, settings.owner);
        if (!clean) return std::unexpected(clean.error());
        if (*clean && check_mounted(*state, *stack, *runtime)) return runtime->link_rendering(stack->digest);
        if (auto done = unmount_all(*state, *runtime, settings.timeout); !done) return done;
        auto merged = kernel::open_beneath(runtime->directory.get(), "merged");
        if (!merged) return std::unexpected(merged.error());
        runtime->merged = std::move(*merged);
    }
    const auto aside = set_aside(*runtime, stack->writable, settings.owner);
    if (!aside) return std::unexpected(aside.error());
    if (aside->count > 0 && settings.tell) settings.tell(*aside);
    if (auto done = mount_stack(*stack, *runtime, api); !done) return done;
    runtime->merged.reset();
    if (auto checked = check_mounted(*state, *stack, *runtime); !checked) {
        auto undone = unmount_all(*state, *runtime, settings.timeout);
        if (!undone) checked.error().message += "; " + undone.error().message;
        return checked;
    }
    return runtime->link_rendering(stack->digest);
}

Result<Attached> attach_server(const OverlaySettings& settings, const std::string& server,
                               const FindGame& find) {
    const auto state = open_state(settings, server);
    if (!state) return std::unexpected(state.error());
    // Lock first: a unit that stops meanwhile waits for us with its umount, and one that has already
    // unmounted has no process left to be found.
    const auto runtime = open_runtime(state->directory.get(), server);
    if (!runtime && runtime.error().number == ENOENT) return Attached::NotRunning;
    if (!runtime) return std::unexpected(runtime.error());
    if (runtime->is_mounted()) return Attached::WasMounted;
    const auto game = find(server);
    if (!game) return std::unexpected(game.error());
    if (!*game) return Attached::NotRunning;
    const auto done = attach_to(*state, settings, *runtime, **game);
    if (done && (*game)->lives()) return Attached::Done;
    if ((*game)->lives()) return std::unexpected(done.error());
    // Its namespace lives as long as it is open here. If the game has exited, nobody will unmount what was
    // attached, and we cannot know whether the unit's own umount is still to come.
    if (auto undone = unmount_all(*state, *runtime, settings.timeout); !undone)
        return std::unexpected(undone.error());
    return Attached::NotRunning;
}

Result<> umount_server(const OverlaySettings& settings, const std::string& server) {
    const auto state = open_state(settings, server);
    if (!state) return std::unexpected(state.error());
    const auto runtime = open_runtime(state->directory.get(), server);
    if (!runtime && runtime.error().number == ENOENT) return {};
    if (!runtime) return std::unexpected(runtime.error());
    return unmount_all(*state, *runtime, settings.timeout);
}

}  // namespace left4me::overlay
