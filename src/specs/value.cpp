#include "specs/value.hpp"

namespace left4me {

std::vector<Value> items(const Value& list) {
    std::vector<Value> result;
    if (list.node == nullptr) return result;
    for (const yaml::NodePtr& item : list.node->items)
        result.push_back({item.get(), list.field->children.data()});
    return result;
}

std::vector<std::string> texts(const Value& list) {
    std::vector<std::string> result;
    if (list.node == nullptr) return result;
    if (list.node->kind == yaml::Node::Kind::Scalar) return {list.node->text};
    for (const yaml::NodePtr& item : list.node->items) result.push_back(item->text);
    return result;
}

std::map<std::string, std::string> text_map(const Value& map) {
    std::map<std::string, std::string> result;
    if (map.node == nullptr) return result;
    for (const yaml::Entry& entry : map.node->entries) result.emplace(entry.key, entry.value->text);
    return result;
}

}  // namespace left4me
