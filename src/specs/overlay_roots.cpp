#include "specs/overlay_roots.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "specs/text.hpp"
#include "specs/text_checks.hpp"

namespace left4me {
namespace {

const yaml::Node* descend(const yaml::Node* node, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        if (node == nullptr || node->kind != yaml::Node::Kind::Map) return nullptr;
        node = node->get(name);
    }
    return node;
}

}  // namespace

std::optional<std::string> find_root(std::string_view path, const std::vector<std::string>& roots) {
    const std::string* innermost = nullptr;
    for (const std::string& root : roots) {
        if (lies_in(path, root) && (innermost == nullptr || root.size() > innermost->size()))
            innermost = &root;
    }
    if (innermost == nullptr) return std::nullopt;
    return *innermost;
}

void check_root(const yaml::Node& root, const std::vector<std::string>& roots, Reporter& reporter) {
    const yaml::Node* directory = descend(&root, {"spec", "source", "directory"});
    if (directory == nullptr || find_root(directory->text, roots)) return;
    reporter.add(Rule::DirectoryOutsideRoots, directory->mark,
                 fmt::format("spec.source.directory: {} is outside the overlay roots of this host ({}); "
                             "move the files there, or ask root to add their directory to overlayRoots in "
                             "/etc/left4me/config.yaml",
                             in_quotes(directory->text), fmt::join(roots, ", ")));
}

}  // namespace left4me
