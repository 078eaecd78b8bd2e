#include "adapters/systemd/drop_ins.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "adapters/file_time.hpp"
#include "adapters/files.hpp"
#include "specs/tuning.hpp"
#include "specs/tuning_files.hpp"

namespace left4me {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest = 65536;

}  // namespace

DropIns read_drop_ins(const Paths& paths) {
    DropIns found;
    std::error_code error;
    fs::directory_iterator entry(paths.systemd_etc, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        if (entry->path().extension() != ".d") continue;
        const std::string unit = entry->path().stem();
        if (!may_be_tuned(unit)) continue;
        struct stat status{};
        if (::lstat((entry->path() / leaving_tuning_file).c_str(), &status) == 0) found.texts[unit] = "";
        const fs::path path = entry->path() / tuning_file;
        if (::lstat(path.c_str(), &status) != 0) continue;
        auto text = read_file(path, longest);
        found.texts[unit] = text ? std::move(*text) : text.error();
        // Of a file that was replaced by an older one, only the change of the inode is new.
        found.written = std::max(found.written.value_or(TimePoint()), time_of(status.st_ctim));
    }
    return found;
}

}  // namespace left4me
