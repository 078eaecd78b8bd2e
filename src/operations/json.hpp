#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace left4me::operations {

using Json = nlohmann::ordered_json;

/// Indented, with a newline at the end. Bytes that are not UTF-8 (from a journal or a file) become U+FFFD.
inline std::string json_text(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace left4me::operations
