#include "adapters/store/observe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "adapters/digest.hpp"
#include "adapters/store/artifact_info.hpp"
#include "adapters/store/build_files.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/metadata.hpp"
#include "adapters/store/rendering.hpp"
#include "reconciler/console.hpp"
#include "specs/name.hpp"
#include "specs/writable.hpp"

namespace left4me::store {

namespace {

constexpr std::size_t max_environment_bytes = 1U << 20U;

std::optional<std::string> read_current(int instance) {
    std::array<char, digest_length + 1> target{};
    const ssize_t length = ::readlinkat(instance, "current", target.data(), target.size());
    if (length < 0) return std::nullopt;
    std::string digest(target.data(), static_cast<std::size_t>(length));
    if (!is_digest(digest)) return std::nullopt;
    return digest;
}

/// The rendering that a mounted stack was made from: `instances/NAME/DIGEST/layer` is its first layer.
std::string mounted_rendering(const std::string& name, const std::vector<std::string>& layers) {
    if (layers.empty()) return {};
    const std::string prefix = fmt::format("instances/{}/", name);
    std::string_view layer = layers.front();
    if (!layer.starts_with(prefix) || !layer.ends_with("/layer")) return {};
    layer.remove_prefix(prefix.size());
    const std::string_view digest = layer.substr(0, digest_length);
    return is_digest(digest) ? std::string(digest) : std::string();
}

}  // namespace

Observer::Observer(const Paths& paths, DigestCache& digests, const Target& target, Observed& observed)
    : digests_(digests), target_(target), observed_(observed) {
    state_ = Fd(::open(paths.state.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

void Observer::run() {
    observed_.installation = ::faccessat(state_.get(), "installation/srcds_run", F_OK, 0) == 0;
    read_artifacts();
    runtimes();
    instances();
    digests_.save();
}

void Observer::read_artifacts() {
    const Fd place = open_directory(state_.get(), "overlays");
    for (const std::string& name : list(place.get())) {
        if (!is_valid_name(name)) continue;
        const Fd overlay = open_directory(place.get(), name);
        for (const std::string& digest : list(overlay.get())) {
            const bool artifact = is_digest(digest);
            if (!artifact && digest != build_directory) continue;
            const std::string path = fmt::format("overlays/{}/{}", name, digest);
            observed_.artifacts.insert(path);
            if (artifact) observed_.built.emplace(path, time_built(overlay.get(), digest));
        }
    }
}

void Observer::runtimes() {
    const Fd place = open_directory(state_.get(), "runtime");
    for (const std::string& name : list(place.get())) {
        struct statx status{};
        const bool directory = is_valid_name(name) &&
                               ::statx(place.get(), name.c_str(), AT_SYMLINK_NOFOLLOW,
                                       STATX_TYPE | STATX_INO | STATX_BTIME, &status) == 0 &&
                               S_ISDIR(status.stx_mode);
        // File systems use an inode number again; with the time of birth, which no system call sets, it is
        // unique.
        if (directory)
            observed_.servers[name].runtime =
                fmt::format("{}-{}.{:09}", status.stx_ino, status.stx_btime.tv_sec, status.stx_btime.tv_nsec);
    }
}

void Observer::instances() {
    const Fd place = open_directory(state_.get(), "instances");
    for (const std::string& name : list(place.get())) {
        if (is_valid_name(name)) instance(place.get(), name);
    }
    for (const auto& [name, target] : target_.servers) {
        ObservedServer& server = observed_.servers[name];
        if (!server.managed) compare(place.get(), target, server);
    }
}

bool Observer::renderings(int place, const std::string& name, std::optional<std::string>& current) {
    struct stat status{};
    if (::fstatat(place, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(status.st_mode))
        return false;
    Metadata metadata;
    metadata.note({}, status);
    const StatFingerprint stats =
        metadata.finish();  // before the names: a change in between is noticed by the next observation
    const std::string key = "instances/" + name;
    if (auto only = digests_.find(key, stats)) {
        observed_.artifacts.insert(fmt::format("{}/{}", key, *only));
        current = std::move(only);
        return true;
    }
    const Fd directory(::openat(place, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) return false;
    current = read_current(directory.get());
    const std::vector<std::string> names = list(directory.get());
    for (const std::string& digest : names) {
        if (is_digest(digest)) observed_.artifacts.insert(fmt::format("{}/{}", key, digest));
    }
    // A server of the old platform that is not imported, or is not any more. What an undone import had to
    // leave beneath a mount is pruned, and the server is left alone.
    if (!current && std::find(names.begin(), names.end(), "instance.env") != names.end()) return false;
    // One rendering and the link to it: the normal case, which one cache entry describes.
    const bool single =
        current && names.size() == 2 && std::find(names.begin(), names.end(), *current) != names.end();
    if (single) digests_.remember(key, stats, *current);
    return true;
}

void Observer::instance(int place, const std::string& name) {
    std::optional<std::string> current;
    if (!renderings(place, name, current)) return;
    ObservedServer& server = observed_.servers[name];
    server.managed = true;
    server.current = std::move(current);
    const TargetServer* const target = target_.find(name);
    if (target != nullptr) compare(place, *target, server);
    if (server.current && (target == nullptr || target->digest() != *server.current)) {
        const Fd instance = open_directory(place, name);
        server.current_rendering = read_rendering(instance.get(), *server.current);
    }
    if (target != nullptr && target->spec->blueprint_rollout.rollback_on_failure)
        earlier_renderings(place, *target, server);
    if (server.stack()) started_with(place, name, server);
}

void Observer::earlier_renderings(int place, const TargetServer& target, ObservedServer& server) const {
    const std::string prefix = fmt::format("instances/{}/", target.spec->name);
    Fd instance;
    for (auto path = observed_.artifacts.lower_bound(prefix);
         path != observed_.artifacts.end() && path->starts_with(prefix); ++path) {
        std::string digest = path->substr(prefix.size());
        if (digest == server.current || digest == target.digest()) continue;
        if (!instance) instance = open_directory(place, target.spec->name);
        if (auto rendering = read_rendering(instance.get(), digest))
            server.earlier.emplace(std::move(digest), *std::move(rendering));
    }
}

void Observer::started_with(int place, const std::string& name, ObservedServer& server) const {
    const std::string digest = mounted_rendering(name, *server.stack());
    if (digest.empty()) return;
    const std::string rendering = fmt::format("instances/{}/{}", name, digest);
    const TargetServer* const target = target_.find(name);
    if (target != nullptr && target->digest() == digest) {
        // The rendering's digest covers this text: even if the file changed since, the server was started
        // with it.
        server.mounted_environment = target->spec->environment;
        server.mounted_writable = target->spec->writable;
        if (console_password(target->spec->config)) server.console_rendering = rendering;
    } else {
        server.mounted_environment =
            read_file(place, fmt::format("{}/{}/server.env", name, digest), max_environment_bytes);
        server.mounted_writable =
            read_file(place, fmt::format("{}/{}/writable", name, digest), max_environment_bytes);
        const auto config = read_file(place, fmt::format("{}/{}/layer/{}", name, digest, server_config),
                                      max_environment_bytes);
        if (config && console_password(*config)) server.console_rendering = rendering;
    }
    if (server.mounted_environment) server.mounted_port = port_in(*server.mounted_environment);
}

void Observer::compare(int place, const TargetServer& target, ObservedServer& server) {
    if (!target.rendering) return;
    const std::string& name = target.spec->name;
    const Rendering rendering = make_rendering(**target.rendering);
    const std::string key = fmt::format("instances/{}/{}", name, rendering.digest);
    // Before the contents: a change in between is noticed by the next observation.
    const auto stats = stat_rendering(place, name, rendering);
    // The digest does not cover the cvars of a game that can be told of them.
    std::string content = rendering.digest;
    if (const std::string cvars = (*target.rendering)->cvars(); !cvars.empty())
        content = Digest().field(content).field(cvars).hex();
    if (stats && digests_.find(key, *stats) == content) return;
    const Fd instance = open_directory(place, name);
    server.damaged = find_damage(instance.get(), rendering);
    if (stats && server.damaged.empty()) digests_.remember(key, *stats, content);
}

}  // namespace left4me::store
