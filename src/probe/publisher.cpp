#include "probe/publisher.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include "adapters/files.hpp"
#include "adapters/probes/lists.hpp"

namespace left4me::probe {
namespace {

constexpr const char* unfinished = ".new";
/// What is in it means nothing: inotify(7) reports that it was written.
constexpr const char* signal_file = "signal";

std::expected<Fd, std::string> open_directory(const std::filesystem::path& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return std::unexpected(errno_message(path, errno));
    return directory;
}

/// On a tmpfs: there is nothing to sync.
std::expected<void, int> write_whole(int directory, const char* name, std::string_view text) {
    const Fd file(
        ::openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644));
    if (!file) return std::unexpected(errno);
    while (!text.empty()) {
        const ssize_t written = ::write(file.get(), text.data(), text.size());
        if (written < 0) return std::unexpected(errno);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace

std::expected<Publisher, std::string> Publisher::open(const Paths& paths) {
    auto answers = open_directory(paths.probe_answers().parent_path());
    if (!answers) return std::unexpected(answers.error());
    auto emptied = open_directory(paths.probe_emptied());
    if (!emptied) return std::unexpected(emptied.error());
    Publisher publisher;
    publisher.answers_ = *std::move(answers);
    publisher.emptied_ = *std::move(emptied);
    publisher.answers_name_ = paths.probe_answers().filename().string();
    publisher.lists_name_ = probes::lists_file(paths).filename().string();
    return publisher;
}

std::expected<void, int> Publisher::replace(const std::string& name, const std::string& text) {
    if (auto written = write_whole(answers_.get(), unfinished, text); !written) return written;
    if (::renameat(answers_.get(), unfinished, answers_.get(), name.c_str()) != 0)
        return std::unexpected(errno);
    return {};
}

std::expected<void, int> Publisher::tell_fewer() { return write_whole(emptied_.get(), signal_file, "\n"); }

}  // namespace left4me::probe
