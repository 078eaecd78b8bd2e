#include "adapters/config/file.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include "adapters/files.hpp"

namespace left4me {
namespace {

constexpr std::size_t max_bytes = std::size_t{1} << 20U;

}  // namespace

std::expected<std::optional<std::string>, std::string> read_config_text(const std::string& path) {
    std::error_code ignored;
    if (path == config_file && !std::filesystem::exists(path, ignored)) return std::nullopt;
    auto text = read_file(path, max_bytes);
    if (!text) return std::unexpected(std::move(text.error()));
    return std::move(*text);
}

std::expected<Config, std::string> parse_config_text(const std::string& path,
                                                     const std::optional<std::string>& text) {
    if (!text) return Config{};
    auto config = parse_config(path, *text);
    if (!config) return std::unexpected(to_string(config.error()));
    return std::move(*config);
}

std::expected<Config, std::string> read_config(const std::string& path) {
    const auto text = read_config_text(path);
    if (!text) return std::unexpected(text.error());
    return parse_config_text(path, *text);
}

}  // namespace left4me
