#include "adapters/store/copy.hpp"

namespace left4me::store {

Done write_inline(const std::map<std::string, std::string>& files, int destination) {
    for (const auto& [path, text] : files) {
        auto wrote = write_new(destination, path, text, overlay_file_mode, overlay_directory_mode);
        if (!wrote) return wrote;
    }
    return {};
}

}  // namespace left4me::store
