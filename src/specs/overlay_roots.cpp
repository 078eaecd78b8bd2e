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
    const auto check = [&](const yaml::Node& path, std::string_view field) {
        if (find_root(path.text, roots)) return;
        reporter.add(Rule::DirectoryOutsideRoots, path.mark,
                     fmt::format("{}: {} is outside the overlay roots of this host ({}); "
                                 "move the files there, or ask root to add their directory to overlayRoots "
                                 "in /etc/left4me/config.yaml",
                                 field, in_quotes(path.text), fmt::join(roots, ", ")));
    };
    if (const yaml::Node* directory = descend(&root, {"spec", "source", "directory"}))
        check(*directory, "spec.source.directory");
    const yaml::Node* repository = descend(&root, {"spec", "source", "git", "url"});
    if (repository != nullptr && repository->text.starts_with('/')) check(*repository, "spec.source.git.url");
    const yaml::Node* url = descend(&root, {"spec", "source", "archive", "url"});
    if (url == nullptr) return;
    const auto check_url = [&](const yaml::Node& node) {
        if (node.text.starts_with('/')) check(node, "spec.source.archive.url");
    };
    if (url->kind == yaml::Node::Kind::Scalar) check_url(*url);
    for (const yaml::NodePtr& item : url->items) check_url(*item);
}

}  // namespace left4me
