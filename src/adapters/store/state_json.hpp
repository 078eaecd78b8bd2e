#pragma once

#include <expected>
#include <nlohmann/json.hpp>
#include <string>

#include "adapters/store/state_files.hpp"

namespace left4me {

/// `state/NAME` as JSON, converted by `read`, which may throw what nlohmann::json throws. A missing file is
/// Value(). `remedy` ends the message about a damaged file.
template <typename Value, typename Read>
std::expected<Value, std::string> load_state_json(const Paths& paths, const char* name, Read read,
                                                  const char* remedy = "") {
    const auto text = read_state_file(paths, name);
    if (!text) return std::unexpected(text.error());
    if (!*text) return Value();
    try {
        return read(nlohmann::json::parse(**text));
    } catch (const nlohmann::json::exception& exception) {
        return std::unexpected((paths.status() / name).string() + " is damaged: " + exception.what() +
                               remedy);
    }
}

inline std::expected<void, std::string> save_state_json(const Paths& paths, const char* name,
                                                        const nlohmann::json& value) {
    return replace_state_file(paths, name,
                              value.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace left4me
