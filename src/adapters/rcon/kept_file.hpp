#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>

#include "adapters/files.hpp"

namespace left4me::rcon {

inline constexpr const char* kept_extension = ".json";

/// Writes what the console of `server` said. A game may send any bytes: what is not UTF-8 is replaced.
inline std::expected<void, std::string> keep_file(const std::filesystem::path& directory,
                                                  const std::string& server, const nlohmann::json& document) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return std::unexpected(errno_message(directory, error.value()));
    return write_file(directory / (server + kept_extension),
                      document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

/// read(document), which returns an optional; nullopt also if there is no file, it is longer than
/// `max_bytes`, or a field that `read` needs is not there.
template <typename Read>
std::invoke_result_t<Read, const nlohmann::json&> kept_file(const std::filesystem::path& directory,
                                                            const std::string& server, std::size_t max_bytes,
                                                            Read read) {
    const auto text = read_file(directory / (server + kept_extension), max_bytes);
    if (!text) return std::nullopt;
    try {
        return read(nlohmann::json::parse(*text));
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
}

}  // namespace left4me::rcon
