#include "adapters/store/stop_requests.hpp"

#include <nlohmann/json.hpp>

#include "adapters/store/state_files.hpp"

namespace left4me {

namespace {

using nlohmann::json;

constexpr const char* file_name = "stops.json";

}  // namespace

std::expected<StopRequests, std::string> load_stop_requests(const Paths& paths) {
    const auto text = read_state_file(paths, file_name);
    if (!text) return std::unexpected(text.error());
    if (!*text) return StopRequests{};
    try {
        return json::parse(**text).get<StopRequests>();
    } catch (const json::exception& exception) {
        return std::unexpected((paths.status() / file_name).string() + " is damaged: " + exception.what());
    }
}

std::expected<void, std::string> save_stop_requests(const Paths& paths, const StopRequests& requests) {
    return replace_state_file(paths, file_name,
                              json(requests).dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace left4me
