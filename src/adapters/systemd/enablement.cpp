#include "adapters/systemd/enablement.hpp"

#include <filesystem>
#include <optional>
#include <system_error>

#include "adapters/systemd/unit_names.hpp"

namespace left4me {
namespace {

namespace fs = std::filesystem;

/// Calls `use` for every entry; a missing directory has none.
template <typename Use>
void for_each_entry(const fs::path& directory, const Use& use) {
    std::error_code error;
    fs::directory_iterator entry(directory, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) use(*entry);
}

bool is_mask(const fs::directory_entry& entry) {
    std::error_code error;
    if (entry.is_symlink(error)) return fs::read_symlink(entry.path(), error) == "/dev/null" && !error;
    // systemd treats an empty file as a mask, too.
    return entry.is_regular_file(error) && entry.file_size(error) == 0 && !error;
}

}  // namespace

std::map<std::string, Enablement> read_enablement(const Paths& paths) {
    std::map<std::string, Enablement> found;
    for_each_entry(paths.systemd_etc, [&](const fs::directory_entry& target) {
        if (target.path().extension() != ".wants" && target.path().extension() != ".requires") return;
        for_each_entry(target.path(), [&](const fs::directory_entry& link) {
            const auto server = server_of(link.path().filename().string());
            std::error_code error;
            if (server && link.is_symlink(error)) found[*server] = Enablement::Enabled;
        });
    });
    for (const fs::path& directory : {paths.systemd_etc, paths.systemd_run}) {
        for_each_entry(directory, [&](const fs::directory_entry& entry) {
            const auto server = server_of(entry.path().filename().string());
            if (server && is_mask(entry)) found[*server] = Enablement::Masked;
        });
    }
    return found;
}

}  // namespace left4me
