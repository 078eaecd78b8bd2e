#include "adapters/store/shared_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>

#include "adapters/lines.hpp"

namespace left4me::store {

namespace {

/// For 200,000 files with long names.
constexpr std::size_t max_bytes = 64U << 20U;

/// The number that a line begins with, and the rest behind one blank. nullopt: it is no such line.
std::optional<std::pair<std::uint64_t, std::string_view>> split(std::string_view line) {
    std::uint64_t number = 0;
    const char* const end = line.data() + line.size();
    const auto [rest, error] = std::from_chars(line.data(), end, number);
    if (error != std::errc() || (rest != end && *rest != ' ')) return std::nullopt;
    return std::pair(number, rest == end ? std::string_view() : std::string_view(rest + 1, end));
}

}  // namespace

std::string shared_name(const std::string& digest) { return digest + ".shared"; }

Done write_shared(int overlay, int workplace, const std::string& digest, const SharedFiles& shared) {
    std::string text = std::to_string(shared.bytes) + "\n";
    for (const RegularFile& file : shared.large) {
        // A line each: another artifact does not find a file with such a name.
        if (file.path.contains('\n')) continue;
        text.append(std::to_string(file.size)).append(" ").append(file.path).append("\n");
    }
    const std::string name = shared_name(digest);
    constexpr const char* fresh = "shared";
    if (::unlinkat(workplace, fresh, 0) != 0 && errno != ENOENT) return io_error(name);
    const Fd file(::openat(workplace, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file) return io_error(name);
    if (auto wrote = write_all(file.get(), text, name); !wrote) return wrote;
    if (::renameat(workplace, fresh, overlay, name.c_str()) != 0) return io_error(name);
    return {};
}

std::optional<SharedFiles> read_shared(int overlay, const std::string& digest, uid_t writer) {
    const std::string name = shared_name(digest);
    const Fd file = open_beneath(overlay, name, O_RDONLY | O_NONBLOCK);
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != writer ||
        static_cast<std::uint64_t>(status.st_size) > max_bytes)
        return std::nullopt;
    std::string buffer(static_cast<std::size_t>(status.st_size), '\0');
    const auto text = read_at(file.get(), buffer, 0, name);
    if (!text) return std::nullopt;
    std::optional<SharedFiles> shared;
    for (const std::string_view text_line : lines_of(*text)) {
        const auto line = split(text_line);
        if (!line) return std::nullopt;
        if (!shared) {
            shared = SharedFiles{.bytes = line->first, .large = {}};
        } else {
            shared->large.push_back({.path = std::string(line->second), .size = line->first});
        }
    }
    return shared;
}

std::optional<std::uint64_t> read_shared_bytes(int overlay, const std::string& digest) {
    const Fd file = open_beneath(overlay, shared_name(digest), O_RDONLY | O_NONBLOCK);
    std::array<char, 32> begin{};
    const ssize_t got = file ? ::read(file.get(), begin.data(), begin.size()) : -1;
    if (got <= 0) return std::nullopt;
    const std::string_view text(begin.data(), static_cast<std::size_t>(got));
    const auto line = split(text.substr(0, text.find('\n')));
    return line ? std::optional(line->first) : std::nullopt;
}

}  // namespace left4me::store
