#include <fmt/format.h>

#include <map>

#include "specs/validate.hpp"
#include "specs/words.hpp"

namespace left4me {
namespace {

using yaml::Entry;
using yaml::Node;

/// A path cannot be a file and a directory at once.
void check_file_conflicts(const Node& overlay, Reporter& reporter) {
    const Node* spec = overlay.get("spec");
    const Node* source = spec == nullptr ? nullptr : spec->get("source");
    const Node* text = source == nullptr ? nullptr : source->get("inline");
    const Node* files = text == nullptr ? nullptr : text->get("files");
    if (files == nullptr) return;
    std::map<std::string_view, const Entry*> by_path;
    for (const Entry& entry : files->entries) {
        if (!entry.key.empty()) by_path.emplace(entry.key, &entry);
    }
    for (const Entry& entry : files->entries) {
        const std::string_view path = entry.key;
        for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
             slash = path.find('/', slash + 1)) {
            if (!by_path.contains(path.substr(0, slash))) continue;
            reporter.add(
                Rule::FilePathConflict, entry.mark,
                fmt::format(
                    "spec.source.inline.files: {} cannot exist, because {} is a file; rename one of them",
                    in_quotes(path), in_quotes(path.substr(0, slash))));
            break;
        }
    }
}

}  // namespace

void check_object(const Field& kind, const yaml::Node& root, Reporter& reporter) {
    if (kind.name == "Overlay") check_file_conflicts(root, reporter);
}

}  // namespace left4me
