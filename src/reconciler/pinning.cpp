#include "reconciler/pinning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "reconciler/build.hpp"
#include "reconciler/digest.hpp"

namespace left4me {
namespace {

/// In any order: what is meant is the same.
void add(Digest& digest, std::vector<std::string> texts) {
    std::sort(texts.begin(), texts.end());
    digest.number(texts.size());
    for (const std::string& text : texts) digest.field(text);
}

/// The source's pin, if the pins of its kind are of this type.
template <typename Source>
using PinOf = typename decltype(Source::pin)::value_type;

template <typename Source>
concept Moving = requires(Source source) { source.pin; };

std::string version(const ItemPin& item) {
    return fmt::format("updated {}, {} bytes{}", item.updated, item.size,
                       item.sha256.empty() ? "" : ", sha256 " + item.sha256.substr(0, 12));
}
std::string version(const MapPin& map) { return fmt::format("{} bytes, md5 {}", map.size, map.md5); }

bool is_same(const ItemPin& a, const ItemPin& b) {
    const bool known = !a.sha256.empty() && !b.sha256.empty();
    return a.updated == b.updated && a.size == b.size && (!known || a.sha256 == b.sha256);
}
bool is_same(const MapPin& a, const MapPin& b) { return a == b; }

template <typename Versions>
std::vector<PinChange> changed_versions(const Versions& before, const Versions& after) {
    std::vector<PinChange> changes;
    for (const auto& [name, old] : before) {
        const auto now = after.find(name);
        if (now == after.end()) {
            changes.push_back({name, version(old), {}});
        } else if (!is_same(old, now->second)) {
            changes.push_back({name, version(old), version(now->second)});
        }
    }
    for (const auto& [name, now] : after) {
        if (!before.contains(name)) changes.push_back({name, {}, version(now)});
    }
    std::sort(changes.begin(), changes.end(),
              [](const PinChange& a, const PinChange& b) { return a.input < b.input; });
    return changes;
}

std::string count(std::size_t number, const char* what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

}  // namespace

std::optional<std::string> pin_identity(const OverlaySource& source) {
    using Identity = std::optional<std::string>;
    return std::visit(Overloaded{
                          [](const GitSource& git) -> Identity {
                              if (is_commit(git.ref)) return std::nullopt;
                              return Digest().field("git").field(git.url).field(git.ref).hex();
                          },
                          [](const WorkshopSource& workshop) -> Identity {
                              Digest digest;
                              digest.field("workshop");
                              add(digest, workshop.items);
                              add(digest, workshop.collections);
                              add(digest, workshop.exclude);
                              return digest.hex();
                          },
                          [](const MapIndexSource& index) -> Identity {
                              Digest digest;
                              digest.field("mapIndex").field(index.url);
                              add(digest, index.exclude);
                              return digest.hex();
                          },
                          [](const SteamSource& steam) -> Identity {
                              if (!steam.build.empty()) return std::nullopt;
                              return Digest().field("steam").hex();
                          },
                          // Pinned by the manifest, or by what stands in it.
                          [](const ArchiveSource&) -> Identity { return std::nullopt; },
                          [](const InlineSource&) -> Identity { return std::nullopt; },
                          [](const ScriptSource&) -> Identity { return std::nullopt; },
                          // On this host alone.
                          [](const DirectorySource&) -> Identity { return std::nullopt; },
                      },
                      source);
}

std::optional<Pin> pin_of(const OverlaySource& source) {
    return std::visit(
        [](const auto& one) -> std::optional<Pin> {
            if constexpr (Moving<std::decay_t<decltype(one)>>) {
                if (one.pin) return Pin(*one.pin);
            }
            return std::nullopt;
        },
        source);
}

OverlaySource with_pin(OverlaySource source, const Pin& pin) {
    std::visit(
        [&pin](auto& one) {
            using Source = std::decay_t<decltype(one)>;
            if constexpr (Moving<Source>) {
                if (const auto* const fitting = std::get_if<PinOf<Source>>(&pin)) one.pin = *fitting;
            }
        },
        source);
    return source;
}

OverlaySource without_pin(OverlaySource source) {
    std::visit(
        [](auto& one) {
            if constexpr (Moving<std::decay_t<decltype(one)>>) one.pin.reset();
        },
        source);
    return source;
}

std::vector<std::string> pinned_inputs(const OverlaySource& source, const Pin& pin) {
    std::vector<std::string> inputs;
    const auto add_input = [&](const Pin& one) {
        std::visit(
            [&inputs](const auto& pinned) {
                if constexpr (Moving<std::decay_t<decltype(pinned)>>) inputs.push_back(fingerprint(pinned));
            },
            with_pin(source, one));
    };
    add_input(pin);
    if (const auto* const workshop = std::get_if<WorkshopPin>(&pin)) {
        WorkshopPin unknown = *workshop;
        for (auto& [id, item] : unknown.items) item.sha256.clear();
        if (unknown != *workshop) add_input(unknown);
    }
    return inputs;
}

std::vector<StalePin> stale_pins(const ManifestSet& set) {
    std::vector<StalePin> stale;
    for (const auto& [name, locked] : set.lock) {
        const auto add_stale = [&, &overlay = name, &where = locked.where](const char* why) {
            stale.push_back({overlay, why, where});
        };
        const auto overlay = set.overlays.find(name);
        if (overlay == set.overlays.end()) {
            add_stale("no manifest names the overlay");
            continue;
        }
        const auto identity = pin_identity(overlay->second.source);
        if (!identity) {
            add_stale("its source needs no pin");
        } else if (*identity != locked.source || !pin_of(with_pin(overlay->second.source, locked.pin))) {
            add_stale("it is of another source than the manifest's");
        }
    }
    return stale;
}

std::string to_text(const StalePin& stale) {
    return fmt::format(
        "{}:{}:{}: the pin of overlay/{} is not used: {}; sudo l4d2ctl lock writes the file anew",
        stale.where.file, stale.where.line, stale.where.column, stale.overlay, stale.why);
}

OverlaySource pinned_source(const ManifestSet& set, const std::string& overlay) {
    const OverlaySource& source = set.overlays.at(overlay).source;
    const auto locked = set.lock.find(overlay);
    if (locked == set.lock.end() || pin_identity(source) != locked->second.source) return source;
    return with_pin(source, locked->second.pin);
}

std::vector<PinChange> changes(const std::optional<Pin>& before, const Pin& after) {
    return std::visit(
        Overloaded{
            [&](const GitPin& now) -> std::vector<PinChange> {
                const auto* const old = before ? std::get_if<GitPin>(&*before) : nullptr;
                if (old != nullptr && *old == now) return {};
                return {{"commit", old == nullptr ? "" : old->commit, now.commit}};
            },
            [&](const SteamPin& now) -> std::vector<PinChange> {
                const auto* const old = before ? std::get_if<SteamPin>(&*before) : nullptr;
                if (old != nullptr && *old == now) return {};
                return {{"build", old == nullptr ? "" : old->build, now.build}};
            },
            [&](const WorkshopPin& now) {
                const auto* const old = before ? std::get_if<WorkshopPin>(&*before) : nullptr;
                return changed_versions(old == nullptr ? decltype(now.items)() : old->items, now.items);
            },
            [&](const MapIndexPin& now) {
                const auto* const old = before ? std::get_if<MapIndexPin>(&*before) : nullptr;
                return changed_versions(old == nullptr ? decltype(now.maps)() : old->maps, now.maps);
            },
        },
        after);
}

Pin with_known_digests(Pin now, const std::optional<Pin>& known) {
    auto* const workshop = std::get_if<WorkshopPin>(&now);
    const auto* const other = known ? std::get_if<WorkshopPin>(&*known) : nullptr;
    if (workshop == nullptr || other == nullptr) return now;
    for (auto& [id, item] : workshop->items) {
        const auto found = other->items.find(id);
        if (item.sha256.empty() && found != other->items.end() && is_same(found->second, item))
            item.sha256 = found->second.sha256;
    }
    return now;
}

std::string to_text(const Pin& pin) {
    return std::visit(Overloaded{
                          [](const GitPin& git) { return "commit " + git.commit.substr(0, 12); },
                          [](const WorkshopPin& workshop) { return count(workshop.items.size(), "item"); },
                          [](const MapIndexPin& index) { return count(index.maps.size(), "map"); },
                          [](const SteamPin& steam) { return "build " + steam.build; },
                      },
                      pin);
}

}  // namespace left4me
