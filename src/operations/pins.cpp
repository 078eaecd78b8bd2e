#include "operations/pins.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/store/state_files.hpp"
#include "operations/server_view.hpp"
#include "operations/upstream.hpp"
#include "reconciler/backoff.hpp"
#include "reconciler/refresh.hpp"

namespace left4me::operations {

namespace {

/// Those of the given ones whose source moves.
Result<std::map<std::string, OverlaySource>> moving(const ManifestSet& set,
                                                    const std::vector<PinOwner>& owners) {
    std::map<std::string, OverlaySource> sources;
    for (const auto& [kind, name] : owners) {
        if (!set.overlays.contains(name) || (kind && kind_of_artifacts(set, name) != *kind))
            return fail(ErrorKind::NotFound, kind ? to_string(Subject{*kind, name}) + " is not there"
                                                  : "there is no overlay or installation " + name);
        if (!pin_identity(set.overlays.at(name).source))
            return fail(ErrorKind::InvalidArgument,
                        fmt::format("{} needs no pin: its source does not move", artifact_owner(set, name)));
        sources.emplace(name, set.overlays.at(name).source);
    }
    if (!owners.empty()) return sources;
    for (const auto& [name, overlay] : set.overlays) {
        if (pin_identity(overlay.source)) sources.emplace(name, overlay.source);
    }
    return sources;
}

/// What upstream was when it was asked last. `source` has its pin.
std::optional<PinComparison> last_comparison(const Paths& paths, const std::string& overlay,
                                             const OverlaySource& source) {
    const auto identity = pin_identity(source);
    if (!identity) return std::nullopt;
    PinComparison one{overlay, *identity, pin_of(source), built_pin(paths, overlay, source), std::nullopt,
                      {},      {},        kind_of(source)};
    if (const auto upstream = last_answer(paths, overlay, source)) {
        one.asked = upstream->at;
        if (upstream->pin) {
            one.now = *upstream->pin;
        } else {
            one.error = upstream->pin.error();
        }
    }
    return one;
}

std::optional<PinComparison> last_comparison(const View& view, const std::string& overlay) {
    return last_comparison(view.paths, overlay, pinned_source(view.in_force.set, overlay));
}

/// What has moved, and what to do. Of one that has_moved() from what is known.
std::string moved_text(const PinComparison& one) {
    const std::vector<PinChange> moved = changes(one.before(), *one.now);
    return fmt::format("{} moved{}; sudo l4d2ctl lock {} takes what is there",
                       moved.size() == 1 ? moved.front().input : fmt::format("{} inputs", moved.size()),
                       moved.size() == 1 ? " to " + (moved.front().after.empty() ? std::string("nothing")
                                                                                 : moved.front().after)
                                         : "",
                       one.overlay);
}

/// When an overlay's pin is moved forward.
struct RefreshView {
    Calendar calendar;
    const Refreshed* memory = nullptr;  ///< nullptr: no pass has seen it yet
    TimePoint due;
};

std::optional<RefreshView> refresh_of(const View& view, const std::string& overlay) {
    const auto& calendar = view.in_force.set.overlays.at(overlay).refresh;
    if (!calendar) return std::nullopt;
    RefreshView refresh{*calendar, nullptr, {}};
    if (const auto found = view.status.refreshes.find(overlay); found != view.status.refreshes.end()) {
        refresh.memory = &found->second;
        refresh.due = refresh_due(*calendar, found->second, view.observed.local);
    }
    return refresh;
}

Json refresh_json(const std::optional<RefreshView>& refresh) {
    if (!refresh) return nullptr;
    const bool is_known = refresh->memory != nullptr;
    const bool failed = is_known && refresh->memory->backoff.failures > 0;
    return {{"calendar", to_text(refresh->calendar)},
            {"since", is_known ? Json(time_to_json(refresh->memory->at)) : Json(nullptr)},
            {"next", is_known ? Json(time_to_json(refresh->due)) : Json(nullptr)},
            {"failures", failed ? refresh->memory->backoff.failures : 0},
            {"error", failed ? Json(refresh->memory->backoff.message) : Json(nullptr)}};
}

Json change_json(const PinChange& change) {
    return {{"input", change.input},
            {"before", change.before.empty() ? Json(nullptr) : Json(change.before)},
            {"after", change.after.empty() ? Json(nullptr) : Json(change.after)}};
}

Json changes_json(const PinComparison& pin) {
    Json list = Json::array();
    if (!pin.now) return list;
    for (const PinChange& change : changes(pin.before(), *pin.now)) list.push_back(change_json(change));
    return list;
}

}  // namespace

Result<std::vector<PinComparison>> compare_pins(Context& context, const std::vector<PinOwner>& owners,
                                                PinsOf of) {
    const auto in_force = read_source(context);
    if (!in_force) return std::unexpected(in_force.error());
    // The edit would be refused later, when upstream has been asked for nothing.
    if (in_force->error_kind != SourceErrorKind::None)
        return fail(kind_of(in_force->error_kind), in_force->error);
    const auto sources = moving(in_force->set, owners);
    if (!sources) return std::unexpected(sources.error());
    const auto answers =
        of == PinsOf::Upstream ? ask_upstream(context, *sources) : Result<Answers>(Answers());
    if (!answers) return std::unexpected(answers.error());
    std::vector<PinComparison> pins;
    for (const auto& [name, source] : *sources) {
        PinComparison& pin = pins.emplace_back();
        pin.overlay = name;
        pin.kind = kind_of(source);
        pin.source = *pin_identity(source);
        pin.pinned = pin_of(pinned_source(in_force->set, name));
        pin.built = built_pin(context.paths, name, source);
        const auto answer = answers->find(name);
        if (answer != answers->end() && answer->second) {
            pin.now = with_known_digests(with_known_digests(*answer->second, pin.pinned), pin.built);
        } else if (answer != answers->end()) {
            pin.error = answer->second.error();
        } else if (pin.built) {
            pin.now = pin.built;
        } else {
            pin.error =
                "it is not known what it was built from; l4d2ctl get overlays says whether it is built";
        }
    }
    return pins;
}

Result<Proposal> propose_pins(const Context& context, const std::vector<PinComparison>& pins) {
    std::map<std::string, LockedInput> locked;
    for (const PinComparison& pin : pins) {
        if (pin.now) locked[pin.overlay] = {pin.source, *pin.now};
    }
    return propose_lock(context, locked);
}

Json pins_json(const std::vector<PinComparison>& pins) {
    Json list = Json::array();
    for (const PinComparison& pin : pins) {
        list.push_back({{"overlay", pin.overlay},
                        {"pinned", pin.pinned.has_value()},
                        {"moved", pin.now ? Json(pin.has_moved()) : Json(nullptr)},
                        {"changes", changes_json(pin)},
                        {"error", pin.error.empty() ? Json(nullptr) : Json(pin.error)}});
    }
    return list;
}

std::string pin_word(const View& view, const std::string& overlay) {
    const OverlaySource& source = view.in_force.set.overlays.at(overlay).source;
    if (!pin_identity(source)) return "-";
    const auto pin = pin_of(pinned_source(view.in_force.set, overlay));
    return pin ? to_text(*pin) : "no";
}

std::string pin_text(const View& view, const std::string& overlay) {
    const auto one = last_comparison(view, overlay);
    if (!one) return {};
    if (one->pinned) return to_text(*one->pinned) + " (left4me.lock)";
    for (const StalePin& stale : stale_pins(view.in_force.set)) {
        if (stale.overlay == overlay) return "no: " + to_text(stale);
    }
    return one->built ? fmt::format("no; it was built from {}", to_text(*one->built)) : "no";
}

std::string upstream_word(const View& view, const std::string& overlay) {
    const auto one = last_comparison(view, overlay);
    if (!one || (!one->now && one->error.empty())) return "-";
    if (!one->now) return "error";
    if (!one->before()) return "known";
    return one->has_moved() ? "moved" : "same";
}

std::string upstream_text(const View& view, const std::string& overlay) {
    const auto one = last_comparison(view, overlay);
    if (!one) return {};
    if (!one->asked) return fmt::format("not asked; sudo l4d2ctl lock --check {} asks", overlay);
    const std::string when = fmt::format("{} ago", age_text(*one->asked, view.observed.now));
    if (!one->now) return fmt::format("{}: {}", when, one->error);
    if (!one->before()) return fmt::format("{}: {}", when, to_text(*one->now));
    if (!one->has_moved()) return fmt::format("{}: the same", when);
    return fmt::format("{}: {}", when, moved_text(*one));
}

std::string refresh_text(const View& view, const std::string& overlay) {
    const auto refresh = refresh_of(view, overlay);
    if (!refresh) return {};
    const LocalTime& local = view.observed.local;
    const TimePoint now = view.observed.now;
    if (refresh->memory == nullptr) return to_text(refresh->calendar);
    std::string text =
        fmt::format("{}; {}", to_text(refresh->calendar),
                    refresh->due <= now ? "due now" : "next at " + local_text(local, refresh->due, now));
    if (refresh->memory->backoff.failures > 0)
        text += fmt::format("; {}; the last time: {}; l4d2ctl logs {} says why",
                            backoff_text(refresh->memory->backoff), refresh->memory->backoff.message,
                            artifact_owner(view.in_force.set, overlay));
    return text;
}

Json pin_json(const View& view, const std::string& overlay) {
    const auto one = last_comparison(view, overlay);
    if (!one) return Json::object();
    Json json{{"pin", one->pinned ? Json(to_text(*one->pinned)) : Json(nullptr)},
              {"builtFrom", one->built ? Json(to_text(*one->built)) : Json(nullptr)},
              {"refresh", refresh_json(refresh_of(view, overlay))},
              {"upstream", nullptr}};
    if (!one->asked) return json;
    json["upstream"] = {{"at", time_to_json(*one->asked)},
                        {"moved", one->now ? Json(one->has_moved()) : Json(nullptr)},
                        {"changes", changes_json(*one)},
                        {"error", one->error.empty() ? Json(nullptr) : Json(one->error)}};
    return json;
}

std::vector<std::string> upstream_news(const Paths& paths,
                                       const std::map<std::string, OverlaySource>& sources) {
    std::vector<std::string> news;
    for (const auto& [name, source] : sources) {
        const auto one = last_comparison(paths, name, source);
        if (one && one->before() && one->has_moved())
            news.push_back(fmt::format("{}: {}", to_string(Subject{one->kind, name}), moved_text(*one)));
    }
    return news;
}

}  // namespace left4me::operations
