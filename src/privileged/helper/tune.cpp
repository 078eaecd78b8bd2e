#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "privileged/helper/verbs.hpp"
#include "specs/tuning_files.hpp"

namespace left4me::helper {
namespace {

namespace fs = std::filesystem;

const fs::path unit_files = "/etc/systemd/system";
constexpr const char* unfinished = ".50-left4me.conf.new";

fs::path directory_of(const std::string& unit) { return unit_files / (unit + ".d"); }

std::string failure(const std::string& what, const fs::path& path) {
    return what + " " + path.string() + ": " + std::strerror(errno);
}

/// What everybody may read: l4d2d compares it. Anything else in its place has none.
std::string readable_text(const fs::path& path) {
    struct stat status{};
    if (lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || (status.st_mode & S_IROTH) == 0)
        return "";
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

/// The units that have such a file, or what is left of one.
std::set<std::string> tuned_units() {
    std::set<std::string> units;
    std::error_code error;
    fs::directory_iterator entry(unit_files, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        if (entry->path().extension() != ".d") continue;
        const std::string unit = entry->path().stem();
        const auto has = [&](const char* file) {
            std::error_code unreadable;
            return fs::exists(fs::symlink_status(entry->path() / file, unreadable));
        };
        if (may_be_tuned(unit) && (has(tuning_file) || has(leaving_tuning_file) || has(unfinished)))
            units.insert(unit);
    }
    return units;
}

/// Empty if l4d2d, too, can read what is in there. Others may have made the directory, so it stays as it is;
/// a file that l4d2d does not see would be written again in every pass.
std::string make_directory(const fs::path& directory) {
    constexpr mode_t for_all = 0755;
    // It must be so from the first moment: the helper may be killed at the next one.
    const mode_t mask = umask(0);
    const bool made = mkdir(directory.c_str(), for_all) == 0;
    (void)umask(mask);
    if (made) return "";
    if (errno != EEXIST) return failure("cannot make", directory);
    constexpr mode_t reading = S_IROTH | S_IXOTH;
    struct stat status{};
    if (stat(directory.c_str(), &status) != 0) return failure("cannot read", directory);
    if ((status.st_mode & reading) == reading) return "";
    return "l4d2d cannot read " + directory.string() + ": sudo chmod 0755 " + directory.string();
}

std::string write_beside(const fs::path& directory, const std::string& text) {
    constexpr mode_t readable = 0644;
    const fs::path path = directory / unfinished;
    (void)unlink(path.c_str());
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, readable);
    if (fd < 0) return failure("cannot write", path);
    const ssize_t count = write(fd, text.data(), text.size());
    if (count >= 0) errno = ENOSPC;  // it was not all
    const bool written = count == static_cast<ssize_t>(text.size()) && fchmod(fd, readable) == 0;
    std::string error = written ? "" : failure("cannot write", path);
    (void)close(fd);
    if (!written) (void)unlink(path.c_str());
    return error;
}

/// One wait for the disk, however many files there are.
std::string sync_all() {
    const int fd = open(unit_files.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    std::string error = fd >= 0 && syncfs(fd) == 0 ? "" : failure("cannot write to the disk of", unit_files);
    if (fd >= 0) (void)close(fd);
    return error;
}

/// Replaces each file at once, and only when its text is on the disk, so that nobody ever reads a part of it.
/// Returns the last error; the other files are written all the same.
std::string write_changed(const Tuning& wanted) {
    std::string error;
    std::vector<fs::path> changed;
    for (const auto& [unit, settings] : wanted) {
        const fs::path directory = directory_of(unit);
        const std::string text = tuning_text(unit, settings);
        std::string failed = make_directory(directory);
        if (failed.empty()) {
            if (readable_text(directory / tuning_file) == text) continue;
            failed = write_beside(directory, text);
        }
        if (failed.empty()) {
            changed.push_back(directory);
        } else {
            error = std::move(failed);
        }
    }
    if (changed.empty()) return error;
    if (std::string failed = sync_all(); !failed.empty()) {
        for (const fs::path& directory : changed) (void)unlink((directory / unfinished).c_str());
        return failed;
    }
    for (const fs::path& directory : changed) {
        const fs::path path = directory / tuning_file;
        if (rename((directory / unfinished).c_str(), path.c_str()) == 0) continue;
        error = failure("cannot replace", path);
        (void)unlink((directory / unfinished).c_str());
    }
    return error;
}

/// Out of systemd's sight. It is removed when systemd has read that: a helper that is killed in between
/// leaves something that shows.
std::string put_aside(const std::string& unit) {
    const fs::path directory = directory_of(unit);
    if (rename((directory / tuning_file).c_str(), (directory / leaving_tuning_file).c_str()) != 0 &&
        errno != ENOENT)
        return failure("cannot rename", directory / tuning_file);
    return "";
}

void remove_leaving(const std::string& unit) {
    const fs::path directory = directory_of(unit);
    (void)unlink((directory / leaving_tuning_file).c_str());
    (void)unlink((directory / unfinished).c_str());
    (void)rmdir(directory.c_str());  // unless somebody else has a file in it
}

}  // namespace

void tune(Manager& manager, const BatchPtr& batch, const Tuning& wanted) {
    Entry& entry = batch->entries.front();
    const std::set<std::string> before = tuned_units();
    const auto note = [&entry](std::string error) {
        if (!error.empty()) entry.error = std::move(error);
    };
    note(write_changed(wanted));
    for (const std::string& unit : before) {
        if (!wanted.contains(unit)) note(put_aside(unit));
    }
    // Running units get what the kernel can change at once.
    manager.reload([batch, before](const std::string& error) {
        if (error.empty()) {
            for (const std::string& unit : before) remove_leaving(unit);
        } else if (batch->entries.front().error.empty()) {
            batch->entries.front().error = error;
        }
    });
}

}  // namespace left4me::helper
