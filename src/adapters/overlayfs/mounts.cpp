#include "adapters/overlayfs/mounts.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "adapters/fd.hpp"

namespace left4me {

namespace {

/// One line of mountinfo; the views point into the text.
struct Line {
    int id = 0;
    int parent = 0;
    std::string_view point;
    std::string_view type;
    std::string_view source;
    std::string_view options;  ///< of the super block, where overlayfs shows its layers
};

std::string_view next_word(std::string_view& rest, char separator = ' ') {
    const std::size_t end = rest.find(separator);
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return word;
}

int to_number(std::string_view word) {
    int number = -1;
    std::from_chars(word.data(), word.data() + word.size(), number);
    return number;
}

/// Fields, proc(5): id parent major:minor root point options [tags…] - type source super-options.
std::optional<Line> parse_line(std::string_view text) {
    Line line;
    line.id = to_number(next_word(text));
    line.parent = to_number(next_word(text));
    next_word(text);
    next_word(text);
    line.point = next_word(text);
    const std::size_t dash =
        text.find(" - ");  // the separator can not occur earlier: spaces are written \040
    if (line.point.empty() || dash == std::string_view::npos) return std::nullopt;
    text.remove_prefix(dash + 3);
    line.type = next_word(text);
    line.source = next_word(text);
    line.options = text;
    return line;
}

bool is_octal(char c) { return c >= '0' && c <= '7'; }

/// The kernel writes characters that would break the format as \ooo.
std::string decode_octal(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
            is_octal(text[i + 3])) {
            decoded +=
                static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
            i += 3;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

/// mount(2)'s `lowerdir=a:b\:c`: a colon after a backslash belongs to the name.
std::vector<std::string> split_layers(std::string_view value) {
    std::vector<std::string> layers(1);
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '\\' && i + 1 < value.size()) {
            layers.back() += value[++i];
        } else if (value[i] == ':') {
            layers.emplace_back();
        } else {
            layers.back() += value[i];
        }
    }
    std::erase(layers, "");  // `a::b` marks data layers
    return layers;
}

/// Strips the state directory from names beneath it. left4me-overlay mounts by relative names, which stay
/// unchanged.
std::string relative(std::string name, const std::string& state) {
    if (name == state) return ".";
    if (name.starts_with(state) && name[state.size()] == '/') name.erase(0, state.size() + 1);
    return name;
}

Mounted layers_of(const Line& line, const std::string& state) {
    Mounted mounted;
    if (line.type != "overlay") {
        mounted.layers.push_back(decode_octal(line.type) + ":" + decode_octal(line.source));
        return mounted;
    }
    std::string_view options = line.options;
    while (!options.empty()) {
        const std::string_view option = next_word(options, ',');  // commas inside values are written \054
        const std::size_t equals = option.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string_view key = option.substr(0, equals);
        std::string value = decode_octal(option.substr(equals + 1));
        if (key == "lowerdir+" || key == "datadir+") {
            mounted.layers.push_back(relative(std::move(value), state));
        } else if (key == "lowerdir") {
            for (std::string& layer : split_layers(value)) {
                mounted.layers.push_back(relative(std::move(layer), state));
            }
        } else if (key == "upperdir") {
            mounted.upper = relative(std::move(value), state);
        }
    }
    return mounted;
}

/// The server whose merged directory `point` is, or nothing.
std::string_view server_of(std::string_view point, std::string_view runtime) {
    constexpr std::string_view merged = "/merged";
    if (!point.starts_with(runtime) || !point.ends_with(merged)) return {};
    point.remove_prefix(runtime.size());
    if (point.size() < merged.size()) return {};
    point.remove_suffix(merged.size());
    return point.find('/') == std::string_view::npos ? point : std::string_view{};
}

}  // namespace

std::map<std::string, Mounted> parse_mounted(std::string_view text, const std::string& state) {
    const std::string runtime = state + "/runtime/";
    std::map<std::string, std::vector<Line>> found;
    while (!text.empty()) {
        const std::optional<Line> line = parse_line(next_word(text, '\n'));
        if (!line) continue;
        std::string decoded;  // only names with escapes cost a copy
        std::string_view point = line->point;
        if (point.find('\\') != std::string_view::npos) point = decoded = decode_octal(point);
        const std::string_view server = server_of(point, runtime);
        if (!server.empty()) found[std::string(server)].push_back(*line);
    }
    std::map<std::string, Mounted> mounts;
    for (const auto& [server, lines] : found) {
        // Of stacked mounts, each is the parent of the next; the uppermost is nobody's parent.
        const auto covered = [&lines = lines](const Line& line) {
            return std::any_of(lines.begin(), lines.end(),
                               [&line](const Line& other) { return other.parent == line.id; });
        };
        const auto top = std::find_if_not(lines.begin(), lines.end(), covered);
        mounts[server] = layers_of(top == lines.end() ? lines.back() : *top, state);
    }
    return mounts;
}

std::map<std::string, std::vector<std::string>> parse_mountinfo(std::string_view text, const Paths& paths) {
    std::map<std::string, std::vector<std::string>> layers;
    for (auto& [server, mounted] : parse_mounted(text, paths.state.string())) {
        layers[server] = std::move(mounted.layers);
    }
    return layers;
}

std::expected<std::string, std::string> read_mountinfo(const std::filesystem::path& mountinfo) {
    const auto failed = [&mountinfo] {
        return std::unexpected(mountinfo.string() + ": " + std::strerror(errno));
    };
    const Fd file(::open(mountinfo.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return failed();
    std::string text;
    constexpr std::size_t step = 1U << 16U;
    while (true) {
        const std::size_t had = text.size();
        text.resize(had + step);
        const ssize_t got = ::read(file.get(), text.data() + had, step);
        if (got < 0 && errno == EINTR) {
            text.resize(had);
            continue;
        }
        if (got < 0) return failed();
        text.resize(had + static_cast<std::size_t>(got));
        if (got == 0) return text;
    }
}

std::map<std::string, std::vector<std::string>> read_mounts_of(std::uint32_t pid, const Paths& paths) {
    const auto text = read_mountinfo("/proc/" + std::to_string(pid) + "/mountinfo");
    // The sandbox shows a game its overlay under the configured name, whatever links lead there on the host.
    return text ? parse_mountinfo(*text, paths) : std::map<std::string, std::vector<std::string>>{};
}

std::expected<std::map<std::string, std::vector<std::string>>, std::string> read_mounts(const Paths& paths) {
    const auto text = read_mountinfo(paths.mountinfo);
    if (!text) return std::unexpected(text.error());
    Paths canonical = paths;  // mountinfo shows names without symlinks
    std::error_code ignored;
    if (const auto state = std::filesystem::canonical(paths.state, ignored); !ignored)
        canonical.state = state;
    return parse_mountinfo(*text, canonical);
}

}  // namespace left4me
