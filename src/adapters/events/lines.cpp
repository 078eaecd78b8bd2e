#include "adapters/events/lines.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "adapters/fd.hpp"
#include "adapters/files.hpp"

namespace left4me {

namespace {

std::unexpected<std::string> error_of(const std::filesystem::path& path) {
    const int number = errno;
    return std::unexpected(path.string() + ": " + std::strerror(number));
}

std::expected<Fd, std::string> open_for_appending(const std::filesystem::path& path) {
    Fd file(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file) return error_of(path);
    return file;
}

/// A separate lock file, because others may read the file itself and therefore could lock it.
std::filesystem::path lock_of(const std::filesystem::path& path) {
    return path.parent_path() / ("." + path.filename().string() + ".lock");
}

bool ends_well(int file) {
    struct stat now{};
    if (::fstat(file, &now) != 0 || now.st_size == 0) return true;
    char last = '\n';
    return ::pread(file, &last, 1, now.st_size - 1) != 1 || last == '\n';
}

std::expected<void, std::string> write_line(int file, const std::string& line,
                                            const std::filesystem::path& path) {
    const ssize_t written = ::write(file, line.data(), line.size());
    if (written < 0) return error_of(path);
    // If the disk fills up halfway, the rest of the line is lost; the next one begins on a new line.
    if (static_cast<std::size_t>(written) != line.size())
        return std::unexpected(path.string() + ": " + std::strerror(ENOSPC));
    return {};
}

void read_into(const std::filesystem::path& path, std::vector<std::string>& lines) {
    std::ifstream stream(path, std::ios::binary);
    for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
}

}  // namespace

std::filesystem::path older_file(const std::filesystem::path& path) {
    return path.parent_path() / (path.stem().string() + ".1" + path.extension().string());
}

std::expected<void, std::string> append_lines(const std::filesystem::path& path,
                                              const std::vector<std::string>& lines, std::size_t limit) {
    if (lines.empty()) return {};
    const auto lock = hold_lock_file(lock_of(path));
    if (!lock) return std::unexpected(errno_message(lock_of(path), lock.error()));
    auto file = open_for_appending(path);
    if (!file) return std::unexpected(file.error());
    struct stat now{};
    if (::fstat(file->get(), &now) == 0 && static_cast<std::size_t>(now.st_size) >= limit) {
        if (::rename(path.c_str(), older_file(path).c_str()) != 0) return error_of(path);
        file = open_for_appending(path);
        if (!file) return std::unexpected(file.error());
    }
    std::string before = ends_well(file->get()) ? "" : "\n";
    for (const std::string& line : lines) {
        if (auto wrote = write_line(file->get(), before + line + "\n", path); !wrote) return wrote;
        before.clear();
    }
    return {};
}

std::vector<std::string> read_lines(const std::filesystem::path& path) {
    std::vector<std::string> lines;
    read_into(older_file(path), lines);
    read_into(path, lines);
    return lines;
}

}  // namespace left4me
