#include "adapters/store/executed_configs.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "adapters/store/files.hpp"
#include "specs/writable.hpp"

namespace left4me::store {

std::set<std::string> executed_overlays(const Desired& desired) {
    std::set<std::string> names;
    for (const auto& [name, server] : desired.servers)
        names.insert(server.execute_configs.begin(), server.execute_configs.end());
    return names;
}

std::expected<SharedText, std::string> ExecutedConfigs::read(const std::string& overlay,
                                                             const std::string& digest) {
    Known& known = known_[overlay];
    if (known.text != nullptr && known.digest == digest) return known.text;
    const Fd overlays(::open(overlays_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const Fd artifact = open_directory(overlays.get(), fmt::format("{}/{}", overlay, digest));
    if (!artifact) return io_error(fmt::format("artifact {}", digest));
    auto text = read_file(artifact.get(), server_config, max_config_bytes, Links::Inside);
    if (text) {
        known = {digest, std::make_shared<const std::string>(std::move(*text))};
        return known.text;
    }
    switch (errno) {
        case ENOENT:
        case ENOTDIR:
            return std::unexpected(
                fmt::format("artifact {} has no {}, which executeConfigs of a Blueprint is to run; add the "
                            "file to the source, or remove the name there",
                            digest, server_config));
        case EFBIG:
            return std::unexpected(
                fmt::format("{} of artifact {} is larger than 1 MiB, which the game does "
                            "not run",
                            server_config, digest));
        case EINVAL:
        case EXDEV:
        case ELOOP:
            return std::unexpected(fmt::format(
                "{} of artifact {} is not a file of the overlay; put a copy there", server_config, digest));
        default:
            return io_error(fmt::format("{} of artifact {}", server_config, digest));
    }
}

void ExecutedConfigs::keep(const std::set<std::string>& overlays) {
    std::erase_if(known_, [&overlays](const auto& known) { return !overlays.contains(known.first); });
}

}  // namespace left4me::store
