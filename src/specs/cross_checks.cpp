#include "specs/cross_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "specs/text.hpp"

namespace left4me {
namespace {

using Names = std::map<std::string_view, const ObjectSummary*>;

std::string place(const Location& at) { return fmt::format("{}:{}:{}", at.file, at.line, at.column); }

/// "The first" of several objects is the first in the order of files and lines, whatever order the files came
/// in.
std::vector<const ObjectSummary*> in_order(std::span<const ObjectSummary> objects,
                                           Location ObjectSummary::* place) {
    std::vector<const ObjectSummary*> sorted;
    sorted.reserve(objects.size());
    for (const ObjectSummary& object : objects) sorted.push_back(&object);
    std::stable_sort(sorted.begin(), sorted.end(), [place](const ObjectSummary* a, const ObjectSummary* b) {
        return a->*place < b->*place;
    });
    return sorted;
}

/// By kind; the first of several objects with the same name counts.
std::map<Kind, Names> check_names(const std::vector<const ObjectSummary*>& objects,
                                  Diagnostics& diagnostics) {
    std::map<Kind, Names> kinds;
    for (const ObjectSummary* object : objects) {
        if (object->kind == nullptr || object->name.empty()) continue;
        const auto [first, inserted] = kinds[object->kind->kind].emplace(object->name, object);
        if (inserted) continue;
        diagnostics.push_back({object->name_at,
                               fmt::format("{} named '{}' already exists at {}; rename or remove one of them",
                                           with_article(object->kind->object.name), object->name,
                                           place(first->second->name_at)),
                               Rule::DuplicateName});
    }
    return kinds;
}

/// Both have their artifacts in `overlays/NAME`.
void check_shared_names(const std::map<Kind, Names>& kinds, Diagnostics& diagnostics) {
    const auto overlays = kinds.find(Kind::Overlay);
    const auto installations = kinds.find(Kind::Installation);
    if (overlays == kinds.end() || installations == kinds.end()) return;
    for (const auto& [name, installation] : installations->second) {
        const auto overlay = overlays->second.find(name);
        if (overlay == overlays->second.end()) continue;
        diagnostics.push_back(
            {installation->name_at,
             fmt::format("an Overlay named '{}' exists at {}, and an Installation may not have "
                         "the name of one; rename one of them",
                         name, place(overlay->second->name_at)),
             Rule::DuplicateName});
    }
}

void check_ports(const std::vector<const ObjectSummary*>& objects, Diagnostics& diagnostics) {
    std::map<std::uint16_t, const ObjectSummary*> ports;
    for (const ObjectSummary* object : objects) {
        if (!object->port) continue;
        const auto [first, inserted] = ports.emplace(*object->port, object);
        if (inserted) continue;
        const std::string owner = first->second->name.empty()
                                      ? "another server"
                                      : fmt::format("{}/{}", to_string(Kind::Server), first->second->name);
        diagnostics.push_back(
            {object->port_at,
             fmt::format(
                 "spec.port: {} is taken by {} at {}; each server needs a port of its own, even when stopped",
                 *object->port, owner, place(first->second->port_at)),
             Rule::DuplicatePort});
    }
}

/// Every word of these texts that could be a name.
std::set<std::string_view> words_of(std::span<const std::string_view> texts) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789-";
    std::set<std::string_view> words;
    for (const std::string_view text : texts) {
        for (std::size_t at = text.find_first_of(letters); at != std::string_view::npos;) {
            const std::size_t end = std::min(text.find_first_not_of(letters, at), text.size());
            words.insert(text.substr(at, end - at));
            at = text.find_first_of(letters, end);
        }
    }
    return words;
}

void check_references(std::span<const ObjectSummary> objects, const std::map<Kind, Names>& kinds,
                      std::span<const std::string_view> unread, Diagnostics& diagnostics) {
    const std::set<std::string_view> unread_words = words_of(unread);
    for (const ObjectSummary& object : objects) {
        for (const Reference& reference : object.references) {
            if (reference.listed_elsewhere) continue;
            const auto names = kinds.find(reference.kind);
            if (names != kinds.end() && names->second.contains(reference.name)) continue;
            if (unread_words.contains(reference.name)) continue;
            std::vector<std::string_view> known;
            if (names != kinds.end()) {
                for (const auto& [name, owner] : names->second) known.push_back(name);
            }
            std::string hint = did_you_mean(reference.name, known);
            if (hint.empty()) hint = "; add it, or correct the name";
            diagnostics.push_back({reference.where,
                                   fmt::format("{}: there is no {} named '{}'{}", reference.path,
                                               entry_of(reference.kind).object.name, reference.name, hint),
                                   Rule::ReferenceDangling});
        }
    }
}

}  // namespace

void cross_check(std::span<const ObjectSummary> objects, std::span<const std::string_view> unread,
                 Diagnostics& diagnostics) {
    const auto kinds = check_names(in_order(objects, &ObjectSummary::name_at), diagnostics);
    check_shared_names(kinds, diagnostics);
    check_ports(in_order(objects, &ObjectSummary::port_at), diagnostics);
    check_references(objects, kinds, unread, diagnostics);
}

}  // namespace left4me
