#include "specs/read.hpp"

#include <array>

#include "specs/overlay_roots.hpp"
#include "specs/text_checks.hpp"

namespace left4me {
namespace {

using yaml::Node;

/// A field of a map that may be absent, with its line of the table.
struct Value {
    const Node* node = nullptr;
    const Field* field = nullptr;

    Value operator[](std::string_view name) const {
        return {node == nullptr ? nullptr : node->get(name), find_child(*field, name)};
    }
    std::string text() const { return node == nullptr ? std::string(field->default_value) : node->text; }
};

template <typename Enum, std::size_t Size>
Enum one_of(const Value& value, const std::array<Enum, Size>& choices) {
    const std::string text = value.text();
    for (const Enum choice : choices) {
        if (text == to_string(choice)) return choice;
    }
    return choices.front();
}

std::vector<std::string> texts(const Value& list) {
    std::vector<std::string> result;
    if (list.node == nullptr) return result;
    for (const yaml::NodePtr& item : list.node->items) result.push_back(item->text);
    return result;
}

std::map<std::string, std::string> text_map(const Value& map) {
    std::map<std::string, std::string> result;
    if (map.node == nullptr) return result;
    for (const yaml::Entry& entry : map.node->entries) result.emplace(entry.key, entry.value->text);
    return result;
}

Metadata read_metadata(const Value& metadata) {
    return {metadata["name"].text(), text_map(metadata["labels"])};
}

Server read_server(const Value& object, const Origin& origin) {
    const Value spec = object["spec"];
    const Value rollout = spec["rollout"];
    Server server;
    server.metadata = read_metadata(object["metadata"]);
    server.blueprint = spec["blueprint"].text();
    server.port = parse_port(spec["port"].text()).value_or(0);
    server.state = one_of(spec["state"], std::array{RunState::Running, RunState::Stopped});
    server.rollout.policy =
        one_of(rollout["policy"],
               std::array{RolloutPolicy::OnNextStart, RolloutPolicy::WhenEmpty, RolloutPolicy::Immediate});
    server.rollout.deadline = parse_duration(rollout["deadline"].text());
    server.drift = one_of(spec["drift"], std::array{DriftPolicy::Correct, DriftPolicy::Report});
    server.origin = origin;
    return server;
}

Blueprint read_blueprint(const Value& object, const Origin& origin) {
    const Value spec = object["spec"];
    Blueprint blueprint{read_metadata(object["metadata"]), texts(spec["overlays"]), texts(spec["arguments"]),
                        spec["config"].text(), origin};
    if (const Value writable = spec["writable"]; writable.node != nullptr)
        blueprint.writable = texts(writable);
    return blueprint;
}

Overlay read_overlay(const Value& object, const Origin& origin, const Limits& limits) {
    const Value source = object["spec"]["source"];
    const Metadata metadata = read_metadata(object["metadata"]);
    if (const Value directory = source["directory"]; directory.node != nullptr) {
        const std::string path = directory.text();
        return {metadata, DirectorySource{path, *find_root(path, limits.overlay_roots), limits.source},
                origin};
    }
    return {metadata, InlineSource{text_map(source["inline"]["files"])}, origin};
}

}  // namespace

void read_object(const yaml::Node& root, const Field& kind, const Origin& origin, const Limits& limits,
                 ManifestSet& set) {
    const Value object{&root, &kind};
    const std::string name = object["metadata"]["name"].text();
    if (kind.name == "Server") set.servers.emplace(name, read_server(object, origin));
    if (kind.name == "Blueprint") set.blueprints.emplace(name, read_blueprint(object, origin));
    if (kind.name == "Overlay") set.overlays.emplace(name, read_overlay(object, origin, limits));
}

}  // namespace left4me
