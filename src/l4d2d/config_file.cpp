#include "l4d2d/config_file.hpp"

#include <filesystem>
#include <system_error>

#include "adapters/source/files.hpp"

namespace left4me {

std::expected<Config, std::string> read_config_file(const std::string& path) {
    constexpr std::size_t max_bytes = std::size_t{1} << 20U;
    std::error_code ignored;
    if (path == config_file && !std::filesystem::exists(path, ignored)) return Config{};
    const auto text = read_file(path, max_bytes);
    if (!text) return std::unexpected(text.error());
    auto config = parse_config(path, *text);
    if (!config) return std::unexpected(to_string(config.error()));
    return std::move(*config);
}

}  // namespace left4me
