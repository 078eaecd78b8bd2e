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

std::string text_of(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

/// The units that have such a file.
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
        if (may_be_tuned(unit) && (has(tuning_file) || has(leaving_tuning_file))) units.insert(unit);
    }
    return units;
}

/// Replaces the file at once, so that no reader sees a part of it. Everybody may read it: l4d2d compares it.
std::string write_whole(const fs::path& directory, const std::string& text) {
    constexpr mode_t for_all = 0755;
    constexpr mode_t readable = 0644;
    if (mkdir(directory.c_str(), for_all) == 0) {
        (void)chmod(directory.c_str(), for_all);
    } else if (errno != EEXIST) {
        return failure("cannot make", directory);
    }
    const fs::path before = directory / unfinished;
    (void)unlink(before.c_str());
    const int fd = open(before.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, readable);
    if (fd < 0) return failure("cannot write", before);
    const ssize_t count = write(fd, text.data(), text.size());
    if (count >= 0) errno = ENOSPC;  // it was not all
    const bool written =
        count == static_cast<ssize_t>(text.size()) && fchmod(fd, readable) == 0 && fsync(fd) == 0;
    std::string error = written ? "" : failure("cannot write", before);
    (void)close(fd);
    if (written && rename(before.c_str(), (directory / tuning_file).c_str()) != 0)
        error = failure("cannot replace", directory / tuning_file);
    if (!error.empty()) (void)unlink(before.c_str());
    return error;
}

std::string write_if_changed(const std::string& unit, const UnitSettings& settings) {
    const fs::path directory = directory_of(unit);
    const std::string text = tuning_text(unit, settings);
    if (text_of(directory / tuning_file) == text) return "";
    return write_whole(directory, text);
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
    (void)rmdir(directory.c_str());  // unless somebody else has a file in it
}

}  // namespace

void tune(Manager& manager, const BatchPtr& batch, const Tuning& wanted) {
    Entry& entry = batch->entries.front();
    const std::set<std::string> before = tuned_units();
    const auto note = [&entry](std::string error) {
        if (!error.empty()) entry.error = std::move(error);
    };
    for (const auto& [unit, settings] : wanted) note(write_if_changed(unit, settings));
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
