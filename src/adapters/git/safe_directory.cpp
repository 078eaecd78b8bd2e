#include "adapters/git/safe_directory.hpp"

#include <fmt/format.h>

#include "adapters/git/library.hpp"

namespace left4me::git {

namespace {

struct Looking {
    const std::string& directory;
    bool found = false;
};

int look_at(const git_config_entry* entry, void* payload) {
    auto& looking = *static_cast<Looking*>(payload);
    looking.found = looking.found || looking.directory == entry->value || std::string("*") == entry->value;
    return 0;
}

}  // namespace

std::expected<bool, std::string> add_safe_directory(const std::filesystem::path& configuration,
                                                    const std::string& directory) {
    use_library();
    Owned<git_config> file;
    const auto failure = [&] {
        return std::unexpected(fmt::format("{}: {}", configuration.string(), last_error()));
    };
    if (take(file, [&](git_config** out) { return git_config_open_ondisk(out, configuration.c_str()); }) !=
        0) {
        return failure();
    }
    Looking looking{directory};
    const int result =
        git_config_get_multivar_foreach(file.get(), "safe.directory", nullptr, look_at, &looking);
    if (result != 0 && result != GIT_ENOTFOUND) return failure();
    if (looking.found) return false;
    // No value is like this one: it is added to those that are there.
    if (git_config_set_multivar(file.get(), "safe.directory", "^$", directory.c_str()) != 0) return failure();
    return true;
}

}  // namespace left4me::git
