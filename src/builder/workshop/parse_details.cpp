#include "builder/workshop/parse_details.hpp"

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "adapters/store/files.hpp"
#include "builder/messages.hpp"

namespace left4me::builder {

namespace {

using Json = nlohmann::json;
using Kind = Message::Kind;

/// Numbers are texts in some answers: sizes, handles.
std::string text_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end()) return {};
    if (found->is_string()) {
        std::string text = found->get<std::string>();
        for (char& c : text) {
            if (c == '\0') c = ' ';
        }
        return text;
    }
    if (found->is_boolean()) return found->get<bool>() ? "1" : "0";
    return found->is_number_integer() ? found->dump() : std::string();
}

bool send_row(int pipe, std::uint64_t number, std::string_view kind, const Json& object,
              std::initializer_list<const char*> names) {
    std::string fields(kind);
    fields += '\0';
    for (const char* name : names) fields += text_of(object, name) + '\0';
    return send_message(pipe, {.kind = Kind::Row, .number = number, .text = std::move(fields), .more = {}});
}

/// The list in it; null if there is none.
Json list_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_array() ? *found : Json();
}

}  // namespace

void parse_details(int file, int pipe) {
    std::string buffer(max_answer_bytes + 1, '\0');
    const auto text = store::read_at(file, buffer, 0, "Steam's answer");
    const Json answer = Json::parse(text ? *text : std::string_view(), nullptr, false);
    const auto response = answer.is_object() ? answer.find("response") : answer.end();
    if (!answer.is_object() || response == answer.end() || !response->is_object()) {
        (void)send_message(pipe,
                           {.kind = Kind::Failed, .text = "it is no answer of Steam's web API", .more = {}});
        return;
    }
    std::uint64_t number = 0;
    for (const Json& item : list_of(*response, "publishedfiledetails")) {
        if (!item.is_object()) continue;
        if (!send_row(pipe, ++number, "item", item,
                      {"publishedfileid", "result", "consumer_app_id", "banned", "file_size", "time_updated",
                       "hcontent_file", "file_url", "preview_url", "title"}))
            return;
    }
    for (const Json& collection : list_of(*response, "collectiondetails")) {
        if (!collection.is_object()) continue;
        if (!send_row(pipe, ++number, "collection", collection, {"publishedfileid", "result"})) return;
        for (const Json& child : list_of(collection, "children")) {
            if (child.is_object() &&
                !send_row(pipe, ++number, "child", child, {"publishedfileid", "filetype"}))
                return;
        }
    }
    (void)send_message(pipe, {.kind = Kind::End, .text = {}, .more = {}});
}

}  // namespace left4me::builder
