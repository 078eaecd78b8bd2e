#include "adapters/store/state_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <ctime>

#include "adapters/fd.hpp"
#include "adapters/files.hpp"
#include "adapters/store/files.hpp"

namespace left4me {

namespace {

/// In bytes: some hundred for each of thousands of servers.
constexpr std::size_t max_state_file = std::size_t{16} << 20U;

}  // namespace

std::string time_to_json(TimePoint time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const std::time_t clock = std::chrono::system_clock::to_time_t(seconds);
    std::tm parts{};
    ::gmtime_r(&clock, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, (time - seconds).count());
}

std::optional<TimePoint> time_from_json(const std::string& text) {
    constexpr std::string_view form = "0000-00-00T00:00:00.000000Z";
    if (text.size() != form.size()) return std::nullopt;
    const auto number = [&text](std::size_t at, std::size_t digits) {
        int value = -1;
        std::from_chars(text.data() + at, text.data() + at + digits, value);
        return value;
    };
    std::tm parts{};
    parts.tm_year = number(0, 4) - 1900;
    parts.tm_mon = number(5, 2) - 1;
    parts.tm_mday = number(8, 2);
    parts.tm_hour = number(11, 2);
    parts.tm_min = number(14, 2);
    parts.tm_sec = number(17, 2);
    const std::time_t seconds = ::timegm(&parts);
    return TimePoint(std::chrono::seconds(seconds)) + std::chrono::microseconds(number(20, 6));
}

std::expected<std::optional<std::string>, std::string> read_state_file(const Paths& paths,
                                                                       const std::string& name) {
    const std::filesystem::path path = paths.status() / name;
    if (::access(path.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
    return read_file(path, max_state_file);
}

std::expected<void, std::string> replace_state_file(const Paths& paths, const std::string& name,
                                                    std::string_view text) {
    const std::string shown = (paths.status() / name).string();
    const Fd directory(::open(paths.status().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return store::io_error(paths.status().string());
    const std::string fresh = "." + name;
    const Fd file(::openat(directory.get(), fresh.c_str(),
                           O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file) return store::io_error(shown);
    if (auto wrote = store::write_all(file.get(), text, shown); !wrote) return wrote;
    if (::renameat(directory.get(), fresh.c_str(), directory.get(), name.c_str()) != 0)
        return store::io_error(shown);
    return {};
}

}  // namespace left4me
