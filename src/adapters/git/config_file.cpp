#include "adapters/git/config_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "adapters/git/library.hpp"

namespace left4me::git {

namespace {

int note(const git_config_entry* entry, void* payload) {
    static_cast<std::vector<std::string>*>(payload)->emplace_back(entry->value == nullptr ? ""
                                                                                          : entry->value);
    return 0;
}

class File {
  public:
    explicit File(const std::filesystem::path& path) : path_(path) { use_library(); }

    std::expected<std::vector<std::string>, std::string> values(const std::string& name) {
        if (take(file_, [&](git_config** out) { return git_config_open_ondisk(out, path_.c_str()); }) != 0)
            return failure();
        std::vector<std::string> found;
        const int result = git_config_get_multivar_foreach(file_.get(), name.c_str(), nullptr, note, &found);
        if (result != 0 && result != GIT_ENOTFOUND) return failure();
        return found;
    }

    /// Replaces the values that `pattern` matches, or adds one if it matches none.
    std::expected<bool, std::string> write(const std::string& name, const char* pattern,
                                           const std::string& value) {
        if (git_config_set_multivar(file_.get(), name.c_str(), pattern, value.c_str()) != 0) return failure();
        return true;
    }

  private:
    std::unexpected<std::string> failure() const {
        return std::unexpected(fmt::format("{}: {}", path_.string(), last_error()));
    }

    const std::filesystem::path& path_;
    Owned<git_config> file_;
};

bool has(const std::vector<std::string>& values, const std::string& value) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

}  // namespace

std::expected<bool, std::string> add_value(const std::filesystem::path& path, const std::string& name,
                                           const std::string& value) {
    File file(path);
    const auto values = file.values(name);
    if (!values) return std::unexpected(values.error());
    if (has(*values, value) || has(*values, "*")) return false;
    return file.write(name, "^$", value);
}

std::expected<bool, std::string> set_value(const std::filesystem::path& path, const std::string& name,
                                           const std::string& value) {
    File file(path);
    const auto values = file.values(name);
    if (!values) return std::unexpected(values.error());
    if (values->size() == 1 && has(*values, value)) return false;
    return file.write(name, ".*", value);
}

std::expected<bool, std::string> set_default(const std::filesystem::path& path, const std::string& name,
                                             const std::string& value) {
    File file(path);
    const auto values = file.values(name);
    if (!values) return std::unexpected(values.error());
    if (!values->empty()) return false;
    return file.write(name, ".*", value);
}

}  // namespace left4me::git
