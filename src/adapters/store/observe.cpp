#include "adapters/store/observe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "adapters/generation.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/metadata.hpp"
#include "adapters/store/rendering.hpp"
#include "specs/name.hpp"

namespace left4me::store {

namespace {

constexpr std::size_t max_environment_bytes = 1U << 20U;

std::optional<std::uint16_t> port_in(std::string_view environment) {
    constexpr std::string_view key = "L4D2_PORT=";
    const std::size_t at = environment.starts_with(key) ? 0 : environment.find("\nL4D2_PORT=");
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view value = environment.substr(environment.find('=', at) + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), port);
    if (error != std::errc() || end == value.data()) return std::nullopt;
    return port;
}

std::optional<std::string> read_current(int instance) {
    std::array<char, generation_length + 1> target{};
    const ssize_t length = ::readlinkat(instance, "current", target.data(), target.size());
    if (length < 0) return std::nullopt;
    std::string generation(target.data(), static_cast<std::size_t>(length));
    if (!is_generation(generation)) return std::nullopt;
    return generation;
}

/// The rendering that a mounted stack was made from: `instances/NAME/GEN/layer` is its first layer.
std::string mounted_generation(const std::string& name, const std::vector<std::string>& layers) {
    if (layers.empty()) return {};
    const std::string prefix = fmt::format("instances/{}/", name);
    std::string_view layer = layers.front();
    if (!layer.starts_with(prefix) || !layer.ends_with("/layer")) return {};
    layer.remove_prefix(prefix.size());
    const std::string_view generation = layer.substr(0, generation_length);
    return is_generation(generation) ? std::string(generation) : std::string();
}

}  // namespace

Observer::Observer(const Paths& paths, DigestCache& digests, SourceReader& sources, const Desired& desired,
                   Observed& observed)
    : paths_(paths),
      digests_(digests),
      sources_(sources),
      desired_(desired),
      observed_(observed),
      secrets_(paths) {
    state_ = Fd(::open(paths.state.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

void Observer::run() {
    observed_.installation = ::faccessat(state_.get(), "installation/srcds_run", F_OK, 0) == 0;
    overlays();
    generations_of_overlays();
    runtimes();
    instances();
    digests_.save();
}

void Observer::overlays() {
    for (auto& [name, known] : sources_.read(desired_.overlays)) {
        observed_.overlays[name].wanted =
            known ? std::move(*known) : std::unexpected(std::string("its files are still being read"));
    }
}

void Observer::generations_of_overlays() {
    const Fd place = open_directory(state_.get(), "overlays");
    for (const std::string& name : list(place.get())) {
        if (!is_valid_name(name)) continue;
        const Fd overlay = open_directory(place.get(), name);
        for (const std::string& generation : list(overlay.get())) {
            if (is_generation(generation))
                observed_.generations.insert(fmt::format("overlays/{}/{}", name, generation));
        }
    }
}

void Observer::runtimes() {
    const Fd place = open_directory(state_.get(), "runtime");
    for (const std::string& name : list(place.get())) {
        struct stat status{};
        const bool directory = is_valid_name(name) &&
                               ::fstatat(place.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                               S_ISDIR(status.st_mode);
        if (directory) observed_.servers[name].runtime = true;
    }
}

void Observer::instances() {
    const Fd place = open_directory(state_.get(), "instances");
    for (const std::string& name : list(place.get())) {
        if (is_valid_name(name)) instance(place.get(), name);
    }
    for (const auto& [name, desired] : desired_.servers) {
        ObservedServer& server = observed_.servers[name];
        if (!server.ours) want(place.get(), desired, server);
    }
}

bool Observer::renderings(int place, const std::string& name, std::optional<std::string>& current) {
    struct stat status{};
    if (::fstatat(place, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(status.st_mode))
        return false;
    Metadata metadata;
    metadata.note({}, status);
    const Looks looks = metadata.finish();  // before the names: what changes meanwhile is looked at again
    const std::string key = "instances/" + name;
    if (auto only = digests_.find(key, looks)) {
        observed_.generations.insert(fmt::format("{}/{}", key, *only));
        current = std::move(only);
        return true;
    }
    const Fd directory(::openat(place, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) return false;
    current = read_current(directory.get());
    const std::vector<std::string> names = list(directory.get());
    for (const std::string& generation : names) {
        if (is_generation(generation)) observed_.generations.insert(fmt::format("{}/{}", key, generation));
    }
    // One rendering and the link to it: what nearly every server has, and can be said in one word.
    const bool single =
        current && names.size() == 2 && std::find(names.begin(), names.end(), *current) != names.end();
    if (single) digests_.remember(key, looks, *current);
    return true;
}

void Observer::instance(int place, const std::string& name) {
    std::optional<std::string> current;
    if (!renderings(place, name, current)) return;
    ObservedServer& server = observed_.servers[name];
    server.ours = true;
    server.current = std::move(current);
    const auto desired = desired_.servers.find(name);
    if (desired != desired_.servers.end()) want(place, desired->second, server);
    if (server.stack()) started_with(place, name, server);
}

void Observer::started_with(int place, const std::string& name, ObservedServer& server) const {
    const std::string generation = mounted_generation(name, *server.stack());
    if (generation.empty()) return;
    if (server.wanted && server.wanted->generation == generation) {
        // The generation is made from this text: whatever has become of the file, it was started with that.
        server.mounted_environment = desired_.servers.at(name).environment;
        server.mounted_writable = desired_.servers.at(name).writable;
    } else {
        server.mounted_environment =
            read_file(place, fmt::format("{}/{}/server.env", name, generation), max_environment_bytes);
        server.mounted_writable =
            read_file(place, fmt::format("{}/{}/writable", name, generation), max_environment_bytes);
    }
    if (server.mounted_environment) server.mounted_port = port_in(*server.mounted_environment);
}

void Observer::want(int place, const DesiredServer& desired, ObservedServer& server) {
    const auto lower = lower_layers(desired);
    if (!lower) {
        server.wanted = std::unexpected(lower.error());
        return;
    }
    const auto rendering = make_rendering(desired, *lower, secrets_);
    if (!rendering) {
        server.wanted = std::unexpected(rendering.error());
        return;
    }
    server.wanted = rendering->wanted;
    const std::string& generation = rendering->wanted.generation;
    const std::string key = fmt::format("instances/{}/{}", desired.name, generation);
    const auto looks = glance(place, desired.name,
                              *rendering);  // before the contents: what changes meanwhile is looked at again
    if (looks && digests_.find(key, *looks) == generation) return;
    const Fd instance = open_directory(place, desired.name);
    server.damaged = find_damage(instance.get(), *rendering);
    if (looks && server.damaged.empty()) digests_.remember(key, *looks, generation);
}

std::expected<std::vector<std::string>, std::string> Observer::lower_layers(
    const DesiredServer& server) const {
    std::vector<std::string> layers;
    for (const std::string& name : server.overlays) {
        const auto overlay = observed_.overlays.find(name);
        if (overlay == observed_.overlays.end())
            return std::unexpected(fmt::format("there is no overlay {}", name));
        const auto& wanted = overlay->second.wanted;
        if (!wanted) return std::unexpected(fmt::format("overlay {}: {}", name, wanted.error()));
        layers.push_back(fmt::format("overlays/{}/{}", name, *wanted));
    }
    layers.emplace_back("installation");
    return layers;
}

}  // namespace left4me::store
