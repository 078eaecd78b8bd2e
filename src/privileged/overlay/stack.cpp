#include "privileged/overlay/stack.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "adapters/digest.hpp"
#include "privileged/overlay/kernel.hpp"
#include "specs/name.hpp"
#include "specs/writable.hpp"

namespace left4me::overlay {

namespace {

constexpr std::size_t max_list_bytes = 1U << 16U;  // 500 layers with the longest names take half of it

Result<std::string> read_current(int instance, const std::string& server) {
    std::array<char, digest_length + 1> target{};
    const ssize_t length = ::readlinkat(instance, "current", target.data(), target.size());
    if (length < 0 && errno == ENOENT) {
        return fail(Failure::NotRendered,
                    fmt::format("instances/{}/current does not exist; run a pass", server));
    }
    if (length < 0 && errno == EINVAL) {
        return fail(Failure::Refused, fmt::format("instances/{}/current is not a symlink", server));
    }
    if (length < 0) return system_failure(fmt::format("instances/{}/current", server));
    std::string digest(target.data(), static_cast<std::size_t>(length));
    if (!is_digest(digest)) {
        return fail(Failure::Refused, fmt::format("instances/{}/current does not name a rendering", server));
    }
    return digest;
}

/// Reads a whole regular file without blocking: a FIFO or a device in its place is refused.
Result<std::string> read_list(int rendering, const char* file_name, const std::string& name) {
    const Fd file(::openat(rendering, file_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file && errno == ELOOP) return fail(Failure::Refused, name + " is a symlink");
    if (!file) return system_failure(name);
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return system_failure(name);
    if (!S_ISREG(status.st_mode)) return fail(Failure::Refused, name + " is not a regular file");
    std::string text(max_list_bytes + 1, '\0');
    std::size_t length = 0;
    while (length < text.size()) {
        const ssize_t got = ::read(file.get(), text.data() + length, text.size() - length);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_failure(name);
        if (got == 0) break;
        length += static_cast<std::size_t>(got);
    }
    if (length > max_list_bytes) {
        return fail(Failure::Refused, fmt::format("{} is longer than {} bytes", name, max_list_bytes));
    }
    text.resize(length);
    return text;
}

std::vector<std::string> split_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

/// `overlays/NAME/DIGEST` and nothing else.
bool is_overlay(std::string_view name) {
    constexpr std::string_view overlays = "overlays/";
    if (!name.starts_with(overlays)) return false;
    name.remove_prefix(overlays.size());
    const std::size_t slash = name.find('/');
    return slash != std::string_view::npos && is_valid_name(name.substr(0, slash)) &&
           is_digest(name.substr(slash + 1));
}

/// The file's content is not trusted, not even in a message.
std::string printable(std::string_view text) {
    constexpr std::size_t enough = 80;
    std::string shown(text.substr(0, enough));
    std::replace_if(shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return "'" + shown + "'";
}

/// Checks the syntax before any lookup: only names of this grammar reach the kernel, so nothing needs
/// escaping.
Result<> check_names(const std::vector<std::string>& names, const std::string& instance_layer) {
    if (names.size() < 2)
        return fail(Failure::Refused, "a stack has at least an instance layer and the installation");
    if (names.size() > max_layers) {
        return fail(Failure::Refused,
                    fmt::format("{} layers, but the kernel supports at most {}", names.size(), max_layers));
    }
    if (names.front() != instance_layer) {
        return fail(Failure::Refused, fmt::format("the first layer is {}, not the server's own {}",
                                                  printable(names.front()), instance_layer));
    }
    if (names.back() != "installation" && !is_overlay(names.back())) {
        return fail(Failure::Refused,
                    fmt::format("the last layer is {}, not an installation", printable(names.back())));
    }
    for (std::size_t i = 1; i + 1 < names.size(); ++i) {
        if (!is_overlay(names[i])) {
            return fail(Failure::Refused,
                        fmt::format("layer {} is not an artifact of an overlay", printable(names[i])));
        }
    }
    std::vector<std::string> sorted = names;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end()) return fail(Failure::Refused, fmt::format("layer {} is listed twice", *twice));
    return {};
}

}  // namespace

std::vector<std::string> Stack::names() const {
    std::vector<std::string> names;
    names.reserve(layers.size());
    for (const Layer& layer : layers) names.push_back(layer.name);
    return names;
}

Result<std::vector<std::string>> read_layer_names(int state, const std::string& server,
                                                  const std::string& digest) {
    const std::string name = fmt::format("instances/{}/{}", server, digest);
    const auto rendering = kernel::open_beneath(state, name);
    if (!rendering) return std::unexpected(rendering.error());
    const auto list = read_list(rendering->get(), "layers", name + "/layers");
    if (!list) return std::unexpected(list.error());
    std::vector<std::string> names = split_lines(*list);
    if (auto checked = check_names(names, name + "/layer"); !checked) return std::unexpected(checked.error());
    return names;
}

Result<std::vector<std::string>> read_writable(int state, const std::string& server,
                                               const std::string& digest) {
    const std::string name = fmt::format("instances/{}/{}", server, digest);
    const auto rendering = kernel::open_beneath(state, name);
    if (!rendering) return std::unexpected(rendering.error());
    const auto list = read_list(rendering->get(), "writable", name + "/writable");
    if (!list && list.error().number == ENOENT)
        return std::vector<std::string>(default_writable.begin(), default_writable.end());
    if (!list) return std::unexpected(list.error());
    std::vector<std::string> patterns = split_lines(*list);
    if (patterns.size() > max_writable) {
        return fail(Failure::Refused, fmt::format("{}/writable has {} lines, {} are allowed", name,
                                                  patterns.size(), max_writable));
    }
    for (const std::string& pattern : patterns) {
        if (!is_writable_pattern(pattern)) {
            return fail(Failure::Refused, fmt::format("{}/writable: {} is not a path within the game's tree",
                                                      name, printable(pattern)));
        }
    }
    return patterns;
}

Result<Stack> read_stack(int state, const std::string& server) {
    const std::string instance_name = "instances/" + server;
    const auto instance = kernel::open_beneath(state, instance_name);
    if (!instance && instance.error().number == ENOENT) {
        return fail(Failure::NotRendered, fmt::format("{} does not exist; run a pass", instance_name));
    }
    if (!instance) return std::unexpected(instance.error());
    auto digest = read_current(instance->get(), server);
    if (!digest) return std::unexpected(digest.error());
    const auto names = read_layer_names(state, server, *digest);
    if (!names) return std::unexpected(names.error());
    auto writable = read_writable(state, server, *digest);
    if (!writable) return std::unexpected(writable.error());
    Stack stack{.digest = std::move(*digest), .layers = {}, .writable = std::move(*writable)};
    for (const std::string& name : *names) {
        auto directory = kernel::open_beneath(state, name);
        if (!directory) return std::unexpected(directory.error());
        stack.layers.push_back(Layer{name, std::move(*directory)});
    }
    return stack;
}

}  // namespace left4me::overlay
